"""When to try again: full jitter over a bounded exponential, never earlier than asked."""

from __future__ import annotations

from datetime import datetime, timedelta

BASE_S = 2.0
CAP_S = 300.0
#: 2 s doubled more often than this is past the cap anyway; the bound keeps the power small.
DOUBLINGS_MAX = 8


def delay_s(tries: int, *, jitter: float, retry_after_s: float | None = None) -> float:
    """Seconds to wait after the `tries`-th failure in a row.

    Args:
        tries: how often it failed, from 1.
        jitter: a number in [0, 1) from the caller's randomness.
        retry_after_s: what the server asked for; the wait is never shorter.
    """
    assert tries >= 1
    assert 0.0 <= jitter < 1.0
    ceiling = min(CAP_S, BASE_S * 2.0 ** min(tries, DOUBLINGS_MAX))
    return max(ceiling * jitter, retry_after_s or 0.0)


def next_try_at(
    now: datetime, tries: int, *, jitter: float, retry_after_s: float | None = None
) -> datetime:
    """The instant before which the next try must not start."""
    return now + timedelta(seconds=delay_s(tries, jitter=jitter, retry_after_s=retry_after_s))
