"""What the vendor reports of our calls: a job closes once, on an end, repeats change nothing."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import orjson
import pytest

from syncd.core.report import CLOSED_STATUSES, OPEN_STATUSES, JobReport
from syncd.ledger.attempts import AttemptCounts
from syncd.ledger.ledger import Ledger
from syncd.ledger.reports import ReportCounts
from syncd.ledger.views import LeadFilter
from tests.ledgers import (
    CAMPAIGN,
    HOUR,
    MINUTE,
    NOW,
    answered,
    assert_consistent,
    attempt,
    by,
    job,
    lead,
    one,
    page,
    phone,
    report,
    rows,
    seal,
    sealed,
    sent,
    snapshot,
    states,
    tally,
)


def store(ledger: Ledger, *found: JobReport, campaign: str = CAMPAIGN) -> ReportCounts:
    """Store these reports."""
    return ledger.store_reports(campaign, found, by=by("pull_reports"))


def redial(id_: str, n: int, *, number: int = 1, status: str = "planned") -> JobReport:
    """A call-back to the n-th phone: a job of the vendor's own."""
    return report(id_, status, redial_number=number, phone=str(phone(n)))


@pytest.mark.parametrize("status", sorted(CLOSED_STATUSES))
def test_an_end_closes_the_job(ledger: Ledger, status: str) -> None:
    """The job is closed with the status as its reason; its batch has one open job fewer."""
    answered(ledger, 2)
    assert store(ledger, report(1000, status)) == ReportCounts(stored=1, closed=1)
    assert states(ledger) == {"key-0": "closed", "key-1": "accepted"}
    assert one(ledger, "SELECT reason FROM call_jobs WHERE id = 1") == status
    assert ledger.open_call_job_ids(1) == ["1001"]
    assert_consistent(ledger)


@pytest.mark.parametrize("status", sorted(OPEN_STATUSES))
def test_a_call_that_goes_on_stays_open(ledger: Ledger, status: str) -> None:
    """Planned, called or waiting for another attempt: stored, not closed, whatever its time."""
    answered(ledger, 1)
    assert store(ledger, report(1000, status, finished_at=NOW)).closed == 0
    assert states(ledger) == {"key-0": "accepted"}


@pytest.mark.parametrize("status", ["unknown", "somethingNew", None])
def test_an_unheard_of_status_is_open_until_it_has_an_end(
    ledger: Ledger, status: str | None
) -> None:
    """Only `finished_at` closes what nobody understands."""
    answered(ledger, 1)
    assert store(ledger, report(1000, status)).closed == 0
    assert store(ledger, report(1000, status, finished_at=NOW)).closed == 1
    assert one(ledger, "SELECT reason FROM call_jobs") == (status or "unknown")
    assert_consistent(ledger)


def test_the_same_report_again_changes_nothing(ledger: Ledger) -> None:
    """Re-delivery, alone or twice in one answer, moves nothing and counts nothing twice."""
    answered(ledger, 2)
    mine = report(1000, attempts_count=2, call_result="yes", tag_name="t", call_duration=1.5)
    store(ledger, mine, mine)
    before = snapshot(ledger)
    assert store(ledger, mine) == ReportCounts(stored=0, closed=0)
    assert snapshot(ledger) == before
    assert_consistent(ledger)


def test_a_report_is_kept_as_it_came(ledger: Ledger) -> None:
    """Known fields in columns, every field in `raw`, the newest report wins."""
    answered(ledger, 1)
    store(ledger, report(1000, "planned"))
    raw = {"newField": {"a": [1, None]}, "text": "a\0b 𝄞", "big": 10**30}
    mine = JobReport(
        call_job_id="1000",
        phone=str(phone(0)),
        job_status="noAnswer",
        attempts_count=3,
        started_at=NOW,
        finished_at=NOW + MINUTE,
        call_duration=12.25,
        call_result="r",
        tag_name="t",
        raw=raw,
    )
    store(ledger, mine)
    ((told, *known),) = rows(
        ledger,
        "SELECT raw, job_id, phone, job_status, attempts_count, call_duration_s, call_result, "
        "tag_name, finished_at - started_at FROM reports",
    )
    assert known == [1, phone(0), "noAnswer", 3, 12.25, "r", "t", 60_000]
    back = orjson.loads(told)
    assert {**back, "big": 10**30} == raw


