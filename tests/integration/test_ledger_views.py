"""Looking at the ledger, explaining a lead, withdrawing jobs, halting a campaign, noting passes."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.core.call_job import JobState
from syncd.ledger.campaign_state import CampaignState
from syncd.ledger.ledger import Ledger
from syncd.ledger.rejections import NewRejection
from syncd.ledger.views import LeadFilter
from tests.ledgers import (
    CAMPAIGN,
    HOUR,
    MINUTE,
    NOW,
    NOW_MS,
    SYNC,
    answered,
    assert_consistent,
    attempt,
    by,
    job,
    lead,
    page,
    phone,
    report,
    rows,
    seal,
    sealed,
    sent,
    snapshot,
    stage,
    states,
)


def moves(ledger: Ledger, key: str) -> list[tuple[str, str, str]]:
    """What moved, from, to: of the newest job of a key."""
    (found,) = ledger.history(key=key)
    return [(move.what, move.from_state, move.to_state) for move in found.jobs[-1].moves]


def test_a_lead_tells_its_whole_story(ledger: Ledger) -> None:
    """Each move of the job and of its batch, the reports and the attempts, in their order."""
    batch = sent(ledger, sealed(ledger, 3), now=NOW + MINUTE)
    ledger.record_answer(batch, ["a", "b", "c"], next_report_at=NOW, by=by(after=2 * MINUTE))
    told = report("b", "noAnswer", attempts_count=2, phone=str(phone(1)))
    again = report("z", "planned", redial_number=1, phone=str(phone(1)))
    ledger.store_reports(CAMPAIGN, [told, again], by=by("pull_reports", pass_id=9, after=HOUR))
    tries = [attempt("b", 2, started_at=NOW + HOUR), attempt("b", 1, started_at=NOW)]
    ledger.store_attempts(CAMPAIGN, ["b"], tries, by=by(after=HOUR))
    (found,) = ledger.history(key="key-1")
    (story,) = found.jobs
    assert (found.lead["key"], found.lead["sync"]) == ("key-1", SYNC)
    assert (story.job["state"], story.job["call_job_id"]) == ("closed", "b")
    assert story.batch is not None
    assert (story.batch["key"], story.batch["state"]) == (batch.key, "answered")
    assert not {"body", "job_ids"} & set(story.batch)
    assert moves(ledger, "key-1") == [
        ("job", "", "staged"),
        ("job", "staged", "sealed"),
        ("batch", "sealed", "sent"),
        ("job", "sealed", "accepted"),
        ("batch", "sent", "answered"),
        ("job", "accepted", "closed"),
    ]
    last = story.moves[-1]
    assert (last.at, last.actor, last.pass_id) == (NOW + HOUR, "pull_reports", 9)
    assert (last.why, [one["call_job_id"] for one in story.reports]) == ("noAnswer", ["b", "z"])
    assert [one["attempt_number"] for one in story.attempts] == [1, 2]


def test_a_range_of_the_journal_is_of_its_jobs_only(ledger: Ledger) -> None:
    """One line stands for many jobs: a range names all between, a list only its members."""
    stage(ledger, 6)
    ledger.cancel_unsent([1, 2, 3], why="range", by=by("cli:cancel", pass_id=None, after=MINUTE))
    ledger.cancel_unsent([4, 6], why="list", by=by("cli:cancel", pass_id=None, after=MINUTE))
    assert moves(ledger, "key-1") == [("job", "", "staged"), ("job", "staged", "cancelled")]
    assert moves(ledger, "key-3")[-1] == ("job", "staged", "cancelled")
    assert moves(ledger, "key-4") == [("job", "", "staged")]
    assert moves(ledger, "key-5")[-1] == ("job", "staged", "cancelled")
    listed = rows(ledger, "SELECT first_id, last_id, members FROM journal WHERE why = 'list'")
    assert listed == [(4, 6, "[4,6]")]


def test_history_is_found_by_phone_and_in_every_sync(ledger: Ledger) -> None:
    """A phone finds all leads that have a job to it, a key the leads of all syncs."""
    stage(ledger, 2)
    other = page(lead(5, key="key-0", mapped=job(0)), sync="other")
    ledger.store_page(other, by=by("poll"))
    assert [one.lead["sync"] for one in ledger.history(key="key-0")] == [SYNC, "other"]
    assert [one.lead["id"] for one in ledger.history(phone=phone(0))] == [1, 3]
    assert ledger.history(key="nobody") == []
    assert ledger.history(phone=phone(9)) == []
    (unsent,) = ledger.history(key="key-1")
    assert unsent.jobs[0].batch is None


def test_leads_stream_in_their_order(ledger: Ledger) -> None:
    """More leads than are read at a time come once each, in the order in which they came."""
    ledger.store_page(page(*[lead(n) for n in range(1_990)]), by=by("poll"))
    ledger.store_page(page(lead(0, key="again"), sync="other"), by=by("poll"))
    found = list(ledger.leads(LeadFilter(), limit=None))
    assert [row.key for row in found] == [f"key-{n}" for n in range(1_990)] + ["again"]
    assert found[3].phone == phone(3)
    assert (found[3].seen_at, found[3].state) == (NOW, JobState.STAGED)


@pytest.mark.parametrize("limit", [0, 1, 999, 1_000, 1_001, 1_500, 1_990, 5_000])
def test_a_limit_is_a_limit(ledger: Ledger, limit: int) -> None:
    """Leads and rejections stop at the limit, also where it is the size of a read."""
    found = page(*[lead(n) for n in range(1_990)])
    found.rejections = [NewRejection(n, "r", "…", digest=f"{n:04}") for n in range(1_990)]
    ledger.store_page(found, by=by("poll"))
    expected = min(limit, 1_990)
    listed = list(ledger.leads(LeadFilter(), limit=limit))
    assert [row.key for row in listed] == [f"key-{n}" for n in range(expected)]
    refused = list(ledger.rejections(sync=None, limit=limit))
    assert [row.line for row in refused] == list(range(expected))


def test_leads_are_filtered(ledger: Ledger) -> None:
    """By sync, state, phone and key; all the given parts must hold."""
    answered(ledger, 2)
    stage(ledger, 2, first=5, sync="other", campaign="other")
    ledger.store_reports(CAMPAIGN, [report(1001, call_result="yes", attempts_count=4)], by=by())

    def keys(**parts: object) -> list[str]:
        return [row.key for row in ledger.leads(LeadFilter(**parts), limit=None)]  # type: ignore[arg-type]

    assert keys(sync="other") == ["key-5", "key-6"]
    assert keys(state="closed") == ["key-1"]
    assert keys(phone=phone(0)) == ["key-0"]
    assert keys(key="key-6") == ["key-6"]
    assert keys(key="key-6", sync=SYNC) == []
    (closed,) = ledger.leads(LeadFilter(key="key-1"), limit=None)
    assert (closed.job_status, closed.call_result, closed.attempts_count) == ("noAnswer", "yes", 4)
    assert (closed.reason, closed.call_job_id) == ("noAnswer", "1001")


def test_rejections_are_listed_by_sync(ledger: Ledger) -> None:
    """Of one sync or of all; settled ones are not shown."""
    bad = NewRejection(4, "phone_invalid", "12…", column="phone", key="k")
    ledger.store_page(page(rejections=[bad]), by=by("poll"))
    ledger.store_page(page(rejections=[bad], sync="other"), by=by("poll"))
    assert [row.sync for row in ledger.rejections(sync=None, limit=None)] == [SYNC, "other"]
    assert [row.column for row in ledger.rejections(sync="other", limit=None)] == ["phone"]
    ledger.store_page(page(good_keys=["k"]), by=by("poll"))
    assert list(ledger.rejections(sync=SYNC, limit=None)) == []


def test_rejections_are_found_by_key_and_by_mask(ledger: Ledger) -> None:
    """Of every sync, also one without a lead; what is settled, or has no key, is not found."""
    assert list(ledger.rejections(key="k-7", limit=None)) == []
    many = [NewRejection(n, "r", f"{n}…", key=f"k-{n}") for n in range(1_100)]
    keyless = NewRejection(9_999, "r", "7…", digest="k-7")
    ledger.store_page(page(rejections=[*many, keyless]), by=by("poll"))
    for sync in ("another", "zz", "settled"):
        ledger.store_page(page(rejections=[many[7]], sync=sync), by=by("poll"))
    ledger.store_page(page(good_keys=["k-7"], sync="settled"), by=by("poll"))

    def listed(**parts: Any) -> list[tuple[str, int]]:
        return [(row.sync, row.line) for row in ledger.rejections(**{"limit": None, **parts})]

    assert listed(key="k-7") == [(SYNC, 7), ("another", 7), ("zz", 7)]
    assert listed(key="k-7", sync="zz") == [("zz", 7)]
    assert listed(key="k-7", limit=1) == [(SYNC, 7)]
    assert listed(key="k") == listed(key="key:k-7") == []
    assert listed(masks={"1099…"}) == [(SYNC, 1_099)]
    assert listed(masks={"7…", "none"}) == [(SYNC, 7), (SYNC, 9_999), ("another", 7), ("zz", 7)]
    assert listed(masks=[]) == []


def test_outcomes_are_counted(ledger: Ledger) -> None:
    """Reports of first calls by status and result; call-backs are not outcomes."""
    answered(ledger, 4)
    found = [
        report(1000, call_result="yes"),
        report(1001, call_result="yes"),
        report(1002, "planned"),
        report("r", redial_number=1, phone=str(phone(0))),
    ]
    ledger.store_reports(CAMPAIGN, found, by=by())
    assert ledger.outcomes(CAMPAIGN) == {("noAnswer", "yes"): 2, ("planned", None): 1}
    assert ledger.outcomes("other") == {}


def test_an_empty_ledger_has_nothing_to_show(ledger: Ledger) -> None:
    """Every view of an empty ledger is empty."""
    assert (ledger.counts().jobs, ledger.counts().rejections) == ({}, {})
    assert list(ledger.leads(LeadFilter(), limit=None)) == []
    assert ledger.last_passes() == []
    assert ledger.campaign_state(CAMPAIGN) == CampaignState()


def test_open_jobs_can_be_cancelled(ledger: Ledger) -> None:
    """By key, phone or sync: what has ended is not named, what was sent has the vendor's ID."""
    answered(ledger, 2)
    sealed(ledger, 1, first=2)
    stage(ledger, 1, first=3)
    ledger.store_page(page(lead(4, mapped=job(4, held="no_zone"))), by=by())
    ledger.store_reports(CAMPAIGN, [report(1000)], by=by())
    stage(ledger, 1, first=9, sync="other")
    found = ledger.cancellable(sync=SYNC)
    assert [(one.key, one.state.value, one.call_job_id) for one in found] == [
        ("key-1", "accepted", "1001"),
        ("key-2", "sealed", None),
        ("key-3", "staged", None),
        ("key-4", "held", None),
    ]
    assert [one.key for one in ledger.cancellable(key="key-3")] == ["key-3"]
    assert [one.campaign for one in ledger.cancellable(phone=phone(9))] == [CAMPAIGN]
    assert ledger.cancellable(key="key-9", sync=SYNC) == []
    assert ledger.cancellable(key="key-0") == []
    with pytest.raises(AssertionError, match="filter"):
        ledger.cancellable()


