"""Transaction B: staged jobs become batches whose body and key never change, each claimed once."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from datetime import timedelta

import orjson
import pytest

from syncd.core import batch as batch_module
from syncd.core.call_job import BatchState, JobState
from syncd.core.keys import body_digest
from syncd.errors import Transient
from syncd.ledger import sealing
from syncd.ledger.answers import AnswerStored
from syncd.ledger.ledger import Ledger
from syncd.ledger.moves import move_jobs
from syncd.ledger.outbox import CLAIM_LIFE, ClaimedBatch
from syncd.ledger.schema import batches
from tests.ledgers import (
    CAMPAIGN,
    ENDPOINT,
    HOUR,
    MINUTE,
    NOW,
    SYNC,
    assert_consistent,
    by,
    job,
    lead,
    one,
    page,
    phone,
    rows,
    seal,
    sealed,
    sent,
    snapshot,
    stage,
    states,
    tally,
)


def phones(batch: ClaimedBatch) -> list[int]:
    """The phones in the order of the body."""
    return [int(item["phone"]) for item in orjson.loads(batch.body)]


def claim(
    ledger: Ledger, *, after_id: int = 0, later: timedelta = CLAIM_LIFE
) -> ClaimedBatch | None:
    """Claim the next open batch, `later` than NOW."""
    return ledger.claim_open_batch(CAMPAIGN, after_id=after_id, now=NOW + later)


def test_the_oldest_jobs_are_sealed_in_order(ledger: Ledger) -> None:
    """Batches take jobs in the order in which they came, `phones_max` at a time."""
    stage(ledger, 5)
    tries = [seal(ledger, size=2) for _ in range(4)]
    assert tries[3] is None
    made = [batch for batch in tries if batch is not None]
    assert [phones(batch) for batch in made] == [
        [phone(0), phone(1)],
        [phone(2), phone(3)],
        [phone(4)],
    ]
    assert [batch.size for batch in made] == [2, 2, 1]
    assert [batch.members for batch in made] == [((1, "crm"), (2, "crm")), ((3, "crm"), (4, "crm")), ((5, "crm"),)]  # fmt: skip  # noqa: E501
    assert tally(ledger) == {"sealed": 5}
    assert_consistent(ledger)


def test_a_body_is_the_stored_json_of_its_jobs(ledger: Ledger) -> None:
    """Body, digest and size are kept with the batch before anything is sent."""
    batch = sealed(ledger, 3)
    assert batch.body == b"[" + b",".join(job(n).body for n in range(3)) + b"]"
    ((body, digest, size, ids),) = rows(
        ledger, "SELECT body, body_digest, size, job_ids FROM batches"
    )
    assert (bytes(body), digest, size) == (batch.body, body_digest(batch.body), 3)
    assert orjson.loads(ids) == [1, 2, 3]


def test_another_campaign_is_left_alone(ledger: Ledger) -> None:
    """A batch holds the jobs of one campaign only."""
    stage(ledger, 2)
    stage(ledger, 2, first=5, sync="other", campaign="other")
    batch = seal(ledger)
    assert batch is not None
    assert phones(batch) == [phone(0), phone(1)]
    assert tally(ledger) == {"sealed": 2, "staged": 2}


def test_jobs_of_two_syncs_may_share_a_batch(ledger: Ledger) -> None:
    """A campaign takes the leads of all its syncs; each keeps its own count."""
    stage(ledger, 1)
    stage(ledger, 1, first=1, sync="other")
    batch = seal(ledger)
    assert batch is not None
    assert batch.members == ((1, "crm"), (2, "other"))
    assert_consistent(ledger)


def test_a_phone_stands_once_in_a_batch(ledger: Ledger) -> None:
    """A phone that two staged jobs have goes in two batches (the vendor refuses the batch else)."""
    stage(ledger, 3)
    with ledger._store.write("test") as connection:
        connection.exec_driver_sql(f"UPDATE call_jobs SET phone = {phone(0)} WHERE id = 2")
    first, second = seal(ledger), seal(ledger)
    assert first is not None
    assert second is not None
    assert [job_id for job_id, _ in first.members] == [1, 3]
    assert [job_id for job_id, _ in second.members] == [2]
    assert_consistent(ledger)


def test_a_body_has_a_largest_size(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would make the body too large waits for the next batch; one huge job goes alone."""
    monkeypatch.setattr(batch_module, "BODY_BYTES_MAX", 2 * len(job(0).body) + 4)
    stage(ledger, 5)
    sizes = []
    while batch := seal(ledger):
        sizes.append(batch.size)
    assert sizes == [2, 2, 1]
    monkeypatch.setattr(batch_module, "BODY_BYTES_MAX", 10)
    stage(ledger, 2, first=10)
    assert [seal(ledger).size, seal(ledger).size] == [1, 1]  # type: ignore[union-attr]


