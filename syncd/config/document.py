"""Makes the generated pages: config.example.toml and docs/reference/{configuration,events}.md.

It gives texts; `docs/generate.py` writes and compares the files.
"""

from __future__ import annotations

import importlib.metadata
import pkgutil
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from syncd.config.document_values import VALUES
from syncd.config.example import Kinds, example
from syncd.config.layers import RESERVED
from syncd.config.paths import dotted, item_of, model_of
from syncd.config.settings import Settings, SourceSettings
from syncd.config.toml import write
from syncd.observe import events

GROUP = "syncd.sources"
#: Where the entry points are not installed (a checkout), the built-in kinds are still found.
BUILT_IN = {"csv": "syncd.sources.csv_file:CsvSource"}

_INTRO = """\
# Configuration

Generated from the models in `syncd/config` by `make docs`; do not edit. `config.example.toml` has
the same keys as a file; `syncd config schema` prints them as JSON Schema for your editor.

## Where values come from

syncd reads one TOML file: the one that `--config` names, else `$SYNCD_CONFIG`, else `./syncd.toml`,
else `/etc/syncd/config.toml`. What stands lower in this list counts more:

1. the defaults below;
2. the file;
3. variables of the environment;
4. secret files.

`syncd config show` prints every value with the place it came from; secrets are masked. A key that
syncd does not know is an error, in the file and in a variable, and the nearest right name is shown.
Relative paths start from the folder of the configuration file.

**Variables.** `SYNCD_`, then the parts of the key joined by two underscores:
`SYNCD_CAMPAIGNS__WELCOME__TOKEN` is `campaigns.welcome.token`. Case does not matter, and a `-` in
a name is written `_`: the sync `crm-leads` is `SYNCD_SYNCS__CRM_LEADS__EVERY`. A variable sets keys
of campaigns, sources and syncs that the file names; it cannot add one, for a typo would make a
second campaign. A list or a table is written as JSON: `["id", "email"]`. `SYNCD_LOG_LEVEL` and
`SYNCD_LOG_FORMAT` are short for `log.level` and `log.format`. No keys, but known:
{reserved}.

**Secret files.** Three ways, best first:

- systemd: `LoadCredential=campaigns__welcome__token:/path` puts the file in
  `$CREDENTIALS_DIRECTORY`, and syncd looks there.
- Docker, Kubernetes: a file `campaigns__welcome__token` (or `syncd_campaigns__welcome__token`) in
  `/run/secrets`, or in the directory that `$SYNCD_SECRETS_DIR` names. Files with other names are
  left alone. `ledger__url` works too, for a URL with a password.
- `token_file = "welcome.token"` in the table of the campaign.

A secret file must be readable by its owner only (`chmod 600`), and so must the TOML file when a
token or the password of a ledger URL stands in it; else syncd refuses to start. Files under
`/run/secrets` and `$CREDENTIALS_DIRECTORY` are exempt, the TOML file too: the platform sets their
modes. A line end after the secret is cut off. `token` and `token_file` together are an error.

**Durations** have a unit: `"250ms"`, `"30s"`, `"5m"`, `"1h"`, `"1d"`, `"1h30m"`, `"1.5h"`.

**Names** of campaigns, sources and syncs are 1 to 64 letters, digits, `-` or `_`.
"""


def kinds() -> dict[str, type[BaseModel]]:
    """Every installed kind of source with its model of options."""
    names = dict(BUILT_IN)
    for point in importlib.metadata.entry_points(group=GROUP):
        names[point.name] = point.value
    return {name: pkgutil.resolve_name(names[name]).Options for name in sorted(names)}


def pages(found: Kinds) -> dict[str, str]:
    """The generated files: path below the project's folder ▶ text."""
    return {
        "config.example.toml": example(found),
        "docs/reference/configuration.md": reference(found),
        "docs/reference/events.md": events.table(),
    }


def reference(found: Kinds) -> str:
    """docs/reference/configuration.md."""
    named = ", ".join(f"`{name}`" for name in sorted(RESERVED))
    parts = [_INTRO.replace("{reserved}", named)]
    for section, info in Settings.model_fields.items():
        item = item_of(info.annotation)
        model = model_of(item if item is not None else info.annotation)
        assert model is not None, "every section is a table"
        name = f"{section}.NAME" if item is not None else section
        parts += _section(name, model)
        if model is SourceSettings:
            for kind, options in found.items():
                parts.append(
                    f'### `kind = "{kind}"`\n\n{options.__doc__ or ""}\n\n{_rows(options)}'
                )
        if section == "syncs":
            parts.append(VALUES)
    return "\n".join(parts)


def _section(name: str, model: type[BaseModel]) -> Iterator[str]:
    head = str(model.__doc__).splitlines()[0]
    yield f"## `[{name}]`\n\n{head}\n\n{_rows(model)}"
    for key, info in model.model_fields.items():
        inner = model_of(info.annotation)
        if inner is not None:
            yield from _section(f"{name}.{key}", inner)


def _rows(model: type[BaseModel]) -> str:
    rows = ["| key | default | meaning |", "| --- | --- | --- |"]
    for name, info in model.model_fields.items():
        if model_of(info.annotation) is None and not (
            model is SourceSettings and name == "options"
        ):
            meaning = str(info.description).replace("|", "\\|")
            rows.append(f"| `{dotted([name])}` | {_default(info)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    default: Any = info.get_default(call_default_factory=True, validated_data={})
    return "" if default is None or isinstance(default, SecretStr) else f"`{write(default)}`"