def test_only_unsent_jobs_end_here(ledger: Ledger) -> None:
    """Held and staged jobs of any campaign are cancelled; what was sealed meanwhile is left."""
    sealed(ledger, 1)
    stage(ledger, 2, first=1)
    stage(ledger, 1, first=7, sync="other", campaign="other")
    ledger.store_page(page(lead(4, mapped=job(4, held="no_zone"))), by=by())
    person = by("cli:cancel", pass_id=None)
    assert ledger.cancel_unsent([1, 2, 3, 4, 5, 99], why="asked", by=person) == 4
    assert ledger.cancel_unsent([1, 2, 3, 4, 5], why="asked", by=person) == 0
    assert ledger.cancel_unsent([], why="asked", by=person) == 0
    assert set(states(ledger).values()) == {"sealed", "cancelled"}
    assert rows(ledger, "SELECT DISTINCT reason FROM call_jobs WHERE state = 'cancelled'") == [
        ("asked",)
    ]
    assert seal(ledger) is None
    assert_consistent(ledger)


def test_a_cancel_at_the_vendor_is_noted_and_changes_no_state(ledger: Ledger) -> None:
    """The report closes the job; the journal says who asked for it."""
    answered(ledger, 2)
    ledger.note_cancel([1, 2], why="asked", by=by("cli:cancel", pass_id=None))
    assert states(ledger) == {"key-0": "accepted", "key-1": "accepted"}
    assert ("job", "accepted", "accepted") in moves(ledger, "key-0")
    assert_consistent(ledger)


