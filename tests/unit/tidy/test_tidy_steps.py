"""No commit and no request goes without a name of its own: a crash test kills syncd at each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.crash.steps import Found, found, look
from tests.crash.stories import BOTH, ONLY_ON, STORIES, UNREACHED


def test_every_commit_and_request_is_a_named_step() -> None:
    """In `ledger/`, `engine/` and the client's one place of sending."""
    assert found().nameless == []


def test_every_step_has_one_place() -> None:
    """A kill at a step is a kill at one line: no name is used twice."""
    steps = found().steps
    assert len(steps) > 60
    assert [name for name, places in steps.items() if places > 1] == []
    assert [name for name in steps if not re.fullmatch(r"[a-z]+(\.[a-z_]+)", name)] == []


def test_a_story_is_told_for_every_step() -> None:
    """What the crash test walks is what the source has; the rest is told, with its reason."""
    shown = {step for one in STORIES.values() for step in one.shows}
    assert sorted(found().steps) == sorted(shown | set(UNREACHED))
    assert shown.isdisjoint(UNREACHED)
    for ledger in BOTH:
        told = [one for one in STORIES.values() if ledger in one.ledgers]
        here = {step for one in told for step in one.shown_on(ledger)}
        assert here == {step for step in shown if ONLY_ON.get(step, ledger) == ledger}


@pytest.mark.parametrize(
    "nameless",
    [
        "with store.write() as tx: pass",
        "with self._store.write(name) as tx: pass",
        "with engine.begin() as tx: pass",
        "told = campaign.client.status()",
        "ask_by_ids(campaign.client.job_reports, ids)",
        "vendor = campaign.client",
        "transport.handle_request(request)",
        "reached('a.b', 'before')",
    ],
)
def test_a_step_without_a_name_is_seen(nameless: str) -> None:
    """Each way to commit or ask that a hurried hand may write is told."""
    seen = Found()
    look(nameless, Path("new.py"), seen)
    assert len(seen.nameless) == 1


def test_a_named_step_is_seen() -> None:
    """A commit and a request, each with its name."""
    seen = Found()
    look("with store.write('a.b') as tx: named('c.d', campaign.client.status)()", Path("x"), seen)
    assert (dict(seen.steps), seen.nameless) == ({"a.b": 1, "c.d": 1}, [])
