"""Key paths: how they are written, and which key the name of a variable or secret file means.

`SYNCD_CAMPAIGNS__WELCOME__TOKEN` and the file `campaigns__welcome__token` mean the key
`campaigns.welcome.token`. Names are compared without case and with "-" as "_", so that a sync
called "crm-leads" is reached as `SYNCD_SYNCS__CRM_LEADS__EVERY`. A name can only be one that the
file knows: a typo is refused instead of making a second campaign.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from syncd.config.settings import Settings, SourceSettings
from syncd.core.names import did_you_mean

Path = tuple[str, ...]

SEPARATOR = "__"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_TRUTH = {"true": True, "1": True, "yes": True, "on": True} | {
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


@dataclass(frozen=True, slots=True)
class Key:
    """A key that a name means, and the type of its value (Any where the type is not known here)."""

    path: Path
    annotation: Any


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that means no key."""

    hint: str


def dotted(path: Iterable[str | int]) -> str:
    """A path as TOML writes it: syncs.crm.map; parts with odd characters are quoted."""
    parts = [str(part) for part in path]
    return ".".join(
        part if _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False)
        for part in parts
    )


def folded(name: str) -> str:
    """A name as it is compared in variables and file names."""
    return name.lower().replace("-", "_")


def model_of(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation such as `Map`, `Annotated[…]` or `Map | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {Annotated, Union, UnionType}:
        return next((m for m in map(model_of, get_args(annotation)) if m), None)
    return None


def item_of(annotation: Any) -> Any | None:
    """The type of the items of a `dict[str, …]`, else None."""
    return get_args(annotation)[1] if get_origin(annotation) is dict else None


def resolve(name: str, data: Mapping[str, Any]) -> Key | Unknown:
    """The key that `name` (without its prefix) means, given what the file holds."""
    return _in_model(folded(name), Settings, data, ())


def _match(rest: str, names: Iterable[str]) -> list[str]:
    """The names that `rest` begins with; the longest only, for a name may itself hold "__"."""
    fits = [n for n in names if rest == folded(n) or rest.startswith(folded(n) + SEPARATOR)]
    longest = max((len(n) for n in fits), default=0)
    return [n for n in fits if len(n) == longest]


def _in_model(rest: str, model: type[BaseModel], data: Any, path: Path) -> Key | Unknown:
    data = data if isinstance(data, Mapping) else {}
    fields = {n: f.annotation for n, f in model.model_fields.items()}
    if model is SourceSettings:
        fields = {"kind": fields["kind"]} | dict.fromkeys(data.keys() - {"kind"}, Any)
    found = _match(rest, fields)
    if not found:
        if model is SourceSettings and rest:
            return Key((*path, *rest.split(SEPARATOR)), Any)
        return Unknown(did_you_mean(rest.split(SEPARATOR, maxsplit=1)[0], fields))
    name = found[0]
    below = rest[len(name) + len(SEPARATOR) :]
    here = (*path, name)
    return _below(below, fields[name], data.get(name), here) if below else Key(here, fields[name])


def _below(below: str, annotation: Any, data: Any, here: Path) -> Key | Unknown:
    """What `below` means inside the value at `here`."""
    if inner := model_of(annotation):
        return _in_model(below, inner, data, here)
    item = item_of(annotation)
    if item is not None and model_of(item):
        return _in_names(below, item, data, here)
    if item is not None or annotation is Any:
        return _in_table(below, data, here)
    return Unknown(f"{dotted(here)} has no keys below it")


def _in_names(rest: str, item: Any, data: Any, path: Path) -> Key | Unknown:
    names = list(data) if isinstance(data, Mapping) else []
    found = _match(rest, names)
    if len(found) > 1:
        both = " and ".join(f'"{name}"' for name in found)
        return Unknown(f"{both} cannot be told apart in a variable: rename one")
    model = model_of(item)
    if not found or model is None:
        hint = did_you_mean(rest.split(SEPARATOR, maxsplit=1)[0], names)
        return Unknown(f"{hint} {dotted(path)} takes only names that the file has")
    here = (*path, found[0])
    below = rest[len(found[0]) + len(SEPARATOR) :]
    if not below:
        return Unknown(f"{dotted(here)} is a table: add {SEPARATOR} and a key")
    return _in_model(below, model, data[found[0]], here)


def _in_table(rest: str, data: Any, path: Path) -> Key:
    """A key of a free table: one that is there, whatever its case, else a new one in lower case."""
    found = _match(rest, data) if isinstance(data, Mapping) else []
    if not found:
        return Key((*path, *rest.split(SEPARATOR)), Any)
    below = rest[len(found[0]) + len(SEPARATOR) :]
    here = (*path, found[0])
    return _in_table(below, data[found[0]], here) if below else Key(here, Any)


def types_of(annotation: Any) -> set[Any]:
    """All the types that an annotation is made of."""
    own = {annotation, get_origin(annotation)}
    return own.union(*(types_of(part) for part in get_args(annotation)))


def from_text(text: str, annotation: Any) -> Any:
    """The value that a text of the environment stands for; what it can't be is left a text."""
    types = types_of(annotation)
    if SecretStr in types:
        return text
    if bool in types:
        return _TRUTH.get(text.strip().lower(), text)
    reader: Callable[[str], Any] = str
    if int in types:
        reader = int
    elif float in types:
        reader = float
    elif text[:1] in {"[", "{"} and types & {Any, tuple, list, dict}:
        reader = json.loads
    try:
        return reader(text)
    except (ValueError, RecursionError):
        return text