def test_a_halted_campaign_stays_halted_until_it_is_resumed(ledger: Ledger) -> None:
    """Halt and resume are kept and journalled once each; waiting is beside them."""
    ledger.resume_sending(CAMPAIGN, by=by())
    assert rows(ledger, "SELECT * FROM journal") == []
    ledger.halt(CAMPAIGN, "unknown token", by=by("submit"))
    ledger.halt(CAMPAIGN, "unknown token", by=by("submit", after=HOUR))
    ledger.wait_until(CAMPAIGN, NOW + MINUTE)
    assert ledger.campaign_state(CAMPAIGN) == CampaignState("unknown token", NOW, NOW + MINUTE)
    ledger.resume_sending(CAMPAIGN, by=by("cli:resume", pass_id=None))
    assert ledger.campaign_state(CAMPAIGN) == CampaignState(next_send_at=NOW + MINUTE)
    told = rows(ledger, "SELECT what, target, from_state, to_state, why FROM journal ORDER BY id")
    assert told == [
        ("campaign", CAMPAIGN, "sending", "halted", "unknown token"),
        ("campaign", CAMPAIGN, "halted", "sending", "unknown token"),
    ]
    assert ledger.campaign_state("other") == CampaignState()


def test_waiting_may_come_first(ledger: Ledger) -> None:
    """A campaign that the ledger never saw can be told to wait, and longer."""
    ledger.wait_until(CAMPAIGN, NOW)
    ledger.wait_until(CAMPAIGN, NOW + HOUR)
    assert ledger.campaign_state(CAMPAIGN).next_send_at == NOW + HOUR


