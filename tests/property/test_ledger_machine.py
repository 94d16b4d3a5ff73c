"""Whatever order the verbs come in: the laws hold, the counts are right, the journal tells all.

A machine of random verbs runs against an SQLite ledger and a model of the vendor: a campaign that
remembers keys as the Calls API does. Answers are lost, claimers die, and bodies repeat.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from syncd.core.call_job import PHONE_TAKEN, JobState
from syncd.core.refused_batch import Rest
from syncd.ledger.ledger import Ledger
from syncd.ledger.outbox import ClaimedBatch
from syncd.ledger.rejections import NewRejection
from tests.ledgers import (
    CAMPAIGN,
    MINUTE,
    NOW,
    assert_consistent,
    by,
    job,
    lead,
    new_ledger,
    page,
    report,
    rows,
    sqlite_url,
)

NUMBERS = st.integers(0, 11)
SYNCS = st.sampled_from(["crm", "other"])


class Vendor:
    """A campaign: one key, one answer, whatever the body says; each call has a phone."""

    def __init__(self) -> None:
        self.answers: dict[str, list[str]] = {}
        self.bodies: dict[str, bytes] = {}
        self.calls: dict[str, int] = {}

    def add_phones(self, batch: ClaimedBatch, *, skip: bool) -> list[str]:
        """Create calls for a new key (all but the first phone, with `skip`), or answer again."""
        if batch.key not in self.answers:
            phones = [int(item["phone"]) for item in orjson.loads(batch.body)]
            ids = []
            for phone in phones[1:] if skip else phones:
                ids.append(str(len(self.calls)))
                self.calls[ids[-1]] = phone
            self.answers[batch.key] = ids
            self.bodies[batch.key] = batch.body
        assert self.bodies[batch.key] == batch.body, "one key, two bodies"
        return self.answers[batch.key]


class LedgerMachine(RuleBasedStateMachine):
    """Verbs in any order."""

    claims = Bundle("claims")
    sendings = Bundle("sendings")

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="syncd-machine-"))
        self.ledger = new_ledger(sqlite_url(self.folder / "syncd.db"))
        self.vendor = Vendor()
        self.now = NOW
        self.keys = 0

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.close()
            shutil.rmtree(self.folder)

    @rule(numbers=st.lists(NUMBERS, min_size=1, max_size=6), sync=SYNCS, data=st.data())
    def take_in(self, numbers: list[int], sync: str, data: st.DataObject) -> None:
        """New leads, some held, some with an end; phones repeat."""
        found = []
        for number in numbers:
            held = data.draw(st.sampled_from([None, None, None, "no_zone"]))
            ends = data.draw(st.sampled_from([None, None, self.now + MINUTE]))
            self.keys += 1
            mapped = job(number, held=held, finish_at=ends)
            found.append(lead(number, key=f"k{self.keys}", mapped=mapped))
        bad = [NewRejection(1, "phone_invalid", "…", key=f"k{self.keys}")]
        self.ledger.store_page(
            page(*found, sync=sync, rejections=bad, cursor={"n": self.keys}), by=by("poll")
        )
        assert self.ledger.position(sync).cursor == {"n": self.keys}

    @rule(number=NUMBERS)
    def release(self, number: int) -> None:
        """The oldest held job gets its zone, and maybe another phone."""
        held = rows(self.ledger, "SELECT id, sync FROM call_jobs WHERE state = 'held' ORDER BY id")
        for job_id, sync in held[:1]:
            again = page(sync=sync, released=[(job_id, job(number))])
            self.ledger.store_page(again, by=by("poll"))

    @rule(target=claims, size=st.integers(1, 5))
    def seal(self, size: int) -> ClaimedBatch | object:
        """The next batch, if there is anything staged."""
        batch = self.ledger.seal_batch(CAMPAIGN, phones_max=size, now=self.now, by=by("submit"))
        return multiple() if batch is None else batch

    @rule(target=claims, after_id=st.integers(0, 3))
    def claim(self, after_id: int) -> ClaimedBatch | object:
        """A batch that nobody holds."""
        batch = self.ledger.claim_open_batch(CAMPAIGN, after_id=after_id, now=self.now)
        return multiple() if batch is None else batch

    @rule(target=sendings, batch=claims, skip=st.booleans(), lost=st.booleans())
    def send(self, batch: ClaimedBatch, skip: bool, lost: bool) -> object:
        """Only a committed intent permits the request; the answer may be lost on its way."""
        if not self.ledger.mark_sent(batch, endpoint="e", now=self.now, by=by("submit")):
            return multiple()
        ids = self.vendor.add_phones(batch, skip=skip)
        return multiple() if lost else (batch, ids)

    @rule(sending=consumes(sendings))
    def answer(self, sending: tuple[ClaimedBatch, list[str]]) -> None:
        """The answer arrives, at whatever time."""
        batch, ids = sending
        self.ledger.record_answer(batch, ids, next_report_at=self.now, by=by("submit"))

    @rule(batch=claims)
    def doubt(self, batch: ClaimedBatch) -> None:
        """No answer came."""
        self.ledger.record_no_answer(batch, in_doubt=True, outcome="timeout", next_at=self.now)

    @rule(batch=claims, unnamed=st.booleans())
    def refuse(self, batch: ClaimedBatch, unnamed: bool) -> None:
        """The vendor refuses, but only what it has not carried out before (it knows the key)."""
        if batch.key in self.vendor.answers:
            return
        if self.ledger.mark_sent(batch, endpoint="e", now=self.now, by=by("submit")):
            halved = unnamed and batch.size > 1  # a batch of one has its guilty job
            guilty = {int(orjson.loads(batch.body)[0]["phone"]): JobState.REFUSED}
            self.ledger.record_refusal(
                batch,
                why="phone.wrong",
                guilty={} if halved else guilty,
                rest=Rest.HALVES if halved else Rest.AGAIN,
                by=by("submit"),
            )

    @rule(batch=claims)
    def let_go(self, batch: ClaimedBatch) -> None:
        self.ledger.let_go(batch, next_at=None)

    @rule()
    def die(self) -> None:
        """The process is killed and another begins; what it had claimed is free."""
        self.ledger.close()
        self.ledger = Ledger.open(sqlite_url(self.folder / "syncd.db"))
        self.ledger.free_claims()

    @rule(minutes=st.sampled_from([1, 2, 15]))
    def wait(self, minutes: int) -> None:
        """Time passes: leases and ends with it."""
        self.now += timedelta(minutes=minutes)

    @rule()
    def match(self) -> None:
        """IDs of short answers are matched by the phones that the vendor reports."""
        for waiting in self.ledger.unmatched_batches(CAMPAIGN):
            phones = {self.vendor.calls[id_]: id_ for id_ in waiting.ids}
            self.ledger.match_answer(CAMPAIGN, waiting.batch_id, phones, by=by("reconcile"))

    @precondition(lambda self: self.vendor.calls)
    @rule(data=st.data())
    def pull(self, data: st.DataObject) -> None:
        """Reports of some calls, ended or not, also of calls that the ledger does not know yet."""
        ids = data.draw(st.lists(st.sampled_from(sorted(self.vendor.calls)), max_size=5))
        status = data.draw(st.sampled_from(["noAnswer", "planned", "odd"]))
        found = [report(id_, status, phone=str(self.vendor.calls[id_])) for id_ in ids]
        self.ledger.store_reports(CAMPAIGN, found, by=by("pull_reports"))

    @rule(number=NUMBERS)
    def cancel(self, number: int) -> None:
        """A person withdraws what was not sent."""
        ids = [one.job_id for one in self.ledger.cancellable(key=f"k{number}")]
        self.ledger.cancel_unsent(ids, why="asked", by=by("cli:cancel", pass_id=None))

    @invariant()
    def counts_and_journal_tell_the_rows(self) -> None:
        """Kept counts, journal and open jobs agree with the rows after every verb."""
        if hasattr(self, "ledger"):
            assert_consistent(self.ledger)

    @invariant()
    def nobody_is_called_twice(self) -> None:
        """Law 1: each phone has one live job, and the vendor one call for it."""
        if not hasattr(self, "ledger"):
            return
        taken = rows(
            self.ledger,
            "SELECT phone, count(*) FROM call_jobs WHERE state IN "
            f"({', '.join(repr(state.value) for state in PHONE_TAKEN)}) GROUP BY 1",
        )
        assert {count for _, count in taken} <= {1}
        called = sorted(self.vendor.calls.values())
        assert len(called) == len(set(called))

    @invariant()
    def an_id_is_the_id_of_its_phone(self) -> None:
        """Law 4: a job never has the ID of another phone's call."""
        if hasattr(self, "ledger"):
            found = rows(
                self.ledger,
                "SELECT call_job_id, phone FROM call_jobs WHERE call_job_id IS NOT NULL",
            )
            assert all(self.vendor.calls[id_] == phone for id_, phone in found)

    @invariant()
    def every_lead_has_its_job(self) -> None:
        """Law 2: nothing that was taken in is without a state."""
        if hasattr(self, "ledger"):
            ((leads,),) = rows(self.ledger, "SELECT count(*) FROM leads")
            assert leads == self.keys
            ((orphans,),) = rows(
                self.ledger,
                "SELECT count(*) FROM leads WHERE id NOT IN (SELECT lead_id FROM call_jobs)",
            )
            assert orphans == 0


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=25, stateful_step_count=30)
