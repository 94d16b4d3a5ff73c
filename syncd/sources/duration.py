"""The type of a length of time in a source's options; how it is written is core's."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

from syncd.core import duration


def _read(value: object) -> object:
    """A text as a timedelta; what is neither, such as a number without a unit, is refused."""
    if isinstance(value, timedelta):
        return value
    try:
        return duration.parse(value if isinstance(value, str) else "")
    except ValueError as error:
        raise ValueError(f"{error}: {duration.HINT}") from None


Duration = Annotated[timedelta, BeforeValidator(_read)]
