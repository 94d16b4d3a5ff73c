"""What a changed row does to the calls of its lead, and when a watched column has changed."""

from __future__ import annotations

import pytest

from syncd.core.call_job import JobState
from syncd.core.call_policy import ChangeStep, OnChange, decide_change
from syncd.core.watching import Watcher
from syncd.errors import ConfigError

KEEP, ADD, REPLACE = ChangeStep.KEEP, ChangeStep.ADD, ChangeStep.REPLACE
#: State ▶ the step under cancel_and_readd, and under call_again.
STEPS = {
    JobState.HELD: (REPLACE, REPLACE),
    JobState.STAGED: (REPLACE, REPLACE),
    JobState.SEALED: (ChangeStep.CANCEL, ChangeStep.RECORD),
    JobState.ACCEPTED: (ChangeStep.CANCEL, ChangeStep.RECORD),
    JobState.CLOSED: (KEEP, ADD),
    JobState.REFUSED: (ADD, ADD),
    JobState.EXPIRED: (ADD, ADD),
    JobState.DUPLICATE: (ADD, ADD),
    JobState.PARKED: (KEEP, KEEP),
    JobState.CANCELLED: (KEEP, KEEP),
}


@pytest.mark.parametrize("state", list(JobState))
def test_each_state_has_its_step(state: JobState) -> None:
    """Nobody who was called is called again unless the sync says so, and nobody twice at once."""
    readd, again = STEPS[state]
    told = [
        decide_change(on_change, state, None, same_content=False)
        for on_change in (OnChange.IGNORE, OnChange.CANCEL_AND_READD, OnChange.CALL_AGAIN)
    ]
    assert told == [KEEP, readd, again]


@pytest.mark.parametrize("state", [*JobState])
@pytest.mark.parametrize("on_change", [OnChange.CANCEL_AND_READD, OnChange.IGNORE])
def test_the_same_content_changes_nothing(state: JobState, on_change: OnChange) -> None:
    """A call that would be made with the same words is that call."""
    assert decide_change(on_change, state, None, same_content=True) is KEEP


@pytest.mark.parametrize(
    ("reason", "readd", "again"),
    [
        ("suppressed", ADD, ADD),
        ("left_source", ADD, ADD),
        ("called_already", KEEP, ADD),
        ("cancelled by a person", KEEP, KEEP),
    ],
)
def test_a_person_s_word_outlives_a_change(
    reason: str, readd: ChangeStep, again: ChangeStep
) -> None:
    """What syncd withdrew by itself may come back; what a person cancelled does not."""
    for on_change, step in ((OnChange.CANCEL_AND_READD, readd), (OnChange.CALL_AGAIN, again)):
        told = decide_change(on_change, JobState.CANCELLED, reason, same_content=False)
        assert told is step


def test_only_watched_columns_change_the_digest() -> None:
    """By what they hold, wherever they stand."""
    watcher = Watcher(["stage", "owner"], ["id", "stage", "owner"])
    before = watcher.digest([1, "new", "ann"])
    assert watcher.digest([2, "new", "ann"]) == before
    assert Watcher(["owner", "stage"], ["owner", "stage"]).digest(["ann", "new"]) == before
    after = watcher.digest([1, "won", "ann"])
    assert -(2**63) <= after < 2**63
    assert watcher.is_change(before, after)
    assert not watcher.is_change(before, before)


def test_other_columns_than_before_prove_nothing() -> None:
    """Nor does a lead of which no digest is kept: both only learn."""
    old, new = Watcher(["name"], ["name", "stage"]), Watcher(["stage"], ["name", "stage"])
    row = ["Ann", "new"]
    assert not new.is_change(old.digest(row), new.digest(row))
    assert not new.is_change(None, new.digest(row))


def test_an_absent_column_is_told() -> None:
    """With the nearest name."""
    with pytest.raises(ConfigError, match='did you mean "stage"'):
        Watcher(["stge"], ["id", "stage"])
