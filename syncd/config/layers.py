"""Where values come from: the file, the environment, secret files; each layer knows its origins.

A layer is a source of pydantic-settings, which merges them; this module reads the bytes and keeps,
for every value, the words that say where it stands. It never decides which value is right.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_settings import InitSettingsSource

from syncd.config.oddities import DEPTH_MAX, oddities, too_deep
from syncd.config.paths import SEPARATOR, Unknown, dotted, folded, from_text, resolve
from syncd.config.paths import Path as KeyPath
from syncd.config.settings import Settings
from syncd.core.names import did_you_mean
from syncd.errors import ConfigError, Problem

FILE_BYTES_MAX = 1024 * 1024
SECRET_BYTES_MAX = 16 * 1024

_LONG_NUMBER = re.compile(r"[0-9](_?[0-9]){3999}")

PREFIX = "SYNCD_"
CONFIG_VARIABLE = "SYNCD_CONFIG"
SECRETS_VARIABLE = "SYNCD_SECRETS_DIR"
RESERVED = frozenset({CONFIG_VARIABLE, SECRETS_VARIABLE})  #: no keys of the file
RESERVED_PREFIX = "SYNCD_TEST_"  #: for syncd's own tests
#: Short names, because these two are wanted most often.
SHORT_NAMES = {"SYNCD_LOG_LEVEL": "log__level", "SYNCD_LOG_FORMAT": "log__format"}
#: Where platforms put secrets and set their modes themselves.
PLATFORM_SECRETS = (Path("/run/secrets"), Path("/var/run/secrets"))
DEFAULT_SECRETS_DIR = Path("/run/secrets")
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"  #: set by systemd for LoadCredential=


@dataclass(slots=True)
class Layer:
    """The values of one place, as a nested table, and where each of them stands."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def put(self, path: KeyPath, value: Any, origin: str) -> None:
        """Set one value; of two names for one key the first wins, and the other is a problem."""
        if too_deep({path[-1]: value}, above=path[:-1]) is not None:
            hint = f"at most {DEPTH_MAX} levels"
            self.problems.append(Problem("is nested too deeply", path[0], origin, hint))
            return
        self.problems += [
            Problem(what, dotted(odd), origin, hint) for odd, what, hint in oddities(value, path)
        ]
        table: Any = self.values
        for part in path[:-1]:
            table = table.setdefault(part, {}) if isinstance(table, dict) else None
        if not isinstance(table, dict) or path[-1] in table:
            self.problems.append(
                Problem("is given twice", dotted(path), origin, "keep one of the two")
            )
            return
        table[path[-1]] = value
        self.origins[path] = origin

    def source(self) -> InitSettingsSource:
        """The layer as pydantic-settings takes it."""
        return InitSettingsSource(Settings, self.values)


