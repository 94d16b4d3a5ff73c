"""Looks at each request as it leaves, and notes what must never be.

I1 nobody is called twice · I4 no request outside the times that are promised · I5 one key, one body
· I8 no request without a committed intent · I10 nobody is sent who was barred before · I11 who was
overtaken changes nothing. What can be told only at the end is in invariants.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from syncd.clock import to_ms
from syncd.core.doubt import QUIET
from syncd.core.keys import body_digest
from syncd.ledger.outbox import CLAIM_LIFE
from syncd.sandbox.jobs import CANCELED, Job
from tests.sim.database import Database
from tests.sim.people import Table
from tests.sim.plan import Plan
from tests.sim.vendor import Vendor

#: A request leaves so long after its intent, at most.
LEAVES_MS = int(CLAIM_LIFE.total_seconds() * 1000)
#: Who commits these has the batch from then on; the others move one that their instance has.
_CLAIMS = ("batch.claim", "batch.seal")
_MOVES = (
    "batch.mark_sent",
    "batch.record_answer",
    "batch.record_refusal",
    "batch.record_no_answer",
    "batch.let_go",
    "batch.look_again",
    "batch.record_absent",
    "batch.adopt",
)
QUIET_MS = int(QUIET.total_seconds() * 1000)


@dataclass(slots=True)
class Sending:
    """The requests of one key, as they left."""

    body: bytes
    endpoint: str
    first_ms: int
    last_ms: int
    count: int = 0


@dataclass(slots=True)
class Witness:
    """What was seen to leave, and what was wrong with it."""

    plan: Plan
    database: Database
    vendor: Vendor
    tables: Mapping[str, Table]
    sendings: dict[str, Sending] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)  #: IDs that an answer did not tell
    barred: dict[str, int] = field(default_factory=dict)  #: phone to when the ledger knew it
    requests: int = 0
    _batches: dict[int, tuple[object, ...]] = field(default_factory=dict)
    _owners: dict[int, str] = field(default_factory=dict)  #: batch to the instance that has it

    def violated(self, law: str, what: str) -> None:
        """Note a broken law."""
        self.violations.append(f"{law}: {what}")

    def forget(self) -> None:
        """A backup was put back: what the ledger has lost is not held against it."""
        self.sendings.clear()
        self.barred.clear()
        self._batches.clear()
        self._owners.clear()

    def committed(self, who: str, step: str) -> None:
        """I11: a commit of this instance moves no batch that another one has claimed since."""
        if not step.startswith(("batch.", "recovery.")):
            return
        found = self.database.rows(
            "SELECT id, epoch, state, sends, ambiguous, outcome, next_at FROM batches"
        )
        for batch, *told in found:
            row = tuple(told)
            if self._batches.get(batch) == row:
                continue
            self._batches[batch] = row
            if step in _CLAIMS:
                self._owners[batch] = who
            elif step in _MOVES and self._owners.get(batch, who) != who:
                self.violated("I11", f"{step} by {who}: batch {batch} is {self._owners[batch]}'s")

    def left(self, endpoint: str, key: str, body: bytes, *, at_ms: int) -> None:
        """An addPhones request leaves an instance at this true instant."""
        known = self.sendings.get(key)
        if known is None:
            known = self.sendings[key] = Sending(body, endpoint, at_ms, at_ms)
            self._check_barred(key, body)
        elif known.body != body:
            self.violated("I5", f"key {key[:8]} has two bodies")
        else:
            self._check_times(key, known, endpoint, at_ms)
            self._check_ends(key, body, at_ms)
        known.last_ms = at_ms
        known.count += 1
        self._check_intent(key, known, body)

    def _check_times(self, key: str, known: Sending, endpoint: str, at_ms: int) -> None:
        if endpoint != known.endpoint:
            self.violated("I4", f"key {key[:8]} went to another endpoint")
        if not self.plan.clocks_right:
            return
        if at_ms - known.first_ms > self.plan.resend_ms:
            self.violated("I4", f"key {key[:8]} left {at_ms - known.first_ms} ms after its first")
        if at_ms - known.last_ms < QUIET_MS:
            self.violated("I4", f"key {key[:8]} left {at_ms - known.last_ms} ms after its last")

    def _check_ends(self, key: str, body: bytes, at_ms: int) -> None:
        """Sent again: not when a job of it is over."""
        if not (self.plan.ends and self.plan.clocks_right):
            return
        for item in orjson.loads(body):
            end = item.get("finishDateTime")
            if end is not None and at_ms > to_ms(datetime.fromisoformat(end)) + LEAVES_MS:
                self.violated("I4", f"key {key[:8]} left after the end of one of its jobs")

    def _check_barred(self, key: str, body: bytes) -> None:
        """A list that was made after a phone was barred does not have it."""
        if not (self.barred and self.plan.clocks_right):
            return
        found = self.database.rows("SELECT created_at FROM batches WHERE key = ?", key)
        for item in orjson.loads(body):
            since_ms = self.barred.get(item["phone"])
            if found and since_ms is not None and found[0][0] > since_ms:
                self.violated("I10", f"{item['phone']} was sent {found[0][0] - since_ms} ms late")

    def _check_intent(self, key: str, known: Sending, body: bytes) -> None:
        found = self.database.rows(
            "SELECT body_digest, first_sent_at, sends FROM batches WHERE key = ?", key
        )
        if not found or found[0][1] is None or found[0][0] != body_digest(body):
            self.violated("I8", f"key {key[:8]} left without a committed intent")
        elif found[0][2] < known.count:
            self.violated("I8", f"key {key[:8]} left {known.count} times, {found[0][2]} committed")

    def check_calls(self, campaign: str) -> None:
        """I1: each phone has one call at most, whatever the engine believes."""
        times = Counter(job.phone for job in self.vendor.jobs(campaign) if _may_call(job))
        twice = [phone for phone, count in times.items() if count > self._allowed(campaign, phone)]
        if twice:
            self.violated("I1", f"called twice in {campaign}: {', '.join(sorted(twice))}")

    def _allowed(self, campaign: str, phone: str) -> int:
        """So many calls a phone may have: each change of its row asks for one where that is so."""
        again = self.plan.on_change == "call_again"
        return 1 + (self.tables[campaign].edits[f"+{phone}"] if again else 0)


def _may_call(job: Job) -> bool:
    """What was cancelled before it was dialled is no call."""
    return job.status != CANCELED or bool(job.attempts)
