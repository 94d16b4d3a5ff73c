"""The tally of a pass: every sending is counted, and what one of them raised comes out after."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncd.clock import ManualClock
from syncd.engine.breaker import FAILURES_IN_A_ROW_MAX
from syncd.engine.passes import Pass, Tools
from syncd.engine.sending import Outcome, Sent
from syncd.engine.tally import Tally
from syncd.errors import Halted, LedgerError
from syncd.ledger.ledger import Ledger
from tests.ledgers import new_ledger, sqlite_url

ANSWERED = Sent(Outcome.ANSWERED, Counter(answered=2))
DOUBT = Sent(Outcome.IN_DOUBT, Counter(in_doubt=2))
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = new_ledger(sqlite_url(tmp_path / "syncd.db"))
    yield opened
    opened.close()


def new_tally(ledger: Ledger, seen: list[Counter[str]] | None = None) -> tuple[Tally, Counter[str]]:
    """The tally of a pass that begins now."""
    tools = Tools(ledger, ManualClock(NOW), threading.Event(), random.Random(1))
    running = Pass("submit", "welcome", 1, tools)
    running.failures = ledger.campaign_state("welcome").failures
    return Tally(running, seen.append if seen is not None else None), running.counts


def ended(value: Sent | Exception) -> Callable[[], Sent]:
    """What recording a sending gives, or raises."""

    def recorded() -> Sent:
        if isinstance(value, Exception):
            raise value
        return value

    return recorded


def test_failures_in_a_row_ask_for_a_rest(ledger: Ledger) -> None:
    """An answer begins the count anew."""
    tally, counts = new_tally(ledger)
    for _ in range(FAILURES_IN_A_ROW_MAX - 1):
        tally.note(DOUBT)
    tally.note(ANSWERED)
    for _ in range(FAILURES_IN_A_ROW_MAX - 1):
        tally.note(DOUBT)
    assert not tally.needs_rest
    tally.note(DOUBT)
    assert tally.needs_rest
    assert counts == {"answered": 2, "in_doubt": 2 * (2 * FAILURES_IN_A_ROW_MAX - 1)}


def test_failures_add_up_over_passes(ledger: Ledger) -> None:
    """The breaker opens for longer each time, and the first batch after it goes alone."""
    waits = []
    for failures in range(1, FAILURES_IN_A_ROW_MAX + 4):
        tally, _ = new_tally(ledger)
        assert tally.one_at_a_time is (failures > FAILURES_IN_A_ROW_MAX)
        tally.note(DOUBT)
        state = ledger.campaign_state("welcome")
        assert (state.failures, tally.needs_rest) == (failures, failures >= FAILURES_IN_A_ROW_MAX)
        waits.append(state.open_until)
    assert waits[: FAILURES_IN_A_ROW_MAX - 1] == [None] * (FAILURES_IN_A_ROW_MAX - 1)
    late = [until - NOW for until in waits if until is not None]
    assert len(late) == 4
    assert all(timedelta(0) <= wait < timedelta(minutes=5) for wait in late)
    tally, _ = new_tally(ledger)
    tally.note(ANSWERED)
    state = ledger.campaign_state("welcome")
    assert (state.failures, state.open_until, tally.one_at_a_time) == (0, None, False)


def test_an_answer_on_a_good_day_writes_nothing(ledger: Ledger) -> None:
    """The breaker costs no commit while all goes well."""
    tally, _ = new_tally(ledger)
    ledger.close()
    tally.note(ANSWERED)
    assert not tally.needs_rest


def test_one_wait_of_the_vendor_asks_for_a_rest(ledger: Ledger) -> None:
    """Whatever is answered after it."""
    tally, _ = new_tally(ledger)
    tally.note(Sent(Outcome.IN_DOUBT, Counter(in_doubt=2), must_wait=True))
    tally.note(ANSWERED)
    assert tally.needs_rest


@pytest.mark.parametrize("error", [Halted("stopped"), LedgerError("no room"), KeyError("bug")])
def test_all_are_counted_before_an_error_goes_up(ledger: Ledger, error: Exception) -> None:
    """What others brought home stands in the counts, and the caller was told."""
    seen: list[Counter[str]] = []
    tally, counts = new_tally(ledger, seen)
    bad = error if not isinstance(error, Halted) else Sent(Outcome.REFUSED, Counter(), halted=error)
    with pytest.raises(type(error)):
        tally.add([ended(ANSWERED), ended(bad), ended(ANSWERED)])
    assert counts["answered"] == 4
    assert sum((jobs for jobs in seen), Counter()) == {"answered": 4}


def test_a_halt_of_one_sending_goes_up_after_its_count(ledger: Ledger) -> None:
    """As reconcile counts."""
    tally, counts = new_tally(ledger)
    with pytest.raises(Halted):
        tally.note(Sent(Outcome.REFUSED, Counter(restaged=2), halted=Halted("stopped")))
    assert counts == {"restaged": 2}
