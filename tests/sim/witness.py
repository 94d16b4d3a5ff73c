"""Looks at each request as it leaves, and notes what must never be.

I1 nobody is called twice · I4 no request outside the times that are promised · I5 one key, one body
· I8 no request without a committed intent. What can be told only at the end is in invariants.py.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from syncd.core.doubt import QUIET, RESEND_WINDOW
from syncd.core.keys import body_digest
from tests.sim.database import Database
from tests.sim.plan import Plan
from tests.sim.vendor import Vendor

RESEND_MS = int(RESEND_WINDOW.total_seconds() * 1000)
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
    sendings: dict[str, Sending] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)  #: IDs that an answer did not tell
    requests: int = 0

    def violated(self, law: str, what: str) -> None:
        """Note a broken law."""
        self.violations.append(f"{law}: {what}")

    def left(self, endpoint: str, key: str, body: bytes, *, at_ms: int) -> None:
        """An addPhones request leaves an instance at this true instant."""
        known = self.sendings.get(key)
        if known is None:
            known = self.sendings[key] = Sending(body, endpoint, at_ms, at_ms)
        elif known.body != body:
            self.violated("I5", f"key {key[:8]} has two bodies")
        else:
            self._check_times(key, known, endpoint, at_ms)
        known.last_ms = at_ms
        known.count += 1
        self._check_intent(key, known, body)

    def _check_times(self, key: str, known: Sending, endpoint: str, at_ms: int) -> None:
        if endpoint != known.endpoint:
            self.violated("I4", f"key {key[:8]} went to another endpoint")
        if not self.plan.clocks_right:
            return
        if at_ms - known.first_ms > RESEND_MS:
            self.violated("I4", f"key {key[:8]} left {at_ms - known.first_ms} ms after its first")
        if at_ms - known.last_ms < QUIET_MS:
            self.violated("I4", f"key {key[:8]} left {at_ms - known.last_ms} ms after its last")

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
        times = Counter(job.phone for job in self.vendor.jobs(campaign))
        twice = sorted(phone for phone, count in times.items() if count > 1)
        if twice:
            self.violated("I1", f"called twice in {campaign}: {', '.join(twice)}")
