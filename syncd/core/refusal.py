"""How a reader of one value says no.

`BadValue` never leaves the core: the mapping makes a rejection of it (a value of a record) or a
`ConfigError` (a constant of the configuration). Its text must never hold the value itself.
"""

from __future__ import annotations


class BadValue(ValueError):
    """A value breaks a rule; `why` says which, `reason` is its stable code."""

    def __init__(self, why: str, *, reason: str = "value_invalid") -> None:
        super().__init__(why)
        self.why = why
        self.reason = reason
