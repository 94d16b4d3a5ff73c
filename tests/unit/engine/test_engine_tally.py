"""The tally of a pass: every sending is counted, and what one of them raised comes out after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest

from syncd.engine.passes import Pass
from syncd.engine.sending import Outcome, Sent
from syncd.engine.tally import FAILURES_IN_A_ROW_MAX, Tally
from syncd.errors import Halted, LedgerError

ANSWERED = Sent(Outcome.ANSWERED, Counter(answered=2))
DOUBT = Sent(Outcome.IN_DOUBT, Counter(in_doubt=2))


def new_tally(seen: list[Counter[str]] | None = None) -> tuple[Tally, Counter[str]]:
    counts: Counter[str] = Counter()
    running = cast("Pass", SimpleNamespace(counts=counts))
    return Tally(running, seen.append if seen is not None else None), counts


def ended(value: Sent | Exception) -> Callable[[], Sent]:
    """What recording a sending gives, or raises."""

    def recorded() -> Sent:
        if isinstance(value, Exception):
            raise value
        return value

    return recorded


def test_failures_in_a_row_ask_for_a_rest() -> None:
    """An answer begins the count anew."""
    tally, counts = new_tally()
    for _ in range(FAILURES_IN_A_ROW_MAX - 1):
        tally.note(DOUBT)
    tally.note(ANSWERED)
    for _ in range(FAILURES_IN_A_ROW_MAX - 1):
        tally.note(DOUBT)
    assert not tally.needs_rest
    tally.note(DOUBT)
    assert tally.needs_rest
    assert counts == {"answered": 2, "in_doubt": 2 * (2 * FAILURES_IN_A_ROW_MAX - 1)}


def test_one_wait_of_the_vendor_asks_for_a_rest() -> None:
    """Whatever is answered after it."""
    tally, _ = new_tally()
    tally.note(Sent(Outcome.IN_DOUBT, Counter(in_doubt=2), must_wait=True))
    tally.note(ANSWERED)
    assert tally.needs_rest


@pytest.mark.parametrize("error", [Halted("stopped"), LedgerError("no room"), KeyError("bug")])
def test_all_are_counted_before_an_error_goes_up(error: Exception) -> None:
    """What others brought home stands in the counts, and the caller was told."""
    seen: list[Counter[str]] = []
    tally, counts = new_tally(seen)
    bad = error if not isinstance(error, Halted) else Sent(Outcome.REFUSED, Counter(), halted=error)
    with pytest.raises(type(error)):
        tally.add([ended(ANSWERED), ended(bad), ended(ANSWERED)])
    assert counts["answered"] == 4
    assert sum((jobs for jobs in seen), Counter()) == {"answered": 4}


def test_a_halt_of_one_sending_goes_up_after_its_count() -> None:
    """As reconcile counts."""
    tally, counts = new_tally()
    with pytest.raises(Halted):
        tally.note(Sent(Outcome.REFUSED, Counter(restaged=2), halted=Halted("stopped")))
    assert counts == {"restaged": 2}
