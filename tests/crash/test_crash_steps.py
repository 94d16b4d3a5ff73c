"""Kill -9 before and after every commit and every request: the sandbox counts who was called.

Real processes of the real command line, a real ledger, HTTP to the sandbox. In one telling of a
story many processes die, one after another, each at a step of its own; `make kills` has each of
them die alone, at its first, second and third time.
"""

from __future__ import annotations

import pytest

from tests.crash.stories import STORIES
from tests.crash.walk import Stage

#: The steps of everyday, and those that only this kind of ledger has; `make kills` walks the rest.
ON_POSTGRESQL = ("neighbours", "a_daemon")


@pytest.mark.parametrize("name", [s.name for s in STORIES.values() if "sqlite" in s.ledgers])
def test_c1_killed_at_each_step_on_sqlite(on_sqlite: Stage, name: str) -> None:
    """Before and after each step of the story: nobody is called twice, and nobody is lost."""
    story = STORIES[name]
    steps = story.shown_on("sqlite")
    assert len(on_sqlite.tell_with_all(story, steps).fallen) >= 2 * len(steps)


@pytest.mark.parametrize("name", ON_POSTGRESQL)
def test_c1_killed_at_each_step_on_postgresql(on_postgresql: Stage, name: str) -> None:
    """The same beside leases and claims of other instances."""
    story = STORIES[name]
    steps = story.shown_on("postgresql")
    assert len(on_postgresql.tell_with_all(story, steps).fallen) >= 2 * len(steps)