def read_file(path: Path) -> Layer:
    """The TOML file; raises ConfigError when it can't be read or is no TOML."""
    where = str(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise _unreadable(where, error) from None
    values = parse_toml(data, where)
    deep = too_deep(values)
    if deep is not None:
        hint = f"at most {DEPTH_MAX} levels; look at {dotted(deep[:3])}"
        raise whole_file("is nested too deeply", where, hint)
    layer = Layer(values)
    layer.problems += [
        Problem(what, dotted(odd), where, hint) for odd, what, hint in oddities(values)
    ]
    layer.origins.update((leaf, where) for leaf in leaves(values))
    return layer


def _unreadable(where: str, error: OSError) -> ConfigError:
    why = (error.strerror or type(error).__name__).lower()
    hint = "`syncd init` writes a first configuration" if error.errno == 2 else ""  # noqa: PLR2004 - ENOENT
    return whole_file("cannot be read: " + why, where, hint)


def whole_file(what: str, where: str, hint: str = "") -> ConfigError:
    """An error about a file as a whole."""
    what = f"the configuration {what}"
    return ConfigError(what, where=where, hint=hint, problems=[Problem(what, "", where, hint)])


def parse_toml(data: bytes, where: str) -> dict[str, Any]:
    """The tables of a TOML text of at most FILE_BYTES_MAX bytes; raises ConfigError."""
    if len(data) > FILE_BYTES_MAX:
        raise whole_file("is larger than 1 MiB", where, "is this the right file?")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise whole_file(f"is not UTF-8 in line {line}", where, "save it as UTF-8") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        twice = said.startswith(("Cannot overwrite", "Cannot declare", "Cannot mutate"))
        hint = "a key or table is given twice" if twice else "texts need quotes, tables [brackets]"
        raise whole_file(f"is no TOML: {said[:1].lower()}{said[1:]}", where, hint) from None
    except RecursionError:
        raise whole_file("is nested too deeply", where, f"at most {DEPTH_MAX} levels") from None
    except ValueError:  # the one thing that tomllib leaves to Python: it refuses to read so much
        hint = "write a smaller one, or a text in quotes"
        raise whole_file(f"has a number of thousands of digits{_line(text)}", where, hint) from None


def _line(text: str) -> str:
    """Where the number of thousands of digits stands."""
    found = _LONG_NUMBER.search(text)
    return "" if found is None else f" in line {text.count(chr(10), 0, found.start()) + 1}"


def leaves(table: Mapping[str, Any], path: KeyPath = ()) -> Iterable[KeyPath]:
    """The paths of all values that are no tables; an empty table counts as a value."""
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def read_environment(env: Mapping[str, str], known: Mapping[str, Any]) -> Layer:
    """All `SYNCD_…` variables; `known` is what the file holds, for its names."""
    layer = Layer()
    for name in sorted(env):
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper in RESERVED or upper.startswith(RESERVED_PREFIX):
            continue
        short = SHORT_NAMES.get(upper, name[len(PREFIX) :])
        key = resolve(short, known)
        if isinstance(key, Unknown):
            hint = f"{_nearest(upper) or key.hint}; unset it if it is not meant for syncd"
            layer.problems.append(Problem("is no key of syncd", name, "environment", hint))
        else:
            layer.put(key.path, from_text(env[name], key.annotation), f"environment {name}")
    return layer


def _nearest(variable: str) -> str:
    """A hint when a variable without a section is close to one of those that have none."""
    if SEPARATOR in variable:
        return ""
    hint = did_you_mean(variable, sorted({*SHORT_NAMES, *RESERVED}))
    return hint if hint.startswith("did you mean") else ""


def secret_dirs(env: Mapping[str, str]) -> list[tuple[Path, bool]]:
    """The directories of secret files, the last counts most; and whether each has to be there."""
    given = env.get(SECRETS_VARIABLE)
    found = [(Path(given), True) if given else (DEFAULT_SECRETS_DIR, False)]
    if env.get(CREDENTIALS_VARIABLE):
        found.append((Path(env[CREDENTIALS_VARIABLE]), True))
    return found


def read_secret_dir(
    folder: Path, env: Mapping[str, str], known: Mapping[str, Any], *, must_exist: bool
) -> Layer:
    """The files of a secrets directory whose names are keys; others belong to other programs."""
    layer = Layer()
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        if must_exist:
            why = (error.strerror or "cannot be read").lower()
            what = f"the secrets directory cannot be read: {why}"
            layer.problems.append(Problem(what, "", str(folder), f"see ${SECRETS_VARIABLE}"))
        return layer
    for name in names:
        plain = folded(name).removeprefix(PREFIX.lower())
        if plain.split(SEPARATOR)[0] not in Settings.model_fields or SEPARATOR not in plain:
            continue
        key = resolve(plain, known)
        where = f"secret file {folder / name}"
        if isinstance(key, Unknown):
            layer.problems.append(Problem("is no key of syncd", name, where, key.hint))
            continue
        value = read_secret(folder / name, env)
        if isinstance(value, Problem):
            layer.problems.append(Problem(value.what, dotted(key.path), where, value.hint))
        else:
            layer.put(key.path, from_text(value, key.annotation), where)
    return layer


def read_secret(path: Path, env: Mapping[str, str]) -> str | Problem:
    """The text of a secret file without its line end, or what is wrong with the file."""
    try:
        with open(path, "rb", opener=_open_at_once) as stream:
            info = os.fstat(stream.fileno())
            if not stat.S_ISREG(info.st_mode):
                return Problem("the secret file is no regular file")
            data = stream.read(SECRET_BYTES_MAX + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        why = (getattr(error, "strerror", None) or "the path is none").lower()
        return Problem(f"the secret file cannot be read: {why}", hint="see its path and owner")
    if fault := _permissions(path, info, env):
        return fault
    if len(data) > SECRET_BYTES_MAX:
        return Problem("the secret file is larger than a secret", hint="is this the right file?")
    try:
        return data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        return Problem("the secret file is not UTF-8", hint="save it as UTF-8")


def _open_at_once(path: str, flags: int) -> int:
    """A pipe that nobody writes to is not waited for."""
    return os.open(path, flags | os.O_NONBLOCK)


def _permissions(path: Path, info: os.stat_result, env: Mapping[str, str]) -> Problem | None:
    """What is wrong with the mode or the owner of a secret file."""
    if others_can_read(path, info, env):
        return Problem(
            "the secret file can be read by others",
            hint="chmod 600 it; whoever has the token can place calls",
        )
    if not _is_mounted(path, env) and info.st_uid not in {os.geteuid(), 0}:
        return Problem(
            "the secret file belongs to another user", hint="chown it to the user of syncd"
        )
    return None


def others_can_read(path: Path, info: os.stat_result, env: Mapping[str, str]) -> bool:
    """Whether anybody but the owner may read or write a file that holds a secret."""
    return bool(info.st_mode & (stat.S_IRWXG | stat.S_IRWXO)) and not _is_mounted(path, env)


def _is_mounted(path: Path, env: Mapping[str, str]) -> bool:
    """Whether the platform put the file there: its modes are the platform's, and it sees to them.

    Docker mounts a secret with mode 0444; only the container that was given it has the mount.
    """
    credentials = env.get(CREDENTIALS_VARIABLE)
    mounts = [*PLATFORM_SECRETS, *([Path(credentials)] if credentials else [])]
    real = path.resolve()
    return any(real.is_relative_to(folder.resolve()) for folder in mounts)