@pytest.mark.parametrize(
    "absurd",
    [
        {"phone": "9" * 40},
        {"phone": "²"},
        {"phone": "٣٤"},
        {"phone": ""},
        {"phone": "+44 20"},
        {"attempts_count": 10**400},
        {"attempts_count": -1},
        {"redial_number": 2**31},
    ],
)
def test_an_absurd_value_does_not_stop_the_reports(ledger: Ledger, absurd: dict[str, Any]) -> None:
    """What a column cannot hold is left out of it; the other reports of the answer are stored."""
    answered(ledger, 2)
    counts = store(ledger, report(1000, **absurd), report(1001))
    assert counts.stored == 2
    assert states(ledger)["key-1"] == "closed"
    assert_consistent(ledger)


def test_a_foreign_call_is_not_stored(ledger: Ledger) -> None:
    """Calls of other tools in the campaign, and IDs of another campaign, are not ours."""
    answered(ledger, 1)
    theirs = [report(5), report(6, phone=str(phone(0))), redial("7", 99), report("", "planned")]
    assert store(ledger, *theirs) == ReportCounts(foreign=4)
    assert store(ledger, report(1000), campaign="other") == ReportCounts(foreign=1)
    assert rows(ledger, "SELECT * FROM reports") == []
    assert store(ledger) == ReportCounts()


def own(id_: int | str, n: int, status: str = "noAnswer", **more: Any) -> JobReport:
    """A report that names the n-th phone."""
    return report(id_, status, phone=str(phone(n)), **more)


def test_a_report_of_another_phone_closes_nothing(ledger: Ledger) -> None:
    """An ID that stands with the wrong job: its report is kept apart, told once, and visible."""
    answered(ledger, 3)
    swapped = [own(1000, 1, call_result="yes", attempts_count=3), own(1001, 0), own(1002, 2)]
    assert store(ledger, *swapped) == ReportCounts(stored=1, closed=1, mismatched=(1, 2))
    assert states(ledger) == {"key-0": "accepted", "key-1": "accepted", "key-2": "closed"}
    assert rows(ledger, "SELECT job_id FROM reports ORDER BY call_job_id") == [
        (None,),
        (None,),
        (3,),
    ]
    assert ledger.attempts_due(CAMPAIGN, limit=9) == []
    assert ledger.outcomes(CAMPAIGN) == {("noAnswer", None): 1}
    assert (ledger.mismatched(CAMPAIGN), ledger.mismatched("other")) == (2, 0)
    assert ledger.open_call_job_ids(1) == ["1000", "1001"]
    listed = list(ledger.leads(LeadFilter(), limit=None))
    assert [(one_.reason, one_.job_status, one_.call_result) for one_ in listed] == [
        ("report_of_another_phone", None, None),
        ("report_of_another_phone", None, None),
        ("noAnswer", "noAnswer", None),
    ]
    (story,) = ledger.history(key="key-0")[0].jobs
    assert (story.job["reason"], story.reports) == ("report_of_another_phone", [])
    before = snapshot(ledger)
    assert store(ledger, *swapped) == ReportCounts()
    assert snapshot(ledger) == before
    assert_consistent(ledger)


def test_a_report_that_is_put_right_closes_its_job(ledger: Ledger) -> None:
    """What was kept apart is replaced, and its attempts become due."""
    answered(ledger, 1)
    assert store(ledger, own(1000, 5, attempts_count=2)).mismatched == (1,)
    right = own(1000, 0, attempts_count=2)
    assert store(ledger, right) == ReportCounts(stored=1, closed=1)
    assert one(ledger, "SELECT job_id FROM reports") == 1
    assert ledger.attempts_due(CAMPAIGN, limit=9) == ["1000"]
    assert ledger.mismatched(CAMPAIGN) == 0
    (story,) = ledger.history(key="key-0")[0].jobs
    assert story.job["reason"] == "noAnswer"
    assert_consistent(ledger)


def test_an_outcome_that_was_told_is_not_taken_back(ledger: Ledger) -> None:
    """A later report of the same ID with another phone leaves the job and its report alone."""
    answered(ledger, 2)
    store(ledger, own(1000, 0, call_result="yes"), own(1001, 1, "planned"))
    before = snapshot(ledger)
    counts = store(ledger, own(1000, 7), own(1001, 7), own(1001, 7, redial_number=1))
    assert counts == ReportCounts(mismatched=(1, 2))
    assert snapshot(ledger) == before


