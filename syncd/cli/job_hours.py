"""The material of a call job's zone and hours: what they were worked out from, and what they mean.

Read from what the ledger keeps: what was decided then, not what would be decided now.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from syncd.clock import from_ms
from syncd.core.call_job import JobState
from syncd.core.call_window import whole_item
from syncd.core.fields import GMT_ZONE
from syncd.core.hours.sent import anchor_of, read_sent
from syncd.ledger.history import JobHistory

_PURGED = "{}"
#: A call can still be made.
OPEN = frozenset({JobState.STAGED, JobState.SEALED, JobState.ACCEPTED})


def item_of(history: JobHistory) -> str:
    """The whole item of `addPhones`, as it is sent: the content, and zone and hours.

    Of a purged or erased job nothing is left of either.
    """
    body, window = history.job["body"], history.window
    if window is None or body == _PURGED:
        return str(body)
    return whole_item(body.encode(), window["fields"].encode()).decode()


def window_data(history: JobHistory, item: str, now: datetime) -> dict[str, Any]:
    """Zone and hours of a call job, as `explain` tells them.

    `fields` and `basis` are what was stored; both are empty where all was in the body. `next_at` is
    the next instant that may be called in, None where there is none, or where the campaign decides.
    """
    window = history.window or {"fields": "", "basis": "{}", "made_at": history.job["created_at"]}
    told = orjson.loads(item)
    basis = orjson.loads(window["basis"])
    sent = read_sent(told)
    zone, is_open = told.get(GMT_ZONE), history.job["state"] in OPEN
    return {
        "fields": orjson.loads(f"{{{window['fields']}}}"),
        "basis": basis,
        "made_at": from_ms(window["made_at"]),
        "gmt_zone": zone,
        "anchor": None if zone is None else anchor_of(zone, candidates(basis), now),
        "next_at": sent.next_at(now) if sent is not None and is_open else None,
    }


def candidates(basis: Mapping[str, Any]) -> list[str]:
    """The zones that the hours suit: all, or those that the sync settles for."""
    settled = basis.get("settled_for")
    return settled if isinstance(settled, list) else basis.get("zones", [])
