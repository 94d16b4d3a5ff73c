"""Writes config.example.toml and the starter file, both from the models: documentation that loads.

In the example `# text` explains and `#key = value` is a key that is not set: with its default, or,
where there is none, with an example.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from syncd.config.call_settings import SuppressionSettings
from syncd.config.paths import dotted, item_of, model_of
from syncd.config.settings import Settings, SourceSettings
from syncd.config.toml import write

WIDTH = 96
UNKNOWN = "…"  #: stands for a value of which a kind of source gives neither default nor example
#: Keys that the example sets although they have a default or may be left out.
SET = frozenset(
    {
        ("ledger", "url"),
        ("campaigns", "base_url"),
        ("syncs", "every"),
        ("map", "default_region"),
        ("suppressions", "phone"),
    }
)
_HEAD = """\
# The configuration of syncd: every key, with its meaning and its default.
# Generated from the models by `make docs`; do not edit.
#
# `#key = value` is a key that is not set here: the value is its default, or an example where the
# text says "no default". Copy what you need to syncd.toml and try it with `syncd check`.
#
# A value can also come from a variable, SYNCD_CAMPAIGNS__WELCOME__TOKEN=…, or from a secret file,
# /run/secrets/campaigns__welcome__token: see docs/reference/configuration.md.
"""

Kinds = Mapping[str, type[BaseModel]]


def example(kinds: Kinds) -> str:
    """config.example.toml, with the options of each kind of source (kind ▶ model of options)."""
    parts = [_HEAD]
    for section, info in Settings.model_fields.items():
        item = item_of(info.annotation)
        model = model_of(item if item is not None else info.annotation)
        assert model is not None, "every section is a table"
        path = (section, str(_sample(info))) if item is not None else (section,)
        if model is SourceSettings:
            parts += _sources(path, kinds)
        elif model is SuppressionSettings:
            # A list that is not meant would bar everybody: it is there to copy.
            parts.append("\n".join(map(_commented, _table(path, model, section))))
        else:
            parts.append("\n".join(_table(path, model, section)))
    return "\n\n".join(parts) + "\n"


def starter(kind: str, kinds: Kinds) -> str:
    """The short file that `syncd init` writes: a first real campaign, ready but for its names."""
    model = kinds.get(kind)
    required = _required(model) if model is not None else {}
    options = "".join(f"{key} = {write(value)}\n" for key, value in required.items())
    return f"""\
# Try this file with `syncd check`; `syncd config example` shows every key.
[campaigns.welcome]
base_url = "https://app.aimylogic.com"   # or https://app.jaicp.com, or your own installation
token_file = "welcome.token"             # holds the campaign's token and nothing else; chmod 600

[sources.crm]
kind = "{kind}"
{options}
[syncs.crm-leads]
source = "crm"
campaign = "welcome"
every = "5m"

[syncs.crm-leads.map]
key = "id"                               # the column that tells one lead from another
phone = "phone"
default_region = "GB"                    # the country of numbers that are written without one
payload = {{ name = "{{name}}" }}            # what the call script gets
"""


def _required(model: type[BaseModel]) -> dict[str, Any]:
    found = ((name, info) for name, info in model.model_fields.items() if info.is_required())
    return {name: _sample(info) for name, info in found}


def _commented(line: str) -> str:
    return line if line.startswith("#") else f"#{line}"


def _sources(path: tuple[str, ...], kinds: Kinds) -> Iterator[str]:
    """One table for each kind: the first is what the sync reads, the others are comments."""
    for number, (kind, model) in enumerate(kinds.items()):
        here = path if number == 0 else (path[0], f"{path[1]}-{kind}")
        head = [*_comment(str(SourceSettings.__doc__)), f"[{dotted(here)}]"]
        head += [*_comment("The kind of source."), f"kind = {write(kind)}"]
        lines = [*head, *_keys(model, "options")]
        if number:
            lines = [_commented(line) for line in lines]
        yield "\n".join(lines)


def _table(path: tuple[str, ...], model: type[BaseModel], section: str) -> Iterator[str]:
    """A table and those inside it, each with its meaning above its name."""
    yield from _comment(str(model.__doc__).splitlines()[0])
    yield f"[{dotted(path)}]"
    yield from _keys(model, section)
    for name, info in model.model_fields.items():
        inner = model_of(info.annotation)
        if inner is not None:
            yield ""
            yield from _table((*path, name), inner, name)
        elif item_of(info.annotation) is not None:
            yield ""
            yield from _comment(str(info.description))
            yield f"[{dotted((*path, name))}]"
            yield from (f"{dotted([key])} = {write(item)}" for key, item in _sample(info).items())


def _keys(model: type[BaseModel], section: str) -> Iterator[str]:
    for name, info in model.model_fields.items():
        if model_of(info.annotation) is not None or item_of(info.annotation) is not None:
            continue
        default = info.get_default(call_default_factory=True, validated_data={})
        bare = info.is_required() or default is None
        yield from _comment(f"{info.description}{' No default.' if bare else ''}")
        value = _sample(info) if bare or (section, name) in SET else default
        is_set = (info.is_required() and name != "token") or (section, name) in SET
        yield f"{'' if is_set else '#'}{dotted([name])} = {write(value)}"


def _sample(info: FieldInfo) -> Any:
    """The first example of a field; a field without one shows its default, or a text."""
    if info.examples:
        return info.examples[0]
    default = (
        None
        if info.is_required()
        else info.get_default(call_default_factory=True, validated_data={})
    )
    return default if default is not None else UNKNOWN


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )
