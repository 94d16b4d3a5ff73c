"""Wishes to cancel, do-not-call lists and changed rows, in the ledger of both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from syncd.core.call_job import JobState
from syncd.core.call_policy import CallPolicy, OnChange
from syncd.core.mapping import MappedJob
from syncd.core.withdrawal import CANCELLED, LEFT_SOURCE, NOT_CANCELLED, SUPPRESSED, UNKNOWN_ID
from syncd.ledger.changes import Remapped
from syncd.ledger.ledger import Ledger
from syncd.ledger.suppressions import KEY, PHONE, Listed
from tests.ledgers import (
    CAMPAIGN,
    HOUR,
    MINUTE,
    NOW,
    SYNC,
    answered,
    assert_consistent,
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
    stage,
    states,
    tally,
)

READD = CallPolicy(on_change=OnChange.CANCEL_AND_READD)
AGAIN = CallPolicy(on_change=OnChange.CALL_AGAIN)
LISTS = CallPolicy(lists=("robinson",))


def changed(ledger: Ledger, policy: CallPolicy, *leads: int, name: str = "new") -> dict[str, int]:
    """The rows of these leads (by ID) say something else now; phones stay."""
    found = [
        Remapped(id_, job(id_ - 1)._replace(body=orjson.dumps({"name": name}))) for id_ in leads
    ]
    result = ledger.store_page(page(remapped=found, policy=policy), by=by("poll"))
    assert_consistent(ledger)
    return dict(result.changes)


def put_on_list(ledger: Ledger, *numbers: int, name: str = "robinson") -> int:
    found = [Listed(PHONE, str(phone(n))) for n in numbers]
    return ledger.withdrawals.store_listed(name, found, by=by("suppress"))


def withdraw(ledger: Ledger, *jobs: int, why: str = SUPPRESSED) -> tuple[int, int]:
    done = ledger.withdrawals.withdraw(jobs, why=why, by=by("suppress"))
    assert_consistent(ledger)
    return done


def due(ledger: Ledger, *, after: timedelta = timedelta()) -> list[int]:
    found = ledger.withdrawals.due(CAMPAIGN, now=NOW + after, limit=100)
    return [each.job_id for each in found]


def settle(ledger: Ledger, policy: CallPolicy = READD) -> dict[str, int]:
    counts = ledger.withdrawals.settle(CAMPAIGN, {SYNC: policy}, by=by("withdraw"))
    assert_consistent(ledger)
    return {name: n for name, n in counts.items() if n}


def wishes(ledger: Ledger) -> list[tuple[object, ...]]:
    return rows(
        ledger, "SELECT job_id, why, answer, answered_at FROM cancellations ORDER BY job_id"
    )


def test_what_was_not_sent_ends_and_the_rest_is_noted_once(ledger: Ledger) -> None:
    """Staged and held jobs end; sealed and accepted ones get a wish, however often."""
    answered(ledger, 1)
    sealed(ledger, 1, first=1)
    stage(ledger, 1, first=2)
    ledger.store_page(page(lead(3, mapped=job(3, held="no_zone"))), by=by("poll"))
    assert withdraw(ledger, 1, 2, 3, 4) == (2, 2)
    assert withdraw(ledger, 1, 2, 3, 4) == (0, 0)
    assert tally(ledger) == {"accepted": 1, "sealed": 1, "cancelled": 2}
    assert wishes(ledger) == [(1, SUPPRESSED, None, None), (2, SUPPRESSED, None, None)]


def test_only_what_is_accepted_is_asked_for(ledger: Ledger) -> None:
    """A job in doubt has no ID; one whose report names another phone has a wrong one."""
    answered(ledger, 2)
    sent(ledger, sealed(ledger, 1, first=2))
    withdraw(ledger, 1, 2, 3)
    ledger.store_reports(CAMPAIGN, [report(1001, phone="447700900999")], by=by())
    assert due(ledger) == [1]
    assert ledger.withdrawals.has_work(CAMPAIGN, now=NOW)
    ledger.withdrawals.mark_asked([1], next_at=NOW + MINUTE, by=by())
    assert due(ledger) == []
    assert not ledger.withdrawals.has_work(CAMPAIGN, now=NOW)
    assert due(ledger, after=MINUTE) == [1]


def test_an_answer_is_the_proof(ledger: Ledger) -> None:
    """What the vendor said and when stays, whatever comes later."""
    answered(ledger, 3)
    withdraw(ledger, 1, 2, 3)
    answers = {1: CANCELLED, 2: NOT_CANCELLED, 3: UNKNOWN_ID}
    assert ledger.withdrawals.record_cancels(answers, by=by(after=MINUTE)) == 3
    assert ledger.withdrawals.record_cancels({1: NOT_CANCELLED}, by=by(after=HOUR)) == 0
    at = by(after=MINUTE).at_ms
    assert [(answer, told) for _, _, answer, told in wishes(ledger)] == [
        (CANCELLED, at),
        (NOT_CANCELLED, at),
        (UNKNOWN_ID, at),
    ]
    assert due(ledger, after=HOUR) == []
    assert settle(ledger) == {}


def test_a_job_that_ended_by_itself_needs_no_asking(ledger: Ledger) -> None:
    """The call was made before the vendor could be asked."""
    answered(ledger, 1)
    withdraw(ledger, 1)
    ledger.store_reports(CAMPAIGN, [report(1000)], by=by())
    assert settle(ledger) == {"late": 1}
    assert wishes(ledger)[0][2] == "closed: noAnswer"


def test_a_job_that_is_staged_again_ends_before_it_is_sealed(ledger: Ledger) -> None:
    """Its batch was refused because of another phone, while its wish waited."""
    batch = sent(ledger, sealed(ledger, 3))
    withdraw(ledger, 2)
    guilty = {phone(0): JobState.REFUSED}
    assert ledger.record_refusal(batch, why="phone.bad.format", guilty=guilty, by=by())
    again = seal(ledger)
    assert again is not None
    assert [job_id for job_id, _ in again.members] == [3]
    assert states(ledger) == {"key-0": "refused", "key-1": "cancelled", "key-2": "sealed"}
    assert_consistent(ledger)
    assert settle(ledger) == {"ended": 1}
    assert wishes(ledger)[0][2] == "not_sent"


def test_a_staged_job_with_a_wish_is_settled(ledger: Ledger) -> None:
    """Also when nothing is sealed meanwhile."""
    batch = sent(ledger, sealed(ledger, 2))
    withdraw(ledger, 1)
    assert ledger.record_refusal(batch, why="why", by=by())
    assert settle(ledger) == {"ended": 1}
    assert states(ledger) == {"key-0": "cancelled", "key-1": "staged"}


def test_a_list_bars_new_leads_by_phone_and_key(ledger: Ledger) -> None:
    """They are kept as cancelled, and their phone is free for nobody on the list."""
    put_on_list(ledger, 1)
    ledger.withdrawals.store_listed("robinson", [Listed(KEY, "key-2")], by=by("suppress"))
    found = page(lead(1), lead(2), lead(3), lead(4, mapped=job(1)), policy=LISTS)
    result = ledger.store_page(found, by=by("poll"))
    assert (result.staged, result.cancelled, result.duplicate) == (1, 3, 0)
    assert states(ledger)["key-3"] == "staged"
    assert rows(ledger, "SELECT DISTINCT reason FROM call_jobs WHERE state = 'cancelled'") == [
        (SUPPRESSED,)
    ]
    assert_consistent(ledger)
    assert ledger.withdrawals.listed((), [phone(1)], ["key-2"]) == (set(), set())
    assert ledger.withdrawals.listed(("other",), [phone(1)], ["key-2"]) == (set(), set())


def test_a_held_job_that_is_listed_is_not_released(ledger: Ledger) -> None:
    """It got its zone, and a phone that nobody may call."""
    ledger.store_page(page(lead(1, mapped=job(1, held="no_zone"))), by=by("poll"))
    put_on_list(ledger, 2)
    ledger.store_page(page(released=[(1, job(2))], policy=LISTS), by=by("poll"))
    assert states(ledger) == {"key-1": "cancelled"}


def test_who_is_barred_is_found_once(ledger: Ledger) -> None:
    """Every open job of the list's syncs; those with a wish are on their way."""
    assert ledger.withdrawals.barred_jobs("robinson", [SYNC]) == []
    answered(ledger, 2)
    stage(ledger, 3, first=2)
    stage(ledger, 1, first=5, sync="other")
    put_on_list(ledger, 0, 3, 5, 9)
    assert ledger.withdrawals.barred_jobs("robinson", [SYNC]) == [1, 4]
    assert ledger.withdrawals.barred_jobs("robinson", [SYNC, "other"]) == [1, 4, 6]
    assert ledger.withdrawals.barred_jobs("nobody", [SYNC]) == []
    withdraw(ledger, 1, 4)
    assert ledger.withdrawals.barred_jobs("robinson", [SYNC]) == []


def test_an_entry_that_left_and_came_back_holds_again(ledger: Ledger) -> None:
    """Its dates tell when; a list that was never read whole is told."""
    assert put_on_list(ledger, 1, 2) == 2
    assert put_on_list(ledger, 1, 2, 3) == 1
    verbs = ledger.withdrawals
    assert verbs.unread_lists(["robinson", "other"]) == ["robinson", "other"]
    held, gone = verbs.unseen("robinson", lambda entry: entry.value != str(phone(2)))
    assert (held, gone) == (3, [Listed(PHONE, str(phone(2)))])
    verbs.finish_list("robinson", gone, by=by("suppress", after=HOUR))
    assert verbs.unread_lists(["robinson", "other"]) == ["other"]
    counts = verbs.list_counts("robinson")
    assert (counts.listed, counts.gone, counts.read_at) == (2, 1, NOW + HOUR)
    assert verbs.listed(("robinson",), [phone(1), phone(2)], []) == ({phone(1)}, set())
    assert put_on_list(ledger, 2) == 1
    assert verbs.listed(("robinson",), [phone(2)], [])[0] == {phone(2)}
    assert verbs.list_counts("other").read_at is None


def test_a_staged_job_is_replaced(ledger: Ledger) -> None:
    """In one transaction: never two, never none."""
    stage(ledger, 2)
    assert changed(ledger, READD, 1, 2) == {"replaced": 2, "staged": 2, "again": 0}
    assert tally(ledger) == {"cancelled": 2, "staged": 2}
    assert changed(ledger, READD, 1, name="new") == {}


def test_a_replaced_job_keeps_what_it_waits_for(ledger: Ledger) -> None:
    """A guard's hold is not undone by an edited row; a missing zone is."""
    for n, why in ((0, "tripwire"), (1, "no_zone")):
        ledger.store_page(page(lead(n, mapped=job(n, held=why))), by=by("poll"))
    changed(ledger, READD, 1, 2)
    assert rows(ledger, "SELECT state, reason FROM call_jobs WHERE id > 2 ORDER BY id") == [
        ("held", "tripwire"),
        ("staged", None),
    ]


def test_new_content_waits_until_the_vendor_has_cancelled(ledger: Ledger) -> None:
    """The wish is answered, the report says that nobody was called: only then it is staged."""
    answered(ledger, 1)
    assert changed(ledger, READD, 1)["to_cancel"] == 1
    assert tally(ledger) == {"accepted": 1, "held": 1}
    assert due(ledger) == [1]
    assert ledger.withdrawals.record_cancels({1: CANCELLED}, by=by()) == 0
    assert settle(ledger) == {}
    ledger.store_reports(CAMPAIGN, [report(1000, "canceled", attempts_count=0)], by=by())
    assert settle(ledger) == {"late": 1, "released": 1}
    assert tally(ledger) == {"closed": 1, "staged": 1}
    assert wishes(ledger)[0][2] == CANCELLED


@pytest.mark.parametrize(
    ("status", "attempts", "state"),
    [
        ("canceled", None, "staged"),
        ("canceled", 1, "cancelled"),
        ("noAnswer", None, "cancelled"),
        ("notDone", 0, "staged"),
    ],
)
def test_new_content_is_called_only_when_nobody_was(
    ledger: Ledger, status: str, attempts: int | None, state: str
) -> None:
    """One attempt is a call, whether it was answered or not."""
    answered(ledger, 1)
    changed(ledger, READD, 1)
    ledger.store_reports(CAMPAIGN, [report(1000, status, attempts_count=attempts)], by=by())
    settle(ledger)
    assert states(ledger) == {"key-0": state}


def test_an_unknown_id_ends_the_new_content_too(ledger: Ledger) -> None:
    """Nobody can know whether that call was made."""
    answered(ledger, 1)
    changed(ledger, READD, 1)
    ledger.withdrawals.record_cancels({1: UNKNOWN_ID}, by=by())
    assert settle(ledger)["given_up"] == 1
    assert one(ledger, "SELECT reason FROM call_jobs WHERE id = 2") == "first_call_unknown"


def test_released_content_is_compared_with_other_leads(ledger: Ledger) -> None:
    """A phone that another lead took meanwhile is not called twice; one without zone waits."""
    answered(ledger, 2)
    moved = MappedJob(phone(7), b"{}", "+00:00", None, None)
    no_zone = MappedJob(phone(1), b"{}", None, "no_zone", None)
    found = [Remapped(1, moved), Remapped(2, no_zone)]
    ledger.store_page(page(remapped=found, policy=READD), by=by("poll"))
    ledger.store_page(page(lead(7)), by=by("poll"))
    ends = [report(1000 + n, "canceled", attempts_count=0) for n in range(2)]
    ledger.store_reports(CAMPAIGN, ends, by=by())
    settle(ledger)
    assert rows(ledger, "SELECT state, reason FROM call_jobs WHERE id IN (3, 4) ORDER BY id") == [
        ("duplicate", "phone_known"),
        ("held", "no_zone"),
    ]


def test_a_list_outdoes_a_change(ledger: Ledger) -> None:
    """Whose row changed and who is then listed is cancelled, and not called with new content."""
    answered(ledger, 1)
    changed(ledger, READD, 1)
    assert withdraw(ledger, 1, 2) == (1, 0)
    assert wishes(ledger)[0][1] == SUPPRESSED
    assert ledger.withdrawals.record_cancels({1: CANCELLED}, by=by()) == 1
    # The old call is not over: what follows must not be a second one beside it.
    changed(ledger, replace(READD, lists=("robinson",)), 1)
    assert tally(ledger) == {"accepted": 1, "cancelled": 1, "duplicate": 1}


def test_a_changed_row_of_a_listed_person_calls_nobody(ledger: Ledger) -> None:
    """The list is asked for new content too."""
    stage(ledger, 1)
    put_on_list(ledger, 0)
    changed(ledger, replace(AGAIN, lists=("robinson",)), 1)
    assert tally(ledger) == {"cancelled": 2}


def test_a_changed_row_of_a_listed_person_waits_for_no_cancel(ledger: Ledger) -> None:
    """The old call ends for good, so nobody would ever let the new content go: it ends at once."""
    answered(ledger, 2)
    put_on_list(ledger, 0, 1)
    withdraw(ledger, 1)  # the list was read whole; of the second its entry only is stored so far
    changed(ledger, replace(READD, lists=("robinson",)), 1, 2)
    assert tally(ledger) == {"accepted": 2, "cancelled": 2}
    assert [wish[:2] for wish in wishes(ledger)] == [(1, SUPPRESSED), (2, SUPPRESSED)]
    assert rows(ledger, "SELECT reason FROM call_jobs WHERE id > 2") == [(SUPPRESSED,)] * 2


def test_what_is_cancelled_for_good_is_no_reason_to_wait(ledger: Ledger) -> None:
    """A row that comes back changed while its call is withdrawn leaves no job that waits."""
    answered(ledger, 1)
    withdraw(ledger, 1, why=LEFT_SOURCE)
    assert changed(ledger, READD, 1) == {}
    assert tally(ledger) == {"accepted": 1}


def test_who_was_called_is_not_called_when_the_list_lets_go(ledger: Ledger) -> None:
    """The cancel came too late, and the row changes again: one call is enough."""
    answered(ledger, 2)
    changed(ledger, READD, 1, 2)
    withdraw(ledger, 1, 2, 3, 4)
    ends = [report(1000, "noAnswer", attempts_count=1), report(1001, "canceled", attempts_count=0)]
    ledger.store_reports(CAMPAIGN, ends, by=by())
    changed(ledger, READD, 1, 2, name="newer")
    assert tally(ledger) == {"closed": 2, "cancelled": 2, "duplicate": 1, "staged": 1}


def test_jobs_of_a_page_that_is_judged_wait(ledger: Ledger) -> None:
    """What a changed row starts counts for the tripwires like a new lead."""
    stage(ledger, 1)
    found = [Remapped(1, job(5))]
    held = page(remapped=found, policy=READD, held_as="judging")
    assert ledger.store_page(held, by=by("poll")).staged == 1
    assert rows(ledger, "SELECT state, reason FROM call_jobs WHERE id = 2") == [("held", "judging")]


def test_two_changed_rows_with_one_phone_are_one_call(ledger: Ledger) -> None:
    """Within one page too."""
    stage(ledger, 2)
    found = [Remapped(1, job(5)), Remapped(2, job(5))]
    ledger.store_page(page(remapped=found, policy=AGAIN), by=by("poll"))
    assert states(ledger) == {"key-0": "staged", "key-1": "duplicate"}
    assert_consistent(ledger)


def test_leads_that_left_are_found_and_marked(ledger: Ledger) -> None:
    """Open leads that a reading did not show, but those that it brought itself."""
    answered(ledger, 2)
    stage(ledger, 2, first=2)
    ledger.store_page(page(lead(9)), by=by("poll", pass_id=7))
    found = ledger.withdrawals.leaving(SYNC, CAMPAIGN, {1, 3}.__contains__, pass_id=7)
    assert (found.open, found.lead_ids, found.job_ids) == (5, [2, 4], [2, 4])
    withdraw(ledger, *found.job_ids, why="left_source")
    known = ledger.known_leads(SYNC, ["key-0", "key-1", "key-3"], wide=True)
    assert [known[f"key-{n}"].withdrawn for n in (0, 1, 3)] == [False, True, True]
    back = [Remapped(4, job(3), changed=False, returned=True)]
    ledger.store_page(page(remapped=back), by=by("poll"))
    assert states(ledger)["key-3"] == "staged"
    assert not ledger.known_leads(SYNC, ["key-3"], wide=True)["key-3"].withdrawn