def test_the_newest_pass_of_each_kind_is_shown(ledger: Ledger) -> None:
    """Running, done or idle; older passes that found nothing are forgotten."""

    def run(kind: str, target: str, outcome: str, **counts: int) -> int:
        pass_id = ledger.begin_pass(kind, target, now=NOW)
        ledger.finish_pass(pass_id, outcome=outcome, counts=counts, now=NOW + MINUTE)
        return pass_id

    run("poll", SYNC, "done", new=3)
    run("submit", CAMPAIGN, "done", sealed=3)
    for _ in range(3):
        run("poll", SYNC, "done", new=0)
    running = ledger.begin_pass("submit", CAMPAIGN, now=NOW + HOUR)
    poll, submit = ledger.last_passes()
    assert (poll.kind, poll.outcome, poll.counts) == ("poll", "done", {"new": 0})
    assert (poll.started_at, poll.finished_at) == (NOW, NOW + MINUTE)
    assert (submit.id, submit.outcome, submit.finished_at, submit.counts) == (
        running,
        None,
        None,
        {},
    )
    kept = rows(ledger, "SELECT kind, outcome FROM passes ORDER BY id")
    assert kept == [("poll", "done"), ("submit", "done"), ("poll", "idle"), ("submit", None)]
    run("poll", SYNC, "failed")
    assert ledger.last_passes()[0].outcome == "failed"


def test_looking_changes_nothing(ledger: Ledger) -> None:
    """No view, and no question, moves anything."""
    answered(ledger, 2)
    ledger.store_reports(CAMPAIGN, [report(1000, attempts_count=1)], by=by())
    before = snapshot(ledger)
    list(ledger.leads(LeadFilter(), limit=None))
    list(ledger.rejections(sync=None, limit=None))
    ledger.history(key="key-0")
    ledger.cancellable(sync=SYNC)
    ledger.campaign_view(CAMPAIGN)
    ledger.batches_due(CAMPAIGN, now=NOW + HOUR, limit=5)
    ledger.attempts_due(CAMPAIGN, limit=5)
    ledger.outcomes(CAMPAIGN)
    ledger.counts()
    assert snapshot(ledger) == before
    assert by().at_ms == NOW_MS
