"""Rows of the fault catalogue about refusals: one bad lead costs one lead, doubt costs nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.clock import to_ms
from syncd.core.refused_list import splits_max
from syncd.engine import reconcile, submit
from syncd.engine.passes import PassResult
from syncd.ledger.moves import By
from syncd.sandbox.faults import Fault
from syncd.sandbox.refusals import RefusalError
from tests.running import phone_of
from tests.worlds import LONG_S, World, new_world, poll_all, refuse, work

LEADS = 16
#: Types of the contract that say what is wrong, and not with whom.
NAMELESS = ["invalid.call.allowed.time", "invalid.dialer_priority", "phone.bad.format"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """16 leads in one list."""
    with new_world(tmp_path, batch_size=LEADS, max_in_flight=1) as made:
        made.write_leads(LEADS)
        yield made


def digits(lead: int) -> str:
    return phone_of(lead).lstrip("+")


def refuse_lists(
    world: World,
    patch: pytest.MonkeyPatch,
    type_: str,
    guilty: Callable[[bytes], bool],
    **told: Any,
) -> None:
    """The vendor refuses every list of which `guilty` says so."""
    add_phones = world.box.book.add_phones

    def stern(token: str, body: bytes, key: str | None) -> Any:
        if guilty(body):
            raise RefusalError(type_, "no", **told)
        return add_phones(token, body, key)

    patch.setattr(world.box.book, "add_phones", stern)


def has(*leads: int) -> Callable[[bytes], bool]:
    """Whether a list has one of these leads."""
    return lambda body: any(f'"{digits(lead)}"'.encode() in body for lead in leads)


def passes(world: World, *, polls: bool = True) -> dict[str, PassResult]:
    """One pass of each kind by a process that is then gone."""
    with world.open(alone=True) as app:
        if polls:
            poll_all(app)
        return work(app)


def release(world: World) -> bool:
    with world.open(alone=True) as app:
        return app.ledger.brake.release("welcome", by=By("cli:release", to_ms(world.clock.now())))


def ended(world: World, state: str) -> dict[str, str]:
    """Phone to reason of the jobs in a state."""
    rows = world.sql(f"SELECT phone, reason FROM call_jobs WHERE state = '{state}'")
    return {str(phone): reason for phone, reason in rows}


# --- E1, E2, E3: bad leads


def test_e1_a_named_phone_costs_one_lead(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One is refused, all others are called, in two requests."""
    refuse_lists(world, monkeypatch, "phone.bad.format", has(3), phone=digits(3))
    told = passes(world)["submit"]
    assert told.counts == {"sealed": 31, "refused": 1, "restaged": 15, "answered": 15}
    assert ended(world, "refused") == {digits(3): "phone.bad.format"}
    assert len(world.sendings) == 2
    assert sum(world.called().values()) == LEADS - 1


def test_e1_a_zone_that_only_some_leads_have_costs_those_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The zones differ, so the lead is at fault."""
    mapping = 'gmtZone = "{zone}"'
    with new_world(tmp_path, mapping=mapping) as world:
        rows = [(n, phone_of(n), "+03:00" if n else "+04:00") for n in range(4)]
        world.write(rows, columns="id,phone,zone")
        refuse_lists(world, monkeypatch, "phone.gmtZone.bad.format", has(0), phone=digits(0))
        passes(world)
        assert ended(world, "refused") == {digits(0): "phone.gmtZone.bad.format"}
        assert world.states() == {"refused": 1, "accepted": 3}


def test_e1_a_zone_that_all_leads_have_holds_the_campaign(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a constant of the mapping: refusing one lead after the other would lose all of them."""
    refuse_lists(world, monkeypatch, "phone.gmtZone.bad.format", has(0), phone=digits(0))
    assert passes(world)["submit"].exit_code == 3
    assert world.states() == {"staged": LEADS}


@pytest.mark.parametrize("bad", [0, 7, LEADS - 1])
@pytest.mark.parametrize("named", ["", "19999999999"])
@pytest.mark.parametrize("type_", [*NAMELESS, "phone.gmtZone.bad.format"])
def test_e2_a_phone_that_is_not_ours_is_no_name_and_the_guilty_lead_is_found_by_halving(
    world: World, monkeypatch: pytest.MonkeyPatch, bad: int, named: str, type_: str
) -> None:
    """One lead is refused, all others are called, within 2·log2(n) + 2 lists."""
    refuse_lists(world, monkeypatch, type_, has(bad), **({"phone": named} if named else {}))
    told = passes(world)["submit"]
    assert (told.outcome, told.exit_code) == ("done", 1)
    assert ended(world, "refused") == {digits(bad): type_}
    assert world.states() == {"refused": 1, "accepted": LEADS - 1}
    assert set(world.called().values()) == {1}
    assert len(world.sendings) == 1 + 2 * 4
    assert len({sending.key for sending in world.sendings}) == len(world.sendings)


