"""Finds and reads the configuration: defaults ▶ file ▶ environment ▶ secret files.

What stands further right counts more.

`load` either gives a whole, valid configuration, or raises one ConfigError with every problem.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from syncd.config import crosscheck
from syncd.config.layers import (
    CONFIG_VARIABLE,
    Layer,
    others_can_read,
    read_environment,
    read_file,
    read_secret,
    read_secret_dir,
    secret_dirs,
    whole_file,
)
from syncd.config.paths import Path as KeyPath
from syncd.config.paths import dotted
from syncd.config.problems import from_pydantic
from syncd.config.settings import Settings, build
from syncd.errors import ConfigError, Problem, counted

PLACES = (Path("syncd.toml"), Path("/etc/syncd/config.toml"))
DEFAULT_ORIGIN = "default"
SQLITE = "sqlite:///"
NUMBERING = "numbering.bin"  #: the compiled registry, beside an SQLite ledger
_URL: KeyPath = ("ledger", "url")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid configuration, and where each of its values stands.

    `origins` has a dotted key path for each value that was given, such as
    `campaigns.welcome.token`; what is not in it is a default. `warnings` are no reason to stop.
    """

    settings: Settings
    origins: Mapping[str, str]
    path: Path
    warnings: tuple[Problem, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder that relative paths of the configuration start from."""
        return self.path.absolute().parent

    def origin(self, path: str) -> str:
        """Where the value at a dotted key path stands: a file, a variable, or "default"."""
        return self.origins.get(path, DEFAULT_ORIGIN)


def find(path: Path | None, env: Mapping[str, str]) -> Path:
    """The file to read: the given one, else $SYNCD_CONFIG, ./syncd.toml, /etc/syncd/config.toml."""
    if path is not None:
        return path
    if env.get(CONFIG_VARIABLE):
        return Path(env[CONFIG_VARIABLE])
    for place in PLACES:
        if place.exists():
            return place
    looked = ", ".join(["--config", f"${CONFIG_VARIABLE}", *(str(p) for p in PLACES)])
    raise whole_file("was not found", looked, "`syncd init` writes a first syncd.toml")


def load(path: Path | None, env: Mapping[str, str]) -> Loaded:
    """Read, merge and check everything; raises ConfigError with all problems at once."""
    file = find(path, env)
    where = str(file)
    base = read_file(file)
    layers = [base, read_environment(env, base.values)]
    for folder, must_exist in secret_dirs(env):
        layers.append(read_secret_dir(folder, env, base.values, must_exist=must_exist))
    layers.insert(0, _token_files(layers, file, env))
    values, origins = _merged(layers)
    found = [problem for layer in layers for problem in layer.problems]
    found += _exposed(values, origins, file, env)
    seen = {problem.key for problem in found}
    checked = list(crosscheck.problems(values, origins, where))
    try:
        settings = _absolute(build([layer.source() for layer in reversed(layers)]), file)
    except ValidationError as error:
        checked += from_pydantic(error, Settings, origins=origins, where=where)
    found += [problem for problem in checked if problem.key not in seen]
    if found:
        what = f"the configuration has {counted(found)}"
        raise ConfigError(what, where=where, problems=found) from None
    shown = MappingProxyType({dotted(key): origin for key, origin in origins.items()})
    return Loaded(settings, shown, file, tuple(_warnings(origins, settings)))


def load_ledger_url(path: Path | None, env: Mapping[str, str]) -> str:
    """Only where the ledger is: `syncd init` and `syncd db` need no campaign, and no token yet.

    Problems of the other sections are left for `syncd check`.
    """
    return _load_only(("ledger",), path, env).ledger.url


def load_numbering_file(path: Path | None, env: Mapping[str, str]) -> Path | None:
    """Only where the numbering registry is kept: see `numbering_file`."""
    return numbering_file(_load_only(("ledger", "numbering"), path, env))


def numbering_file(settings: Settings) -> Path | None:
    """Where the compiled numbering registry is kept: as configured, else beside an SQLite ledger.

    None: the ledger is elsewhere, and the configuration does not say.
    """
    if settings.numbering.path is not None:
        return Path(settings.numbering.path)
    url = settings.ledger.url
    return Path(url.removeprefix(SQLITE)).parent / NUMBERING if url.startswith(SQLITE) else None


def _load_only(sections: Sequence[str], path: Path | None, env: Mapping[str, str]) -> Settings:
    """A configuration of some sections, with the others as they are by default."""
    file = find(path, env)
    base = read_file(file)
    layers = [base, read_environment(env, base.values)]
    for folder, must_exist in secret_dirs(env):
        layers.append(read_secret_dir(folder, env, base.values, must_exist=must_exist))
    values, origins = _merged(layers)
    found = [one for one in _exposed(values, origins, file, env) if one.key == dotted(_URL)]
    only = Layer(values={key: values[key] for key in sections if key in values})
    try:
        settings = _absolute(build([only.source()]), file)
    except ValidationError as error:
        found = list(from_pydantic(error, Settings, origins=origins, where=str(file)))
    if not found:
        return settings
    raise ConfigError("the configuration is wrong", where=str(file), problems=found)


def _merged(layers: Sequence[Layer]) -> tuple[dict[str, Any], dict[KeyPath, str]]:
    """What pydantic-settings makes of the layers (lowest first), with the origin of each value."""
    values: dict[str, Any] = {}
    origins: dict[KeyPath, str] = {}
    for layer in layers:
        _deep_update(values, layer.values)
        for path, origin in layer.origins.items():
            hidden = [p for p in origins if p[: len(path)] == path or path[: len(p)] == p]
            for gone in hidden:
                del origins[gone]
            origins[path] = origin
    return values, origins


def _deep_update(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, dict):
            mine = below.get(key)
            below[key] = dict(mine) if isinstance(mine, dict) else {}
            _deep_update(below[key], value)
        else:
            below[key] = value


def _token_files(layers: Sequence[Layer], file: Path, env: Mapping[str, str]) -> Layer:
    """The tokens that `token_file` keys point at."""
    values, origins = _merged(layers)
    layer = Layer()
    campaigns = values.get("campaigns")
    for name, campaign in campaigns.items() if isinstance(campaigns, dict) else ():
        given = campaign.get("token_file") if isinstance(campaign, dict) else None
        if not isinstance(given, str):
            continue
        path: KeyPath = ("campaigns", name, "token")
        pointer = origins[*path[:-1], "token_file"]
        if "token" in campaign:
            what = f"is given twice: here, and by token_file in {pointer}"
            problem = Problem(what, dotted(path), origins[path], "keep one of the two")
            layer.problems.append(problem)
            continue
        secret = file.absolute().parent / given
        token = read_secret(secret, env)
        if isinstance(token, Problem):
            layer.problems.append(replace(token, key=dotted(path), where=f"secret file {secret}"))
        else:
            layer.put(path, token, f"secret file {secret}")
    return layer


def _absolute(settings: Settings, file: Path) -> Settings:
    """Relative paths start from the folder of the configuration file, wherever syncd is started."""
    folder = file.absolute().parent
    url = settings.ledger.url
    if url.startswith(SQLITE):
        url = f"{SQLITE}{folder / url.removeprefix(SQLITE)}"
    campaigns = {
        name: one.model_copy(update={"token_file": str(folder / one.token_file)})
        if one.token_file
        else one
        for name, one in settings.campaigns.items()
    }
    ledger = settings.ledger.model_copy(update={"url": url})
    numbering = settings.numbering
    if numbering.path is not None:
        numbering = numbering.model_copy(update={"path": str(folder / numbering.path)})
    found = {"ledger": ledger, "campaigns": campaigns, "numbering": numbering}
    return settings.model_copy(update=found)


def _exposed(
    values: Mapping[str, Any], origins: Mapping[KeyPath, str], file: Path, env: Mapping[str, str]
) -> Iterator[Problem]:
    """The secrets that stand in a configuration file which others can read."""
    here = str(file)
    if not others_can_read(file, file.stat(), env):
        return
    for path, origin in origins.items():
        is_token = path[0] == "campaigns" and path[-1] == "token"
        if origin == here and (is_token or (path == _URL and _has_password(values))):
            hint = f"chmod 600 {here}, or move the secret out of it (see token_file)"
            yield Problem("is a secret in a file that others can read", dotted(path), here, hint)


def _has_password(values: Mapping[str, Any]) -> bool:
    url = values["ledger"]["url"]
    try:
        return isinstance(url, str) and bool(urlsplit(url).password)
    except ValueError:
        return False


def _warnings(origins: Mapping[KeyPath, str], settings: Settings) -> Iterator[Problem]:
    """What is allowed and unwise: a token that crosses a network where others can read it."""
    for name, one in settings.campaigns.items():
        if one.allow_insecure_http and one.base_url.startswith("http:"):
            path: KeyPath = ("campaigns", name, "allow_insecure_http")
            what = "lets the token cross the network unencrypted"
            origin = origins.get(path, DEFAULT_ORIGIN)
            yield Problem(what, dotted(path), origin, "use https where the host has it")
