"""Rows of the fault catalogue about refusals: one bad lead costs one lead, doubt costs nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.clock import to_ms
from syncd.core.refused_batch import splits_max
from syncd.engine import reconcile, submit
from syncd.engine.breaker import FAILURES_IN_A_ROW_MAX
from syncd.engine.passes import PassResult
from syncd.ledger.moves import By
from syncd.ledger.views import LeadFilter
from syncd.sandbox.faults import Fault
from syncd.sandbox.refusals import RefusalError
from tests.running import phone_of
from tests.worlds import LONG_S, World, new_world, poll_all, refuse, settle, work

LEADS = 16
#: Types of the contract that say what is wrong, and not with whom.
NAMELESS = ["invalid.call.allowed.time", "invalid.dialer_priority", "phone.bad.format"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """16 leads in one batch."""
    with new_world(tmp_path, batch_size=LEADS, max_in_flight=1) as made:
        made.write_leads(LEADS)
        yield made


def digits(lead: int) -> str:
    return phone_of(lead).lstrip("+")


def refuse_batches(
    world: World,
    patch: pytest.MonkeyPatch,
    type_: str,
    guilty: Callable[[bytes], bool],
    **told: Any,
) -> None:
    """The vendor refuses every batch of which `guilty` says so."""
    add_phones = world.box.book.add_phones

    def stern(token: str, body: bytes, key: str | None) -> Any:
        if guilty(body):
            raise RefusalError(type_, "no", **told)
        return add_phones(token, body, key)

    patch.setattr(world.box.book, "add_phones", stern)


def has(*leads: int) -> Callable[[bytes], bool]:
    """Whether a batch has one of these leads."""
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
    refuse_batches(world, monkeypatch, "phone.bad.format", has(3), phone=digits(3))
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
        refuse_batches(world, monkeypatch, "phone.gmtZone.bad.format", has(0), phone=digits(0))
        passes(world)
        assert ended(world, "refused") == {digits(0): "phone.gmtZone.bad.format"}
        assert world.states() == {"refused": 1, "accepted": 3}


def test_e1_a_zone_that_all_leads_have_holds_the_campaign(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a constant of the mapping: refusing one lead after the other would lose all of them."""
    refuse_batches(world, monkeypatch, "phone.gmtZone.bad.format", has(0), phone=digits(0))
    assert passes(world)["submit"].exit_code == 3
    assert world.states() == {"staged": LEADS}


@pytest.mark.parametrize("bad", [0, 7, LEADS - 1])
@pytest.mark.parametrize("named", ["", "19999999999"])
@pytest.mark.parametrize("type_", [*NAMELESS, "phone.gmtZone.bad.format"])
def test_e2_a_phone_that_is_not_ours_is_no_name_and_the_guilty_lead_is_found_by_halving(
    world: World, monkeypatch: pytest.MonkeyPatch, bad: int, named: str, type_: str
) -> None:
    """One lead is refused, all others are called, within 2·log2(n) + 2 batches."""
    refuse_batches(world, monkeypatch, type_, has(bad), **({"phone": named} if named else {}))
    told = passes(world)["submit"]
    assert (told.outcome, told.exit_code) == ("done", 1)
    assert ended(world, "refused") == {digits(bad): type_}
    assert world.states() == {"refused": 1, "accepted": LEADS - 1}
    assert set(world.called().values()) == {1}
    assert len(world.sendings) == 1 + 2 * 4
    assert len({sending.key for sending in world.sendings}) == len(world.sendings)


