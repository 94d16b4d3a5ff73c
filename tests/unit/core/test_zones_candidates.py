"""A chain of steps: the first that names zones wins, and every step asked is evidence."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncd.core.getters import Row
from syncd.core.zones.candidates import Candidates, Chain, Evidence
from syncd.core.zones.tz_tables import Clocks

CLOCKS = Clocks(datetime(2026, 11, 22, tzinfo=UTC))


class Says:
    """A step that always gives the same evidence."""

    name = "column"

    def __init__(self, evidence: Evidence | None) -> None:
        self.evidence = evidence

    def ask(self, record: Row, phone: str) -> Evidence | None:
        return self.evidence


NOTHING = Says(None)
BLANK = Says(Evidence("column", "Narnia", ()))
ONE = Says(Evidence("phone", "+44", ("Europe/London", "Europe/Jersey")))
OTHER = Says(Evidence("default", "+03:00", ("+03:00",)))


def test_the_first_step_with_zones_wins() -> None:
    """Later steps are not asked; zones of one clock are one."""
    chain = Chain([NOTHING, BLANK, ONE, OTHER], CLOCKS)
    assert chain.resolve([], "442079460000") == Candidates(
        ("Europe/London",), (BLANK.evidence, ONE.evidence)
    )


def test_an_answer_is_kept() -> None:
    """The same evidence gives the same object, which makes many numbers cheap."""
    chain = Chain([ONE], CLOCKS)
    assert chain.resolve([], "1") == Candidates(("Europe/London",), (ONE.evidence,))
    assert chain.resolve([], "1") is chain.resolve([], "2")


def test_answers_that_are_kept_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evidence that is new for each record can't fill the memory."""
    monkeypatch.setattr("syncd.core.zones.candidates._MAX_KEPT", 1)
    step = Says(ONE.evidence)
    chain = Chain([step], CLOCKS)
    first = chain.resolve([], "1")
    step.evidence = OTHER.evidence
    assert chain.resolve([], "1").zones == ("+03:00",)
    assert len(chain._kept) == 1
    assert first.zones == ("Europe/London",)


def test_nobody_knows() -> None:
    """Without an answer there are no zones, and the evidence says who was asked."""
    assert Chain([NOTHING, BLANK], CLOCKS).resolve([], "1") == Candidates((), (BLANK.evidence,))


def test_shares_are_told() -> None:
    """What the registry counted comes with the zones, added up for each clock."""
    zones = ("Europe/Moscow", "Asia/Omsk", "Europe/Volgograd")
    told = Evidence("registry", "+7 900", zones, shares=(0.5, 0.25, 0.25))
    assert Chain([Says(told)], CLOCKS).resolve([], "7900") == Candidates(
        ("Europe/Moscow", "Asia/Omsk"), (told,), (0.75, 0.25)
    )
