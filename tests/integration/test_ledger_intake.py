"""Transaction A: a page is stored whole or not at all, nobody is staged twice, nothing is lost."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest

from syncd.core.call_job import JobState
from syncd.core.call_policy import CallPolicy
from syncd.core.mapping import MappedJob
from syncd.errors import Transient
from syncd.ledger import rejections
from syncd.ledger.intake_page import IntakeResult, NewLead, SealOrder
from syncd.ledger.known import KnownLead
from syncd.ledger.ledger import Ledger
from syncd.ledger.rejections import NewRejection
from tests.ledgers import (
    CAMPAIGN,
    HOUR,
    NOW,
    NOW_MS,
    SYNC,
    answered,
    assert_consistent,
    by,
    job,
    lead,
    one,
    page,
    phone,
    rows,
    seal,
    snapshot,
    stage,
    states,
)

#: What an unkind export may hold; keys come clean from the mapping, other texts as they are.
UGLY = "a\0b \ud83d½ '\";--\n\t𝄞 {} %s :x ?"
MENDED = "a\ufffdb \ufffd½ '\";--\n\t𝄞 {} %s :x ?"


def rejected(n: int, *, key: str | None = None, reason: str = "phone_invalid") -> NewRejection:
    """Row n is no lead."""
    return NewRejection(n, reason, "12…", column="phone", key=key, digest=f"d{n}")


def reasons(ledger: Ledger) -> dict[str | None, str]:
    """Key to reason of what is not settled."""
    return {one.key: one.reason for one in ledger.rejections(sync=SYNC, limit=None)}


def test_a_page_is_stored_whole(ledger: Ledger) -> None:
    """Leads, staged jobs, rejections and the cursor come together, and the counts say what came."""
    found = page(lead(1), lead(2), cursor={"line": 3}, rejections=[rejected(4)])
    result = ledger.store_page(found, by=by("poll"))
    assert result == IntakeResult(staged=2)
    assert states(ledger) == {"key-1": "staged", "key-2": "staged"}
    assert ledger.position(SYNC).cursor == {"line": 3}
    assert ledger.position(SYNC).mapping_digest == "digest"
    assert reasons(ledger) == {None: "phone_invalid"}
    assert_consistent(ledger)


@pytest.mark.parametrize("where", ["store", "settle"])
def test_a_failure_in_the_middle_leaves_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """When the last insert fails nothing of the page is there, and the cursor has not moved."""
    ledger.store_page(page(lead(1), cursor={"line": 2}), by=by("poll"))
    before = snapshot(ledger)

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(rejections, where, fail)
    broken = page(
        lead(2), changed=[(1, 9)], cursor={"line": 3}, rejections=[rejected(4)], good_keys=["key-1"]
    )
    with pytest.raises(ZeroDivisionError):
        ledger.store_page(broken, by=by("poll"))
    assert snapshot(ledger) == before
    monkeypatch.undo()
    ledger.store_page(broken, by=by("poll"))
    assert ledger.position(SYNC).cursor == {"line": 3}
    assert_consistent(ledger)


def test_a_page_without_a_cursor_leaves_it_alone(ledger: Ledger) -> None:
    """A backfill does not move the live cursor."""
    ledger.store_page(page(lead(1), cursor={"line": 2}), by=by("poll"))
    ledger.store_page(page(lead(2)), by=by("poll"))
    assert ledger.position(SYNC).cursor == {"line": 2}


def test_a_page_may_move_the_cursor_only(ledger: Ledger) -> None:
    """An empty page is stored as what it is."""
    assert ledger.store_page(page(cursor={"line": 9}), by=by("poll")) == IntakeResult()
    assert ledger.position(SYNC).cursor == {"line": 9}
    assert rows(ledger, "SELECT * FROM journal") == []


def test_a_sync_that_was_never_read_stands_at_the_start(ledger: Ledger) -> None:
    """No cursor, no mapping; a finished poll keeps the mapping and not a cursor."""
    assert ledger.position(SYNC).cursor is None
    assert ledger.position(SYNC).mapping_digest is None
    ledger.finish_poll(SYNC, "other", by=by("poll"))
    assert ledger.position(SYNC).mapping_digest == "other"
    assert ledger.position(SYNC).cursor is None


def test_known_leads_are_known_with_their_revision(ledger: Ledger) -> None:
    """A key is known in its own sync only, with its lead, its revision and its held job."""
    held = lead(2, mapped=job(2, held="no_zone"))
    ledger.store_page(page(lead(1), held), by=by("poll"))
    known = ledger.known_leads(SYNC, ["key-1", "key-2", "key-3"])
    assert known == {"key-1": KnownLead(1, 1, None), "key-2": KnownLead(2, 2, 2)}
    assert ledger.known_leads("other", ["key-1"]) == {}
    assert ledger.known_leads(SYNC, []) == {}


def test_a_changed_lead_keeps_its_job(ledger: Ledger) -> None:
    """An edited row is not a new call: only the revision and the time of the change are kept."""
    stage(ledger, 2)
    later = by("poll", after=HOUR)
    result = ledger.store_page(page(changed=[(1, -(2**63)), (2, 2**63 - 1)]), by=later)
    assert result == IntakeResult()
    known = ledger.known_leads(SYNC, ["key-0", "key-1"])
    assert [known["key-0"].revision, known["key-1"].revision] == [-(2**63), 2**63 - 1]
    assert rows(ledger, "SELECT DISTINCT changed_at FROM leads") == [(later.at_ms,)]
    assert states(ledger) == {"key-0": "staged", "key-1": "staged"}


def test_a_phone_is_staged_once_in_a_page(ledger: Ledger) -> None:
    """Of two new leads with one phone the second is a duplicate."""
    result = ledger.store_page(page(lead(1), lead(2, mapped=job(1)), lead(3)), by=by("poll"))
    assert (result.staged, result.duplicate) == (2, 1)
    assert states(ledger) == {"key-1": "staged", "key-2": "duplicate", "key-3": "staged"}
    assert one(ledger, "SELECT reason FROM call_jobs WHERE id = 2") == "phone_known"
    assert_consistent(ledger)


@pytest.mark.parametrize("sync", [SYNC, "other"])
def test_a_phone_is_called_once_in_a_campaign(ledger: Ledger, sync: str) -> None:
    """A phone with a call, from whatever sync of the campaign, is not staged again."""
    answered(ledger, 2)
    ledger.store_page(page(lead(5, mapped=job(0)), sync=sync), by=by("poll"))
    assert states(ledger)["key-5"] == "duplicate"
    assert ledger.taken_phones(CAMPAIGN, [phone(0), phone(9)]) == {phone(0)}


def test_another_campaign_may_call_the_same_phone(ledger: Ledger) -> None:
    """Once a campaign is the rule, not once for all."""
    stage(ledger, 1)
    stage(ledger, 1, sync="other", campaign="other")
    assert rows(ledger, "SELECT state FROM call_jobs") == [("staged",), ("staged",)]


def test_an_ended_attempt_to_call_frees_the_phone(ledger: Ledger) -> None:
    """A call that was cancelled before it was sent does not block the phone for ever."""
    stage(ledger, 1)
    ledger.cancel_unsent([1], why="cancelled", by=by("cli:cancel", pass_id=None))
    ledger.store_page(page(lead(5, mapped=job(0))), by=by("poll"))
    assert states(ledger) == {"key-0": "cancelled", "key-5": "staged"}


def test_one_key_in_two_syncs_is_two_leads(ledger: Ledger) -> None:
    """The identity of a lead is its sync and its key."""
    stage(ledger, 1)
    ledger.store_page(page(lead(1, key="key-0"), sync="other"), by=by("poll"))
    assert one(ledger, "SELECT count(*) FROM leads WHERE key = 'key-0'") == 2


def test_a_key_that_was_stored_meanwhile_is_transient(ledger: Ledger) -> None:
    """Two machines read one page: the second stores nothing of it and reads again."""
    stage(ledger, 1)
    before = snapshot(ledger)
    with pytest.raises(Transient, match="another process"):
        ledger.store_page(page(lead(5, key="key-0"), cursor={"line": 9}), by=by("poll"))
    assert snapshot(ledger) == before


def test_a_key_stands_once_in_a_page(ledger: Ledger) -> None:
    """Two rows of one key in a page would be a bug of the sorter: it is not stored."""
    with pytest.raises(AssertionError):
        ledger.store_page(page(lead(1), lead(2, key="key-1")), by=by("poll"))


def test_k4_a_held_job_waits(ledger: Ledger) -> None:
    """Nothing of a held job is sent, and it takes no phone."""
    ledger.store_page(page(lead(1, mapped=job(1, held="no_zone"))), by=by("poll"))
    assert seal(ledger) is None
    assert ledger.taken_phones(CAMPAIGN, [phone(1)]) == set()
    assert rows(ledger, "SELECT state, reason FROM call_jobs") == [("held", "no_zone")]


def test_a_held_job_is_released_with_what_it_waited_for(ledger: Ledger) -> None:
    """The new body, zone, phone and end are those that are sent."""
    ledger.store_page(page(lead(1, mapped=job(1, held="no_zone"))), by=by("poll"))
    anew = MappedJob(phone(2), b'{"phone":"2"}', "+03:00", None, NOW + HOUR)
    result = ledger.store_page(page(released=[(1, anew)]), by=by("poll"))
    assert result.released == 1
    found = rows(ledger, "SELECT phone, body, zone, state, reason, finish_at FROM call_jobs")
    ends = NOW_MS + 3_600_000
    assert found == [(phone(2), '{"phone":"2"}', "+03:00", "staged", None, ends)]
    assert_consistent(ledger)
    assert seal(ledger, now=NOW + HOUR) is None
    assert states(ledger) == {"key-1": "expired"}


def test_a_held_job_whose_phone_was_called_meanwhile_is_a_duplicate(ledger: Ledger) -> None:
    """The phone is compared at the release: also with the new leads of the same page."""
    held = [lead(n, mapped=job(1, held="no_zone")) for n in (1, 2)]
    ledger.store_page(page(*held), by=by("poll"))
    again = page(lead(3, mapped=job(1)), released=[(1, job(1)), (2, job(2))])
    ledger.store_page(again, by=by("poll"))
    assert states(ledger) == {"key-1": "duplicate", "key-2": "staged", "key-3": "staged"}
    assert_consistent(ledger)


def test_two_held_jobs_of_one_phone_are_released_once(ledger: Ledger) -> None:
    """Of two jobs that are released together one is staged."""
    held = [lead(n, mapped=job(1, held="no_zone")) for n in (1, 2)]
    ledger.store_page(page(*held), by=by("poll"))
    ledger.store_page(page(released=[(1, job(1)), (2, job(1))]), by=by("poll"))
    assert states(ledger) == {"key-1": "staged", "key-2": "duplicate"}


def test_a_release_of_what_is_not_held_changes_nothing(ledger: Ledger) -> None:
    """Still without a zone, or cancelled meanwhile: the job stays as it is."""
    ledger.store_page(page(lead(1, mapped=job(1, held="no_zone"))), by=by("poll"))
    assert ledger.store_page(page(released=[(1, job(1, held="no_zone"))]), by=by()).released == 0
    assert states(ledger) == {"key-1": "held"}
    ledger.cancel_unsent([1], why="cancelled", by=by())
    assert ledger.store_page(page(released=[(1, job(1))]), by=by()).released == 0
    assert states(ledger) == {"key-1": "cancelled"}
    assert_consistent(ledger)


def test_a_rejection_is_kept_once_and_up_to_date(ledger: Ledger) -> None:
    """The same record, rejected again, is one line with its newest reason and both times."""
    for n, reason in enumerate(["phone_missing", "phone_invalid", "phone_invalid"]):
        again = page(rejections=[rejected(7 + n, key="k", reason=reason)])
        ledger.store_page(again, by=by("poll", after=n * HOUR))
    (kept,) = ledger.rejections(sync=SYNC, limit=None)
    assert (kept.key, kept.reason, kept.line) == ("k", "phone_invalid", 9)
    assert (kept.seen_at, kept.last_seen_at) == (NOW, NOW + 2 * HOUR)
    assert ledger.counts().rejections == {SYNC: {"phone_invalid": 1}}


def test_one_record_twice_in_a_page_is_one_rejection(ledger: Ledger) -> None:
    """The same bad row on two lines of one page stops nothing."""
    ledger.store_page(page(rejections=[rejected(1), rejected(1), rejected(2)]), by=by("poll"))
    assert ledger.counts().rejections == {SYNC: {"phone_invalid": 2}}


def test_a_rejection_is_settled_when_its_key_can_be_mapped(ledger: Ledger) -> None:
    """It leaves the list, comes back if the record is bad again, and others stay."""
    ledger.store_page(page(rejections=[rejected(1, key="a"), rejected(2, key="b")]), by=by("poll"))
    ledger.store_page(page(rejections=[rejected(1, key="a")], sync="other"), by=by("poll"))
    ledger.store_page(page(lead(1, key="a"), good_keys=["a", "c"]), by=by("poll"))
    assert reasons(ledger) == {"b": "phone_invalid"}
    assert ledger.counts().rejections["other"] == {"phone_invalid": 1}
    ledger.store_page(page(rejections=[rejected(1, key="a")]), by=by("poll"))
    assert set(reasons(ledger)) == {"a", "b"}


def test_ugly_texts_are_stored(ledger: Ledger) -> None:
    """Names of files and columns and masked values may hold anything; NULs are mended."""
    bad = NewRejection(1, "value_invalid", UGLY, column=UGLY, key=UGLY)
    found = page(lead(1), rejections=[bad], cursor={"mark": "a\0b", "n": 2**60})
    found.origin = UGLY
    ledger.store_page(found, by=by("poll"))
    ledger.store_page(found.__class__(SYNC, CAMPAIGN, UGLY, "d", rejections=[bad]), by=by("poll"))
    (kept,) = ledger.rejections(sync=SYNC, limit=None)
    assert (kept.masked, kept.column, kept.key, kept.origin) == (MENDED,) * 4
    assert one(ledger, "SELECT origin FROM leads") == MENDED
    assert ledger.position(SYNC).cursor == {"mark": "a\0b", "n": 2**60}


def test_extreme_values_come_back_as_they_were(ledger: Ledger) -> None:
    """Long keys, 15-digit phones, bodies with escaped NULs and numbers of 64 bits are exact."""
    keys = ["", "𝄞" * 512, "ключ", "a'b\"c\\u0000", "{}", "1e400"]
    bodies = [b'{"a":"\\u0000 \\ud83d\\ude00"}', '{"a":"𝄞\'\\"\\\\"}'.encode()] * 3
    found = []
    for n, (key, body) in enumerate(zip(keys, bodies, strict=True)):
        mapped = MappedJob(10**15 - 1 - n, body, None, None, None)
        found.append(NewLead(key, (-1) ** n * (2**62 + n), 2**40 + n, mapped))
    ledger.store_page(page(*found), by=by("poll"))
    known = ledger.known_leads(SYNC, keys)
    assert {key: lead.revision for key, lead in known.items()} == {
        each.key: each.revision for each in found
    }
    assert ledger.taken_phones(CAMPAIGN, [10**15 - 1, 10**15]) == {10**15 - 1}
    stored = rows(ledger, "SELECT phone, body, zone FROM call_jobs ORDER BY id")
    assert stored == [(each.job.phone, each.job.body.decode(), None) for each in found]
    assert rows(ledger, "SELECT line FROM leads ORDER BY id") == [(each.line,) for each in found]
    batch = seal(ledger)
    assert batch is not None
    assert batch.body == b"[" + b",".join(bodies) + b"]"


def test_a_page_of_thousands_is_one_statement_each(ledger: Ledger) -> None:
    """No limit of variables is met: 1,990 leads and as many rejections fit one page."""
    found = page(*[lead(n) for n in range(1_990)], good_keys=[f"key-{n}" for n in range(1_990)])
    found.rejections = [rejected(n, key=f"bad-{n}") for n in range(1_990)]
    ledger.store_page(found, by=by("poll"))
    assert ledger.counts().jobs == {(SYNC, CAMPAIGN): {"staged": 1_990}}
    assert len(ledger.known_leads(SYNC, found.good_keys)) == 1_990
    assert_consistent(ledger)


def test_every_move_says_who_when_and_why(ledger: Ledger) -> None:
    """The journal has one line for each kind of beginning, with the pass and the time."""
    held = lead(2, mapped=job(2, held="no_zone"))
    double = lead(3, mapped=job(1))
    me = by("poll", pass_id=17, after=timedelta(seconds=5))
    ledger.store_page(page(lead(1), held, double), by=me)
    told = rows(
        ledger,
        "SELECT at, pass_id, actor, what, first_id, last_id, from_state, to_state, why "
        "FROM journal ORDER BY first_id",
    )
    head = (me.at_ms, 17, "poll", "job")
    assert told == [
        (*head, 1, 1, "", JobState.STAGED.value, "new_lead"),
        (*head, 2, 2, "", JobState.HELD.value, "no_zone"),
        (*head, 3, 3, "", JobState.DUPLICATE.value, "phone_known"),
    ]


def test_intakes_at_once_stage_a_phone_once(ledger: Ledger, ledger_url: str) -> None:
    """Two processes that store other leads with the same phones: each phone is staged once."""
    others = [Ledger.open(ledger_url) for _ in range(3)]
    ready = threading.Barrier(len(others))

    def take(n: int) -> None:
        ready.wait()
        for first in range(0, 60, 20):
            found = [lead(i, key=f"{n}-{i}") for i in range(first, first + 20)]
            others[n].store_page(page(*found, sync=f"sync-{n}"), by=by("poll"))

    threads = [threading.Thread(target=take, args=(n,)) for n in range(len(others))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.close()
    staged = rows(ledger, "SELECT phone FROM call_jobs WHERE state = 'staged'")
    assert sorted(staged) == [(phone(n),) for n in range(60)]
    assert one(ledger, "SELECT count(*) FROM call_jobs") == 180
    assert_consistent(ledger)


def test_a_page_can_be_sealed_as_it_is_stored(ledger: Ledger) -> None:
    """Full batches are sealed at once, claimed, with the bytes that a later seal would give."""
    found = page(*map(lead, range(25)), seal=SealOrder(phones_max=10, batches_max=5))
    result = ledger.store_page(found, by=by("poll"))
    assert (result.staged, [batch.size for batch in result.sealed]) == (25, [10, 10])
    assert Counter(states(ledger).values()) == {"sealed": 20, "staged": 5}
    first, second = result.sealed
    assert first.body == b"[" + b",".join(job(n).body for n in range(10)) + b"]"
    assert first.key != second.key
    assert ledger.claim_open_batch(CAMPAIGN, after_id=0, now=NOW) is None
    assert ledger.counts().jobs[SYNC, CAMPAIGN] == {"staged": 5, "sealed": 20}
    assert_consistent(ledger)


def test_batches_that_are_nearly_full_go_at_once(ledger: Ledger) -> None:
    """Of 18 jobs two batches of 10 and 8 are made: a few rejections a page cost no second turn."""
    found = page(*map(lead, range(18)), seal=SealOrder(phones_max=10, batches_max=5))
    assert [batch.size for batch in ledger.store_page(found, by=by("poll")).sealed] == [10, 8]
    assert_consistent(ledger)


def test_no_more_batches_are_sealed_than_were_ordered(ledger: Ledger) -> None:
    """The rest is staged, for there is no room in flight."""
    found = page(*map(lead, range(30)), seal=SealOrder(phones_max=10, batches_max=1))
    assert [batch.size for batch in ledger.store_page(found, by=by("poll")).sealed] == [10]
    assert Counter(states(ledger).values()) == {"sealed": 10, "staged": 20}


def test_what_is_not_staged_is_not_sealed(ledger: Ledger) -> None:
    """Held jobs, duplicates, and jobs whose end has passed: they go their usual ways."""
    late = job(4, finish_at=NOW)
    new = [lead(0), lead(1, mapped=job(0)), lead(2, mapped=job(2, held="no_zone")), lead(3)]
    found = page(*new, lead(4, mapped=late), seal=SealOrder(phones_max=2, batches_max=5))
    result = ledger.store_page(found, by=by("poll"))
    assert [[one for one, _ in batch.members] for batch in result.sealed] == [[1, 4]]
    expected = ["sealed", "duplicate", "held", "sealed", "staged"]
    assert [states(ledger)[f"key-{n}"] for n in range(5)] == expected
    assert_consistent(ledger)


def test_a_phone_stands_once_in_a_batch_that_is_sealed_at_once(ledger: Ledger) -> None:
    """Where each lead is called, the second one of a phone waits for the next batch."""
    new = [lead(0), lead(1, mapped=job(0)), lead(2), lead(3), lead(4)]
    policy = CallPolicy(per_phone=False)
    found = page(*new, policy=policy, seal=SealOrder(phones_max=2, batches_max=5))
    result = ledger.store_page(found, by=by("poll"))
    assert [[one for one, _ in batch.members] for batch in result.sealed] == [[1, 3], [2, 4]]
    assert_consistent(ledger)
