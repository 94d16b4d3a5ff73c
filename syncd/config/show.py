"""What `syncd config show` prints: each resolved value, where it stands, and no secret.

A token is shown as a mask and a short fingerprint, so that two machines can be compared. A password
has no fingerprint: it is short enough to be found by trying.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretStr

from syncd.config.load import DEFAULT_ORIGIN, Loaded
from syncd.config.paths import Path, dotted, item_of, model_of, types_of
from syncd.config.settings import Settings, SourceSettings
from syncd.config.toml import plain

MASK = "********"
Kinds = Mapping[str, type[BaseModel]]  #: kind ▶ its model of options

_SECRET_KEY = re.compile(r"(?i)(^|_)(token|password|passwd|secret|authorization|api_?key|key)$")
_FINGERPRINT_DIGITS = 8


@dataclass(frozen=True, slots=True)
class ShownValue:
    """One value as it may be shown: `value` is what JSON knows, `origin` says where it stands."""

    path: str
    value: object
    origin: str


def fingerprint(secret: str) -> str:
    """The first 8 hex digits of SHA-256: tells two tokens apart, gives none away."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()[:_FINGERPRINT_DIGITS]


def describe(loaded: Loaded, kinds: Kinds | None = None) -> list[ShownValue]:
    """All values that are set or have a default, in the order of the models."""
    return [
        ShownValue(dotted(path), _masked(path, value), _origin(path, loaded.origins))
        for path, value in _walk(loaded.settings, Settings, (), kinds or {})
        if value is not None
    ]


def secret_values(loaded: Loaded, kinds: Kinds | None = None) -> list[str]:
    """All that a log must never hold, for `Redactor.add`: tokens, passwords, secret options."""
    found: list[str] = []
    for path, value in _walk(loaded.settings, Settings, (), kinds or {}):
        if isinstance(value, SecretStr):
            found.append(value.get_secret_value())
        elif isinstance(value, str) and _is_secret_option(path):
            found.append(value)
        elif isinstance(value, str) and (password := _password(value)):
            found += [password, unquote(password)]
    return list(dict.fromkeys(found))


def _walk(value: Any, annotation: Any, path: Path, kinds: Kinds) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, SourceSettings):
        yield (*path, "kind"), value.kind
        yield from _options(value, path, kinds)
    elif isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield from _walk(getattr(value, name), info.annotation, (*path, name), kinds)
    elif isinstance(value, dict) and item_of(annotation) is not None:
        for name, item in value.items():
            inner = item_of(annotation) if model_of(item_of(annotation)) else None
            yield from _walk(item, inner, (*path, name), kinds)
    else:
        yield path, value


def _options(source: SourceSettings, path: Path, kinds: Kinds) -> Iterator[tuple[Path, Any]]:
    """The options that were given, and the defaults of the kind where it is known."""
    fields = kinds[source.kind].model_fields if source.kind in kinds else {}
    for name, info in fields.items():
        default = info.get_default(call_default_factory=True, validated_data={})
        value = source.options.get(name, default)
        secret = isinstance(value, str) and SecretStr in types_of(info.annotation)
        yield (*path, name), SecretStr(value) if secret else value
    for name, given in source.options.items():
        if name not in fields:
            yield (*path, name), given


def _is_secret_option(path: Path) -> bool:
    return path[0] == "sources" and bool(_SECRET_KEY.search(path[-1]))


def _password(text: str) -> str | None:
    try:
        return urlsplit(text).password if "://" in text else None
    except ValueError:
        return None


def _masked(path: Path, value: Any) -> object:
    if isinstance(value, SecretStr):
        return f"{MASK} (sha256 {fingerprint(value.get_secret_value())})"
    if _is_secret_option(path):
        return MASK
    if isinstance(value, str) and (password := _password(value)):
        return value.replace(f":{password}@", f":{MASK}@")
    return plain(value)


def _origin(path: Path, origins: Mapping[str, str]) -> str:
    """Where a value stands; of a table, where the first of its values stands."""
    key = dotted(path)
    inside = (place for known, place in origins.items() if known.startswith(f"{key}."))
    return origins.get(key) or next(inside, DEFAULT_ORIGIN)