def test_a_batch_has_a_largest_number_of_phones(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the configuration says, a request stays bounded."""
    monkeypatch.setattr(batch_module, "BATCH_PHONES_MAX", 3)
    stage(ledger, 5)
    batch = seal(ledger, size=500)
    assert batch is not None
    assert batch.size == 3
    assert_consistent(ledger)


def test_k3_a_job_past_its_end_expires(ledger: Ledger) -> None:
    """At its finishDateTime a job is no longer sent, and the reason is kept."""
    found = [
        lead(n, mapped=job(n, finish_at=NOW + n * MINUTE)) for n in range(3)
    ]  # 0 ends now, 1 and 2 later
    ledger.store_page(page(*found), by=by("poll"))
    batch = seal(ledger)
    assert batch is not None
    assert phones(batch) == [phone(1), phone(2)]
    assert states(ledger)["key-0"] == "expired"
    assert one(ledger, "SELECT reason FROM call_jobs WHERE state = 'expired'") == "finish_passed"
    assert_consistent(ledger)


def test_late_jobs_do_not_hide_those_behind_them(ledger: Ledger) -> None:
    """However many jobs at the head have expired, the next that may be sent is sealed."""
    late = [lead(n, mapped=job(n, finish_at=NOW - MINUTE)) for n in range(7)]
    ledger.store_page(page(*late, lead(8)), by=by("poll"))
    batch = seal(ledger, size=2)
    assert batch is not None
    assert phones(batch) == [phone(8)]
    assert tally(ledger) == {"expired": 7, "sealed": 1}
    assert seal(ledger, size=2) is None
    assert_consistent(ledger)


def test_a_key_is_made_of_ledger_campaign_jobs_and_body(ledger: Ledger) -> None:
    """A new generation of the same jobs with the same body has another key."""
    first = sent(ledger, sealed(ledger, 2))
    assert ledger.record_refusal(first, why="invalid", by=by("submit"))
    second = seal(ledger)
    assert second is not None
    assert second.body == first.body
    assert second.key != first.key
    assert rows(ledger, "SELECT DISTINCT generation FROM call_jobs") == [(2,)]
    assert_consistent(ledger)


def test_sealing_is_undone_when_a_job_was_moved_meanwhile(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a job left between the look and the move, nothing is sealed and the next try is right."""
    stage(ledger, 3)

    real = sealing._insert_batch

    def cancel_first(connection: object, *args: object) -> int:
        connection.exec_driver_sql(  # type: ignore[attr-defined]
            "UPDATE call_jobs SET state = 'cancelled' WHERE id = 2"
        )
        return real(connection, *args)  # type: ignore[arg-type]

    before = snapshot(ledger)
    monkeypatch.setattr(sealing, "_insert_batch", cancel_first)
    for size in (500, 2):
        with pytest.raises(Transient, match="left staged"):
            seal(ledger, size=size)
    monkeypatch.undo()
    assert snapshot(ledger) == before
    assert seal(ledger) is not None


def test_a_sending_is_committed_before_the_first_byte(ledger: Ledger) -> None:
    """mark_sent keeps when and where; the first sending's time and endpoint never change."""
    batch = sealed(ledger, 1)
    assert ledger.mark_sent(batch, endpoint="one", now=NOW, by=by("submit"))
    again = claim(ledger)
    assert again is not None
    assert ledger.mark_sent(again, endpoint="two", now=NOW + HOUR, by=by("reconcile"))
    third = claim(ledger, later=2 * HOUR)
    assert third is not None
    assert (third.first_sent_at, third.last_sent_at) == (NOW, NOW + HOUR)
    assert (third.endpoint, third.sends, third.state) == ("one", 2, BatchState.SENT)
    assert_consistent(ledger)


def test_one_claim_is_one_sending(ledger: Ledger) -> None:
    """A claim that was used is used up: a second sending needs a claim of its own."""
    batch = sent(ledger, sealed(ledger, 1))
    assert not ledger.mark_sent(batch, endpoint=ENDPOINT, now=NOW, by=by("submit"))
    assert ledger.record_no_answer(batch, in_doubt=False, outcome="refused", next_at=NOW)
    assert not ledger.mark_sent(batch, endpoint=ENDPOINT, now=NOW, by=by("submit"))
    assert one(ledger, "SELECT sends FROM batches") == 1
    assert_consistent(ledger)


@pytest.mark.parametrize("what", ["epoch", "answered", "refused"])
def test_an_overtaken_claimer_changes_nothing(ledger: Ledger, what: str) -> None:
    """With another epoch, or once the batch has ended, every verb says so and stores nothing."""
    batch = sent(ledger, sealed(ledger, 2))
    if what == "epoch":
        assert claim(ledger) is not None
    elif what == "answered":
        stored = ledger.record_answer(batch, ["1", "2"], next_report_at=NOW, by=by())
        assert stored is AnswerStored.BY_POSITION
    else:
        assert ledger.record_refusal(batch, why="no", by=by())
    before = snapshot(ledger)
    assert not ledger.mark_sent(batch, endpoint=ENDPOINT, now=NOW, by=by())
    stored = ledger.record_answer(batch, ["8", "9"], next_report_at=NOW, by=by())
    assert stored is AnswerStored.OVERTAKEN
    stored = ledger.record_answer(batch, ["8"], next_report_at=NOW, by=by())
    assert stored is AnswerStored.OVERTAKEN
    assert not ledger.record_refusal(batch, why="late", by=by())
    assert not ledger.record_no_answer(batch, in_doubt=True, outcome="late", next_at=NOW)
    if what == "epoch":
        ledger.let_go(batch, next_at=NOW)
    assert snapshot(ledger) == before


def test_what_was_never_sent_has_no_end(ledger: Ledger) -> None:
    """An answer to a batch that is only sealed is nobody's: nothing is stored."""
    batch = sealed(ledger, 1)
    before = snapshot(ledger)
    stored = ledger.record_answer(batch, ["1"], next_report_at=NOW, by=by())
    assert stored is AnswerStored.OVERTAKEN
    assert not ledger.record_refusal(batch, why="no", by=by())
    assert not ledger.record_no_answer(batch, in_doubt=True, outcome="?", next_at=NOW)
    assert snapshot(ledger) == before


@pytest.mark.parametrize("in_doubt", [True, False])
def test_no_answer_keeps_the_batch_and_what_is_known(ledger: Ledger, in_doubt: bool) -> None:
    """The batch stays sent, is claimable again at its time, and remembers the doubt for ever."""
    batch = sent(ledger, sealed(ledger, 1))
    assert ledger.record_no_answer(batch, in_doubt=in_doubt, outcome="timeout", next_at=NOW + HOUR)
    assert claim(ledger, later=HOUR - timedelta(seconds=1)) is None
    again = claim(ledger, later=HOUR)
    assert again is not None
    assert again.doubtful is in_doubt
    assert (again.body, again.key, again.members) == (batch.body, batch.key, batch.members)
    assert one(ledger, "SELECT outcome FROM batches") == "timeout"


def test_a_sealed_batch_is_leased_to_its_sealer(ledger: Ledger) -> None:
    """Nobody else claims it while the lease runs; after it, its epoch grows."""
    batch = sealed(ledger, 1)
    assert claim(ledger, later=CLAIM_LIFE - timedelta(seconds=1)) is None
    again = claim(ledger)
    assert again is not None
    assert (batch.epoch, again.epoch) == (1, 2)
    assert again.state is BatchState.SEALED
    assert not again.doubtful
    assert claim(ledger) is None


def test_a_dead_sender_leaves_a_doubt(ledger: Ledger) -> None:
    """A sending whose end nobody wrote down counts as ambiguous, once for each such sending."""
    sent(ledger, sealed(ledger, 1))
    first = claim(ledger)
    assert first is not None
    assert (first.doubtful, first.ambiguous) == (True, 1)
    assert one(ledger, "SELECT outcome FROM batches") == "no_record"
    again = claim(ledger, later=2 * CLAIM_LIFE)
    assert again is not None
    assert again.ambiguous == 1  # claimed and not sent: no new doubt
    sent(ledger, again, now=NOW + 2 * CLAIM_LIFE)
    third = claim(ledger, later=3 * CLAIM_LIFE)
    assert third is not None
    assert third.ambiguous == 2


def test_a_claim_can_be_given_back(ledger: Ledger) -> None:
    """After let_go the batch is free at once, or at its time."""
    sealed(ledger, 1)
    first = claim(ledger)
    assert first is not None
    ledger.let_go(first, next_at=None)
    second = claim(ledger)
    assert second is not None
    ledger.let_go(second, next_at=NOW + HOUR)
    assert claim(ledger, later=HOUR - MINUTE) is None
    assert claim(ledger, later=HOUR) is not None


def test_the_sole_owner_frees_every_claim(ledger: Ledger) -> None:
    """After a kill the next process need not wait for the leases of the dead one."""
    for first in (0, 10, 20):
        sent(ledger, sealed(ledger, 2, first=first))
    assert claim(ledger, later=MINUTE) is None
    ledger.free_claims()
    claimed = [claim(ledger, after_id=n, later=MINUTE) for n in range(3)]
    assert [batch.id for batch in claimed if batch] == [1, 2, 3]


def test_claims_go_through_the_batches_once(ledger: Ledger) -> None:
    """`after_id` takes a pass past what it has looked at, other campaigns stay out."""
    for first in (0, 10):
        sealed(ledger, 1, first=first)
    stage(ledger, 1, first=30, sync="other", campaign="other")
    ledger.seal_batch("other", phones_max=5, now=NOW, by=by())
    one_, two = claim(ledger), claim(ledger, after_id=1)
    assert one_ is not None
    assert two is not None
    assert (one_.id, two.id) == (1, 2)
    assert claim(ledger, after_id=2, later=HOUR) is None


def test_a_stored_body_that_changed_is_never_sent(ledger: Ledger) -> None:
    """A damaged body is seen when it is claimed."""
    sealed(ledger, 1)
    with ledger._store.write("test") as connection:
        connection.execute(ledger_update(b"[]"))
    with pytest.raises(AssertionError, match="a stored body changed"):
        claim(ledger)


def ledger_update(body: bytes) -> object:
    """Damage every stored body."""
    return batches.update().values(body=body)


def race(ledger_url: str, count: int, work: object) -> list[object]:
    """Run `work(ledger)` on `count` ledgers of their own, all at once; what each gave."""
    ledgers = [Ledger.open(ledger_url) for _ in range(count)]
    ready, given = threading.Barrier(count), [None] * count

    def run(n: int) -> None:
        ready.wait()
        given[n] = work(ledgers[n])  # type: ignore[operator]

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one_ in ledgers:
        one_.close()
    return given


def test_a_batch_is_claimed_by_one(ledger: Ledger, ledger_url: str) -> None:
    """Four processes that claim the same batch at once: one gets it, three get nothing."""
    for first in range(5):
        sealed(ledger, 1, first=first)
        claimed = race(ledger_url, 4, lambda own: claim(own, after_id=first))  # noqa: B023
        assert len([batch for batch in claimed if batch is not None]) == 1
        assert one(ledger, "SELECT epoch FROM batches WHERE id = :id", id=first + 1) == 2


def test_processes_that_seal_at_once_share_the_jobs(ledger: Ledger, ledger_url: str) -> None:
    """No job is in two batches, none is lost, and everybody ends with what is not locked."""
    stage(ledger, 120)

    def seal_all(own: Ledger) -> list[ClaimedBatch]:
        made = []
        for _ in range(60):
            try:
                batch = seal(own, size=7)
            except Transient:
                continue
            if batch is None:
                break
            made.append(batch)
        return made

    made = list(itertools.chain.from_iterable(race(ledger_url, 3, seal_all)))  # type: ignore[arg-type]
    while batch := seal(ledger, size=7):
        made.append(batch)
    times = Counter(member for batch in made for member in batch.members)
    assert set(times.values()) == {1}
    assert len(times) == 120
    assert len({batch.key for batch in made}) == len(made)
    assert_consistent(ledger)


def test_one_of_two_senders_of_a_claim_wins(ledger: Ledger, ledger_url: str) -> None:
    """An old claimer and a new one that mark the same batch sent: only the new epoch may send."""
    old = sealed(ledger, 1)
    new = claim(ledger)
    assert new is not None
    turn = iter([old, new, old])
    lock = threading.Lock()

    def mark(own: Ledger) -> bool:
        with lock:
            mine = next(turn)
        return own.mark_sent(mine, endpoint=ENDPOINT, now=NOW + CLAIM_LIFE, by=by())

    assert sorted(race(ledger_url, 3, mark)) == [False, False, True]  # type: ignore[type-var]
    assert one(ledger, "SELECT sends FROM batches") == 1


def test_a_move_of_jobs_that_left_their_state_moves_none(ledger: Ledger) -> None:
    """One of two jobs was withdrawn meanwhile: neither moves, and nothing is journaled."""
    stage(ledger, 2)
    ledger.cancel_unsent([1], why="by a person", by=by("cli:cancel"))
    before = snapshot(ledger)
    jobs = [(1, SYNC), (2, SYNC)]
    with (
        pytest.raises(Transient, match="1 of 2 jobs left staged"),
        ledger._store.write("test") as tx,
    ):
        move_jobs(
            tx,
            jobs,
            campaign=CAMPAIGN,
            old=JobState.STAGED,
            new=JobState.EXPIRED,
            why="finish_passed",
            by=by(),
        )
    assert snapshot(ledger) == before