def test_e2_a_batch_that_is_too_large_goes_in_halves(
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
    refuse_batches(world, monkeypatch, NAMELESS[0], has(6, 7))
    passes(world)
    assert set(ended(world, "refused")) == {digits(6), digits(7)}
    assert world.states() == {"refused": 2, "accepted": LEADS - 2}


@pytest.mark.parametrize("in_flight", [1, 4])
def test_e3_a_batch_that_is_always_refused_ends_within_its_budget(
    world: World, monkeypatch: pytest.MonkeyPatch, in_flight: int
) -> None:
    """Single leads are refused, the rest is parked with the reason; nothing is sent for ever."""
    world.configure(max_in_flight=in_flight)
    refuse_batches(world, monkeypatch, NAMELESS[0], lambda _: True)
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


def test_e3_other_leads_go_on_beside_a_halved_batch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Halves are batches of their own: new leads never share a batch with a suspect."""
    refuse_batches(world, monkeypatch, NAMELESS[0], has(5))
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
    """Three batches in a row had to be halved: it is no single lead, so nobody else is tried."""
    world.configure(batch_size=2)
    refuse_batches(world, monkeypatch, NAMELESS[0], lambda _: True)
    told = passes(world)["submit"]
    assert (told.outcome, told.exit_code) == ("halted", 3)
    assert world.states() == {"refused": 4, "staged": LEADS - 4}
    assert "3 batches in a row" in str(passes(world)["submit"].error)
    monkeypatch.undo()
    assert release(world)
    passes(world)
    assert world.states() == {"refused": 4, "accepted": LEADS - 4}


def test_e3_a_good_batch_between_bad_ones_is_no_poison(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four batches with one bad lead each, never three in a row."""
    world.configure(batch_size=2)
    refuse_batches(world, monkeypatch, NAMELESS[0], has(0, 2, 6, 8))
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


# --- E4: calls that the vendor had from elsewhere


@pytest.mark.parametrize("named", ["phone", "phonesDuplicates"])
def test_e4_a_duplicate_of_the_vendor_s_is_not_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """The named lead ends, the others are called, and nobody is called twice."""
    add_by_hand(world, 5)
    value = digits(5) if named == "phone" else [digits(5)]
    refuse_batches(world, monkeypatch, "phone.duplicated", has(5), **{named: value})
    told = passes(world)["submit"]
    assert (told.outcome, told.exit_code) == ("done", 0)
    assert world.states() == {"duplicate": 1, "accepted": LEADS - 1}
    assert ended(world, "duplicate") == {digits(5): "phone.duplicated"}
    world.pass_time(LONG_S)
    assert passes(world)["submit"].counts == {}
    assert set(world.called().values()) == {1}


def test_e4_a_duplicate_that_nobody_names_is_found_by_halving(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends as a duplicate, not as refused: its phone has a call."""
    add_by_hand(world, 5)
    refuse_batches(world, monkeypatch, "phone.duplicated", has(5))
    passes(world)
    assert ended(world, "duplicate") == {digits(5): "phone.duplicated"}
    assert world.states() == {"duplicate": 1, "accepted": LEADS - 1}
    assert set(world.called().values()) == {1}


def test_e4_the_call_of_a_duplicate_is_found_by_its_phone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call: its ID and its outcome stand with the job, which stays a duplicate. Asked once."""
    add_by_hand(world, 5, 6, 6)
    refuse_batches(
        world,
        monkeypatch,
        "phone.duplicated",
        has(5, 6, 7),
        phonesDuplicates=[digits(5), digits(6), digits(7)],
    )
    passes(world)
    assert world.states() == {"duplicate": 3, "accepted": LEADS - 3}
    world.pass_time(LONG_S)
    told = passes(world, polls=False)["reconcile"]
    assert (told.counts["found"], told.exit_code) == (1, 0)
    ids = {job.phone.lstrip("+"): str(job.id) for job in world.box.jobs()}
    rows = world.sql("SELECT phone, call_job_id FROM call_jobs WHERE state = 'duplicate'")
    assert {str(phone): id_ for phone, id_ in rows} == {
        digits(5): ids[digits(5)], digits(6): None, digits(7): None
    }  # fmt: skip
    world.pass_time(2 * 86_400)
    told = passes(world, polls=False)["reconcile"]
    assert told.counts.get("found", 0) == 0
    with world.open() as app:
        (lead,) = app.ledger.leads(LeadFilter(phone=int(digits(5))), limit=None)
    assert (lead.state, lead.call_job_id) == ("duplicate", ids[digits(5)])
    assert lead.job_status not in (None, "planned")


def add_by_hand(world: World, *leads: int) -> None:
    """The campaign has calls to these phones that the ledger does not know."""
    with world.open(alone=True) as app:
        client = app.campaign("welcome").client
        for n, lead in enumerate(leads):
            client.add_phones(b'[{"phone":"%s"}]' % digits(lead).encode(), key=f"by hand {n}")
    world.sendings.clear()


# --- E5, E7: a campaign that takes nothing


def test_e5_a_stopped_campaign_keeps_its_jobs_and_the_other_flows(world: World) -> None:
    """The one halts, says so by its exit code and loses nothing; the other calls everybody."""
    world.campaigns["other"] = "1.2.tokenOfTheOtherCampaign"
    world.syncs["others"] = {"campaign": "other", "mapping": world.syncs["leads"]["mapping"]}
    world.configure()
    world.write_leads(5, first=20, name="others")
    with world.box.book.lock:
        book = world.box.book
        book.open_campaign(world.campaigns["other"], book.clock.now_ms())
    with world.open(alone=True) as app:
        app.campaign("other").client.stop()
        poll_all(app)
        stopped, flowing = work(app, "other"), work(app)
    assert (stopped["submit"].outcome, stopped["submit"].exit_code) == ("halted", 3)
    assert flowing["submit"].exit_code == 0
    assert world.states() == {"accepted": LEADS, "staged": 5}


def test_e7_an_unknown_token_loses_nothing_and_a_known_one_resumes(world: World) -> None:
    """Nobody has to say a word: the campaign is asked in each pass."""
    good = world.campaigns["welcome"]
    world.campaigns["welcome"] = "1.2.tokenThatNobodyKnows"
    world.configure()
    for _ in range(2):
        told = passes(world)["submit"]
        assert (told.outcome, told.exit_code) == ("halted", 3)
        world.pass_time(LONG_S)
    assert world.states() == {"staged": LEADS}
    assert len(world.sendings) == 1
    world.campaigns["welcome"] = good
    world.configure()
    passes(world)
    world.assert_each_once(LEADS)


# --- E6: hours


def test_e6_hours_that_the_vendor_refuses_cost_the_leads_that_have_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`invalid.call.allowed.time` is about overlapping hours, not about now: no wait mends it."""
    refuse_batches(world, monkeypatch, "invalid.call.allowed.time", has(2))
    passes(world)
    assert ended(world, "refused") == {digits(2): "invalid.call.allowed.time"}
    assert world.states() == {"refused": 1, "accepted": LEADS - 1}
    keys = {sending.key for sending in world.sendings}
    assert len(keys) == len(world.sendings), "each generation has a key of its own"


# --- E8: nobody knows


@pytest.mark.parametrize(
    ("type_", "told"),
    [("never.heard.of", {}), ("never.heard.of", {"phone": "12015550103"}), ("bad.request", {})],
)
def test_e8_an_unknown_type_holds_the_campaign_until_a_person_releases_it(
    world: World, monkeypatch: pytest.MonkeyPatch, type_: str, told: dict[str, str]
) -> None:
    """No lead is refused, whatever it names; no pass, process or good status ends the hold."""
    refuse_batches(world, monkeypatch, type_, lambda _: True, **told)
    first = passes(world)["submit"]
    assert (first.outcome, first.exit_code) == ("halted", 3)
    assert first.counts == {"sealed": LEADS, "restaged": LEADS}
    monkeypatch.undo()
    for _ in range(3):
        world.pass_time(LONG_S)
        again = passes(world)
        assert (again["submit"].outcome, again["reconcile"].outcome) == ("halted", "halted")
        assert again["submit"].error is not None
        assert again["submit"].error.hint.endswith("syncd campaign release welcome")
    assert len(world.sendings) == 1
    assert release(world)
    passes(world)
    world.assert_each_once(LEADS)
    assert world.sql("SELECT DISTINCT generation FROM call_jobs") == [(2,)]


# --- N10, N13, N20: a vendor that asks for patience, remembers refusals, or is not there


@pytest.mark.parametrize("kind", ["http_429", "http_503"])
@pytest.mark.parametrize(
    ("asked", "least_s", "most_s"),
    [
        (90, 90, 90),
        ("-1", 1, 1),
        ("0", 1, 1),
        (10**9, 3600, 3600),
        ("Mon, 02 Mar 2026 09:10:00 GMT", 600, 600),
        ("Mon, 02 Mar 2015 09:10:00 GMT", 1, 1),
        ("Mon, 02 Mar 2126 09:10:00 GMT", 3600, 3600),
    ],
)
def test_n10_what_is_asked_for_is_waited_within_bounds_by_every_process(
    world: World, kind: str, asked: float | str, least_s: float, most_s: float
) -> None:
    """Between a second and an hour, kept in the ledger; then the same bytes go, with their key."""
    world.box.faults.add(Fault(kind, path="addPhones", retry_after=asked))
    passes(world)
    ((until,),) = world.sql("SELECT next_send_at FROM campaigns")
    waits_s = (until - to_ms(world.clock.now())) / 1000
    assert least_s <= waits_s <= most_s
    world.pass_time(waits_s - 0.5)
    told = passes(world)["reconcile"]
    assert (told.outcome, len(world.sendings)) == ("retry", 1)
    world.pass_time(LONG_S)
    passes(world)
    world.assert_each_once(LEADS)
    world.assert_one_body_a_key()


@pytest.mark.parametrize("junk", ["soon", "", "nan", "1e9", "Mon, 99 Mar 2026 09:10:00 GMT"])
def test_n10_junk_asks_for_nothing(world: World, junk: str) -> None:
    """It is a failure like others: the batch has its own back-off."""
    world.box.faults.add(Fault("http_503", path="addPhones", retry_after=junk))
    passes(world)
    assert world.sql("SELECT next_send_at FROM campaigns") in ([(None,)], [])
    world.pass_time(LONG_S)
    passes(world)
    world.assert_each_once(LEADS)


def test_n13_a_refusal_that_is_remembered_under_its_key_blocks_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes again is a new generation: it has another key."""
    add_phones = world.box.book.add_phones
    remembered: dict[str | None, RefusalError] = {}

    def stern(token: str, body: bytes, key: str | None) -> Any:
        if key not in remembered and has(3)(body):
            remembered[key] = RefusalError("phone.bad.format", "no", phone=digits(3))
        if key in remembered:
            raise remembered[key]
        return add_phones(token, body, key)

    monkeypatch.setattr(world.box.book, "add_phones", stern)
    passes(world)
    assert world.states() == {"refused": 1, "accepted": LEADS - 1}
    assert len(remembered) == 1


def test_n20_the_breaker_counts_over_processes_and_opens(world: World) -> None:
    """Five sendings without an answer, each by another process: then none for a while."""
    world.box.faults.add(Fault("reset", path="addPhones", count=FAILURES_IN_A_ROW_MAX + 1))
    for _ in range(FAILURES_IN_A_ROW_MAX):
        passes(world)
        world.pass_time(LONG_S)
    assert len(world.sendings) == FAILURES_IN_A_ROW_MAX
    ((failures, until),) = world.sql("SELECT failures, open_until FROM campaigns")
    assert failures == FAILURES_IN_A_ROW_MAX
    opened = until - to_ms(world.clock.now()) + LONG_S * 1000
    assert 0 <= opened <= 300_000


def test_n20_an_open_breaker_lets_nothing_through_and_a_try_closes_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open: no request. Half open: one question for the state, then a batch; its answer closes."""
    world.configure(batch_size=1, max_in_flight=4)
    monkeypatch.setattr("random.Random.random", lambda _: 0.9)
    world.box.faults.add(Fault("reset", path="addPhones", count=50))
    passes(world)
    sent = len(world.sendings)
    assert FAILURES_IN_A_ROW_MAX <= sent <= FAILURES_IN_A_ROW_MAX + 3
    told = passes(world)["submit"]
    assert "no answer" in str(told.error)
    assert len(world.sendings) == sent
    world.pass_time(LONG_S)
    with world.open(alone=True) as app:
        submit.run_once(app.campaign("welcome"), app.tools)
        assert len(world.sendings) == sent + 1, "one try, and it failed"
        ((failures,),) = world.sql("SELECT failures FROM campaigns")
        assert failures == sent + 1
        world.box.faults.clear()
        world.pass_time(LONG_S)
        settle(world, app)
    assert world.sql("SELECT failures, open_until FROM campaigns") == [(0, None)]
    world.assert_each_once(LEADS)
    world.assert_one_body_a_key()


def test_n20_a_campaign_that_does_not_tell_its_state_gets_no_try(world: World) -> None:
    """The question after the rest counts as one more failure, and the rest grows."""
    world.box.faults.add(Fault("reset", path="addPhones", count=FAILURES_IN_A_ROW_MAX))
    for _ in range(FAILURES_IN_A_ROW_MAX):
        passes(world)
        world.pass_time(LONG_S)
    world.box.faults.add(Fault("http_500", path="status", count=1))
    told = passes(world, polls=False)
    assert told["reconcile"].outcome == "retry"
    assert len(world.sendings) == FAILURES_IN_A_ROW_MAX
    assert world.sql("SELECT failures FROM campaigns") == [(FAILURES_IN_A_ROW_MAX + 1,)]
    world.pass_time(LONG_S)
    passes(world)
    world.assert_each_once(LEADS)
