"""Writes single values as TOML; reading is `tomllib`'s."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, SecretStr

from syncd.config.paths import dotted
from syncd.config.values import format_duration


def plain(value: Any) -> Any:
    """A value of the configuration as TOML and JSON know it: a duration is a text."""
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, SecretStr):
        return str(value)
    return value if isinstance(value, (bool, int, float)) or value is None else str(value)


def write(value: Any) -> str:
    """A value on one line; tables inline. None has no form in TOML and may not be given."""
    value = plain(value)
    assert value is not None, "TOML has no null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(write, value))}]"
    if isinstance(value, dict):
        inner = ", ".join(f"{dotted([key])} = {write(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