def test_an_id_given_twice_belongs_to_the_job_whose_phone_it_names(ledger: Ledger) -> None:
    """The vendor used an ID again: a late report of the first call is not that of the second."""
    answered(ledger, 1)
    store(ledger, own(1000, 0))
    batch = sent(ledger, sealed(ledger, 1, first=1))
    ledger.record_answer(batch, ["1000"], next_report_at=NOW, by=by())
    assert store(ledger, own(1000, 0, call_result="late")) == ReportCounts(stored=1)
    assert states(ledger) == {"key-0": "closed", "key-1": "accepted"}
    assert store(ledger, own(1000, 1)) == ReportCounts(stored=1, closed=1)
    assert one(ledger, "SELECT job_id FROM reports") == 2
    assert_consistent(ledger)


def test_attempts_of_another_phone_are_not_stored(ledger: Ledger) -> None:
    """An attempt names the phone of its ID's job, or none; else it is counted and dropped."""
    answered(ledger, 3)
    store(ledger, *(own(1000 + n, n, attempts_count=1) for n in range(3)))
    found = [
        attempt(1000, phone=str(phone(0))),
        attempt(1001),
        attempt(1002, phone=str(phone(0))),
        attempt(1002, 2, phone=str(phone(2))),
        attempt("x", phone=str(phone(0))),
    ]
    asked = ledger.attempts_due(CAMPAIGN, limit=9)
    counts = ledger.store_attempts(CAMPAIGN, asked, found, by=by("pull_reports"))
    assert counts == AttemptCounts(stored=3, mismatched=(3,))
    kept = rows(ledger, "SELECT call_job_id FROM attempts ORDER BY call_job_id")
    assert kept == [("1000",), ("1001",), ("x",)]
    assert ledger.attempts_due(CAMPAIGN, limit=9) == []


def test_a_call_back_belongs_to_the_job_of_its_phone(ledger: Ledger) -> None:
    """Each call-back of a phone is attached, whether its job is open or closed; it closes none."""
    answered(ledger, 2)
    store(ledger, report(1000))
    found = [
        redial("7", 0),
        redial("8", 0, number=2, status="noAnswer"),
        redial("9", 1, status="noAnswer"),
    ]
    assert store(ledger, *found) == ReportCounts(stored=3)
    owners = rows(ledger, "SELECT call_job_id, job_id FROM reports ORDER BY call_job_id")
    assert owners == [("1000", 1), ("7", 1), ("8", 1), ("9", 2)]
    assert tally(ledger) == {"closed": 1, "accepted": 1}
    assert store(ledger, redial("9", 1, status="longCallWithResult")).closed == 0
    assert states(ledger)["key-1"] == "accepted"
    assert ledger.outcomes(CAMPAIGN) == {("noAnswer", None): 1}
    assert_consistent(ledger)


def test_a_call_back_belongs_to_the_newest_job_of_its_phone(ledger: Ledger) -> None:
    """Where a phone was called twice, the later call asked for it."""
    answered(ledger, 1)
    with ledger._store.write("test") as connection:  # as a policy of a later day allows
        connection.exec_driver_sql(f"UPDATE call_jobs SET phone = {phone(5)}")
    ledger.store_page(page(lead(9, mapped=job(5))), by=by())
    with ledger._store.write("test") as connection:
        connection.exec_driver_sql("UPDATE call_jobs SET state = 'staged' WHERE id = 2")
    batch = seal(ledger)
    assert batch is not None
    ledger.record_answer(sent(ledger, batch), ["2000"], next_report_at=NOW, by=by())
    store(ledger, redial("7", 5))
    assert one(ledger, "SELECT job_id FROM reports") == 2


def test_many_reports_at_once(ledger: Ledger) -> None:
    """More reports than one statement takes, of several batches, close each of their jobs."""
    answered(ledger, 700)
    answered(ledger, 700, first=700)
    counts = store(ledger, *[report(1000 + n) for n in range(1_300)])
    assert counts == ReportCounts(stored=1_300, closed=1_300)
    assert rows(ledger, "SELECT id, open_jobs FROM batches ORDER BY id") == [(1, 0), (2, 100)]
    assert_consistent(ledger)


