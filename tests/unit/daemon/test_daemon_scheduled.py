"""A scheduled pass outlives bugs and trouble, rests when a campaign is down, and knows a loss."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from syncd.clock import ManualClock
from syncd.daemon.scheduled import ScheduledPass
from syncd.engine.passes import PassResult, Tools
from syncd.errors import Halted, HeldElsewhere, LedgerError, SyncdError, Transient
from tests.unit.daemon.conftest import Lines

HALTED = Halted("unknown token")


def ended(outcome: str = "done", error: SyncdError | None = None, **counts: int) -> PassResult:
    """How a pass ended."""
    return PassResult("submit", "welcome", outcome, counts, error)


class Acts:
    """A pass that does as told, and counts how often it ran."""

    def __init__(self, tools: Tools, act: Callable[[], PassResult], *, rests: bool = True) -> None:
        self.act = act
        self.runs = 0
        self.lost: list[LedgerError] = []
        self.done: list[PassResult] = []
        self.has_work = True
        self.call = ScheduledPass(
            "submit",
            "welcome",
            tools,
            run=self._run,
            on_lost=self.lost.append,
            has_work=lambda: self.has_work,
            rests=rests,
            on_done=self.done.append,
        )

    def _run(self) -> PassResult:
        self.runs += 1
        return self.act()


def fails(error: BaseException) -> Callable[[], PassResult]:
    """A pass that raises."""

    def act() -> PassResult:
        raise error

    return act


def later(clock: ManualClock, seconds: float) -> None:
    """Move the clock."""
    clock.set(clock.now() + timedelta(seconds=seconds))


def test_without_work_nothing_runs(tools: Tools) -> None:
    """An idle daemon does not even begin a pass: it writes nothing."""
    acts = Acts(tools, ended)
    acts.has_work = False
    acts.call()
    assert acts.runs == 0
    assert tools.ledger.last_passes() == []


def test_after_a_stop_nothing_runs(tools: Tools) -> None:
    """A pass that was queued when the stop came does not begin."""
    acts = Acts(tools, ended)
    tools.stop.set()
    acts.call()
    assert acts.runs == 0


def test_a_good_end_is_told(tools: Tools) -> None:
    """Whoever waits for the result gets it, and the next time is not skipped."""
    acts = Acts(tools, lambda: ended(answered=3))
    acts.call()
    acts.call()
    assert [result.counts for result in acts.done] == [{"answered": 3}] * 2


@pytest.mark.parametrize(
    "act",
    [
        lambda: ended("halted", HALTED),
        lambda: ended("retry", Transient("asked to wait")),
        lambda: ended(sealed=500, not_sent=500),
        lambda: ended(sealed=500, in_doubt=500),
        fails(Transient("the connection to the ledger's database was lost")),
        fails(ZeroDivisionError("a bug")),
    ],
)
def test_trouble_is_followed_by_a_rest(
    tools: Tools, clock: ManualClock, act: Callable[[], PassResult]
) -> None:
    """A campaign that is down is asked ever more rarely, at least each five minutes."""
    acts = Acts(tools, act)
    acts.call()
    acts.call()
    assert acts.runs == 1
    for _ in range(20):
        later(clock, 300)
        acts.call()
    assert acts.runs == 21
    later(clock, 149)
    acts.call()
    assert acts.runs == 21


def test_some_answers_are_no_trouble(tools: Tools) -> None:
    """One batch without an answer among others that have one is settled by reconcile, not here."""
    acts = Acts(tools, lambda: ended(in_doubt=500, answered=500))
    acts.call()
    acts.call()
    assert acts.runs == 2


def test_a_good_end_forgets_the_trouble(tools: Tools, clock: ManualClock) -> None:
    """After a success the rests begin short again."""
    acts = Acts(tools, lambda: ended("retry", Transient("no")))
    for _ in range(10):
        later(clock, 300)
        acts.call()
    later(clock, 300)
    acts.act = ended
    acts.call()
    acts.act = lambda: ended("retry", Transient("no"))
    acts.call()
    runs = acts.runs
    later(clock, 4)
    acts.call()
    assert acts.runs == runs + 1


def test_a_poll_keeps_its_times(tools: Tools) -> None:
    """The operator's schedule holds whatever the source does."""
    acts = Acts(tools, lambda: ended("retry", Transient("no file")), rests=False)
    acts.call()
    acts.call()
    assert acts.runs == 2


@pytest.mark.parametrize("bug", [ZeroDivisionError("a bug"), SystemExit(1), AssertionError()])
def test_a_bug_is_told_once_with_its_traceback(
    tools: Tools, lines: Lines, clock: ManualClock, bug: BaseException
) -> None:
    """The same bug again is one line; the pass goes on being called."""
    acts = Acts(tools, fails(bug))
    acts.call()
    later(clock, 300)
    bug.args = ("another message",)  # as one with the address of an object
    acts.call()
    told = [line for line in lines() if line["event"] == "pass.failed"]
    assert [(line["level"], line["error"], line["again"]) for line in told] == [
        ("error", type(bug).__name__, False),
        ("error", type(bug).__name__, True),
    ]
    assert ["Traceback" in line.get("exception", "") for line in told] == [True, False]
    assert acts.lost == []


@pytest.mark.parametrize("way", ["raised", "as a result"])
def test_a_lost_ledger_is_told_at_once(tools: Tools, way: str) -> None:
    """A failure of the ledger is no trouble of this pass: the whole daemon has to know."""
    error = LedgerError("the ledger's database failed: disk full")
    acts = Acts(tools, fails(error) if way == "raised" else lambda: ended("config", error))
    acts.call()
    assert acts.lost == [error]
    assert acts.done == []


def test_a_deleted_ledger_is_seen_before_a_pass(tools: Tools) -> None:
    """Writes to a deleted file would succeed: the file is looked at first, and nothing runs."""
    acts = Acts(tools, ended)
    assert tools.ledger.file is not None
    tools.ledger.file.unlink()
    acts.call()
    assert acts.runs == 0
    assert "deleted or replaced" in str(acts.lost[0])


def test_what_another_instance_does_is_left_to_it(tools: Tools, lines: Lines) -> None:
    """It is no trouble: there is no rest, and one line at debug level."""
    acts = Acts(tools, fails(HeldElsewhere("another instance is at work")))
    acts.call()
    acts.call()
    assert (acts.runs, acts.lost, acts.done) == (2, [], [])
    assert {(line["event"], line["level"]) for line in lines()} == {("pass.left", "debug")}
