"""When a call job may be made: its zone and its permitted hours, as they are sent, and why.

A window is worked out once for all call jobs that share zones, hours and days, so it is a value of
its own: a job has its content and a window, and both together are what is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

_DIGEST_BYTES = 16
_JSON = orjson.OPT_SORT_KEYS


@dataclass(frozen=True, slots=True, eq=False)
class CallWindow:
    """The vendor's fields of a zone and its hours. Two are the same when their digests are."""

    fields: bytes  #: JSON members: `"gmtZone":"+03:00",…`; empty when none is sent
    basis: bytes  #: JSON: what it was worked out from
    gmt_zone: str | None = None
    held: str | None = None  #: why the call must wait; None: it may be sent
    finish_at: datetime | None = None  #: the end of its slice, where days are sent one by one
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """The digest of all that the ledger keeps of it."""
        parts = b"\0".join((self.fields, self.basis))
        digest = hashlib.blake2b(parts, digest_size=_DIGEST_BYTES).hexdigest()
        object.__setattr__(self, "digest", digest)


def window_of(
    fields: Mapping[str, Any],
    basis: Mapping[str, Any],
    *,
    gmt_zone: str | None = None,
    held: str | None = None,
    finish_at: datetime | None = None,
) -> CallWindow:
    """The window that sends these fields. `fields` in the order in which they are sent."""
    sent = orjson.dumps(fields)[1:-1]
    return CallWindow(sent, dumped(basis), gmt_zone, held, finish_at)


def dumped(basis: Mapping[str, Any]) -> bytes:
    """What a window was worked out from, as the ledger keeps it: the same is the same text."""
    return orjson.dumps(basis, option=_JSON)


def whole_item(body: bytes, fields: bytes) -> bytes:
    """The item of `addPhones`: a job's content, a JSON object that is not empty, and a window."""
    return body[:-1] + b"," + fields + b"}" if fields else body


def iso(at: datetime) -> str:
    """An instant of UTC as it is sent, to the second."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