def test_batches_are_due_the_longest_waiting_first(ledger: Ledger) -> None:
    """Only batches with open jobs, whose time has come, in the order of their times."""
    for first in (0, 10, 20, 30):
        answered(ledger, 2, first=first)
    ledger.batch_asked(1, next_report_at=NOW + 3 * MINUTE)
    ledger.batch_asked(2, next_report_at=NOW + 2 * MINUTE)
    ledger.batch_asked(3, next_report_at=NOW + HOUR)
    store(ledger, report(1030), report(1031))
    due = ledger.batches_due(CAMPAIGN, now=NOW + 3 * MINUTE, limit=9)
    assert [batch.id for batch in due] == [2, 1]
    assert {batch.sent_at for batch in due} == {NOW}
    assert [one_.id for one_ in ledger.batches_due(CAMPAIGN, now=NOW + HOUR, limit=1)] == [2]
    assert ledger.batches_due("other", now=NOW + HOUR, limit=9) == []
    assert ledger.first_open_at(CAMPAIGN) == NOW
    assert ledger.first_open_at("other") is None


def test_attempts_are_asked_for_once(ledger: Ledger) -> None:
    """A report with attempts is due until they were asked for, and again when there are more."""
    answered(ledger, 3)
    store(ledger, report(1000, attempts_count=2), report(1001, attempts_count=0), report(1002))
    assert ledger.attempts_due(CAMPAIGN, limit=9) == ["1000"]
    found = [attempt(1000), attempt(1000, 2, started_at=NOW, call_duration=3.0)]
    asked = ["1000", "1002"]
    counts = ledger.store_attempts(CAMPAIGN, asked, found, by=by("pull_reports"))
    assert counts == AttemptCounts(stored=2)
    assert ledger.attempts_due(CAMPAIGN, limit=9) == []
    store(ledger, report(1000, attempts_count=3))
    assert ledger.attempts_due(CAMPAIGN, limit=9) == ["1000"]
    assert ledger.attempts_due("other", limit=9) == []
    before = snapshot(ledger, ["attempts"])
    assert ledger.store_attempts(CAMPAIGN, ["1000"], found, by=by("pull_reports")).stored == 2
    assert snapshot(ledger, ["attempts"]) == before
    assert ledger.attempts_due(CAMPAIGN, limit=9) == []
    assert ledger.store_attempts(CAMPAIGN, [], [], by=by("pull_reports")) == AttemptCounts()


def test_absurd_attempts_are_stored(ledger: Ledger) -> None:
    """Numbers that are no count are the first attempt of the first call; repeats are one row."""
    found = [attempt("a", 10**20), attempt("a", -5), attempt("a", redial_number=10**20)]
    assert ledger.store_attempts(CAMPAIGN, ["a"], found, by=by()).stored == 3
    numbers = rows(ledger, "SELECT redial_number, attempt_number FROM attempts ORDER BY 2")
    assert numbers == [(0, 0), (0, 1)]


def test_walking_by_date_remembers_how_far(ledger: Ledger) -> None:
    """The end of the walk is kept for each campaign, to the millisecond."""
    assert ledger.walked_to(CAMPAIGN) is None
    at = NOW + timedelta(milliseconds=123)
    ledger.set_walked_to(CAMPAIGN, at)
    ledger.set_walked_to(CAMPAIGN, at + HOUR)
    assert ledger.walked_to(CAMPAIGN) == at + HOUR
    assert ledger.walked_to("other") is None


def test_two_processes_with_the_same_reports_close_each_job_once(
    ledger: Ledger, ledger_url: str
) -> None:
    """Counts and open jobs are right when several machines pull the same reports at once."""
    answered(ledger, 40)
    found = [report(1000 + n) for n in range(30)]
    own = [Ledger.open(ledger_url) for _ in range(3)]
    ready = threading.Barrier(len(own))
    closed: list[int] = []

    def pull(mine: Ledger) -> None:
        ready.wait()
        closed.append(store(mine, *found).closed)

    threads = [threading.Thread(target=pull, args=(mine,)) for mine in own]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for mine in own:
        mine.close()
    assert sorted(closed) == [0, 0, 30]
    assert_consistent(ledger)


def test_a_job_that_two_ids_end_closes_once(ledger: Ledger) -> None:
    """A call-back's ID that later comes as one of a first call speaks of the same job."""
    answered(ledger, 2)
    again = report("777", "planned", redial_number=1, phone=str(phone(0)))
    ledger.store_reports(CAMPAIGN, [again], by=by("pull_reports"))
    both = [report(1000), report("777", phone=str(phone(0)))]
    counts = ledger.store_reports(CAMPAIGN, both, by=by("pull_reports"))
    assert counts.closed == 1
    assert tally(ledger) == {"closed": 1, "accepted": 1}
    assert_consistent(ledger)