def test_e2_a_list_that_is_too_large_goes_in_halves(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """413: nobody is guilty, and everybody is called."""
    add_phones = world.box.book.add_phones

    def narrow(token: str, body: bytes, key: str | None) -> Any:
        if body.count(b'"phone"') > 4:
            raise RefusalError("too.large", "no", status=413)
        return add_phones(token, body, key)

    monkeypatch.setattr(world.box.book, "add_phones", narrow)
    passes(world)
    world.assert_each_once(LEADS)
    assert [sending.body.count(b'"phone"') for sending in world.sendings] == [16, 8, 4, 4, 8, 4, 4]


def test_e2_several_guilty_leads_are_found_while_the_budget_lasts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two neighbours: both are refused. What the budget does not reach is parked, not lost."""
    refuse_lists(world, monkeypatch, NAMELESS[0], has(6, 7))
    passes(world)
    assert set(ended(world, "refused")) == {digits(6), digits(7)}
    assert world.states() == {"refused": 2, "accepted": LEADS - 2}


@pytest.mark.parametrize("in_flight", [1, 4])
def test_e3_a_list_that_is_always_refused_ends_within_its_budget(
    world: World, monkeypatch: pytest.MonkeyPatch, in_flight: int
) -> None:
    """Single leads are refused, the rest is parked with the reason; nothing is sent for ever."""
    world.configure(max_in_flight=in_flight)
    refuse_lists(world, monkeypatch, NAMELESS[0], lambda _: True)
    told = passes(world)["submit"]
    assert told.exit_code == 1
    assert len(world.sendings) == 1 + 2 * splits_max(LEADS) == 1 + 2 * 4 + 2
    states = world.states()
    # With one request at a time the newest half goes first, down to single leads.
    assert set(states) == ({"refused", "parked"} if in_flight == 1 else {"parked"} | set(states))
    assert set(states) <= {"refused", "parked"}
    assert sum(states.values()) == LEADS
    assert {*ended(world, "refused").values(), *ended(world, "parked").values()} == {NAMELESS[0]}
    world.pass_time(LONG_S)
    assert passes(world)["submit"].counts == {}


def test_e3_other_leads_go_on_beside_a_halved_list(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Halves are lists of their own: new leads never share a list with a suspect."""
    refuse_lists(world, monkeypatch, NAMELESS[0], has(5))
    with world.open(alone=True) as app:
        poll_all(app)
        campaign = app.campaign("welcome")
        batch = app.ledger.seal_batch(
            "welcome", phones_max=LEADS, now=world.clock.now(), by=By("submit", 0)
        )
        assert batch is not None
        app.tools.ledger.let_go(batch, next_at=None)
        reconcile.run_once(campaign, app.tools)  # sends it: refused, halved
        assert world.states() == {"staged": LEADS}
        world.write_leads(LEADS + 4)
        poll_all(app)
        submit.run_once(campaign, app.tools)
    mixed = [
        sending.body
        for sending in world.sendings
        if has(*range(LEADS))(sending.body) and has(*range(LEADS, LEADS + 4))(sending.body)
    ]
    assert mixed == []
    assert world.states() == {"refused": 1, "accepted": LEADS + 3}


def test_e3_poison_holds_the_campaign(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three lists in a row that had to be halved: it is no single lead, so nobody else is tried."""
    world.configure(batch_size=2)
    refuse_lists(world, monkeypatch, NAMELESS[0], lambda _: True)
    told = passes(world)["submit"]
    assert (told.outcome, told.exit_code) == ("halted", 3)
    assert world.states() == {"refused": 4, "staged": LEADS - 4}
    assert "3 lists in a row" in str(passes(world)["submit"].error)
    monkeypatch.undo()
    assert release(world)
    passes(world)
    assert world.states() == {"refused": 4, "accepted": LEADS - 4}


def test_e3_a_good_list_between_bad_ones_is_no_poison(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four lists with one bad lead each, never three in a row."""
    world.configure(batch_size=2)
    refuse_lists(world, monkeypatch, NAMELESS[0], has(0, 2, 6, 8))
    told = passes(world)["submit"]
    assert told.outcome == "done"
    assert world.states() == {"refused": 4, "accepted": LEADS - 4}


@pytest.mark.parametrize("failure", ["http_500_after", "http_500", "http_503", "answer_lost"])
def test_e3_a_server_that_fails_is_never_answered_with_halves(
    world: World, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    """It may have made the calls: other keys would make them twice."""
    world.box.faults.add(Fault(failure, path="addPhones"))
    with world.open(alone=True) as app:
        poll_all(app)
        work(app)
        refuse(world, monkeypatch, NAMELESS[0], where='"phone"')
        world.pass_time(LONG_S)
        assert work(app)["reconcile"].counts["in_doubt"] == LEADS
        monkeypatch.undo()
    assert len({sending.key for sending in world.sendings}) == 1
    assert world.sql("SELECT count(*) FROM call_jobs WHERE pen IS NOT NULL") == [(0,)]
