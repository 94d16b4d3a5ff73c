"""The verbs of the sandbox: adding, cancelling and controlling, as the vendor does them.

Owns what a request does and what its key does. What was done is in the journal before it is
answered. All verbs may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

import orjson

from syncd.sandbox.campaign import SandboxCampaign, ordered_ids
from syncd.sandbox.clock import VirtualClock
from syncd.sandbox.journal import Journal, embedded
from syncd.sandbox.keys import Kept, Owner
from syncd.sandbox.knobs import HOUR_MS, Knobs
from syncd.sandbox.naming import named
from syncd.sandbox.past import relive
from syncd.sandbox.refusals import ControlRefusalError, RefusalError, in_progress, repeated
from syncd.sandbox.register import Register
from syncd.sandbox.settings import SettingsCache
from syncd.sandbox.validate import Draft, draft_one, duplicated, length, read_batch

DEFAULT_LINES = 20
OK = 200
Control = Literal["pause", "resume", "stop"]


class Added(NamedTuple):
    """The answer to addPhones or addPhone, and what the log of requests says of it."""

    answer: bytes
    phones: int
    jobs: int
    repeated: bool = False  # the key was remembered: this is the first answer again
    ignored: tuple[str, ...] = ()  # fields that nobody knows


class Book(Register):
    """Campaigns by token. `lines` are the calls at once of each; `seed` decides outcomes."""

    def __init__(
        self,
        clock: VirtualClock,
        tokens: Iterable[str],
        *,
        seed: int = 1,
        lines: int = DEFAULT_LINES,
        knobs: Knobs | None = None,
        journal: Journal | None = None,
    ) -> None:
        super().__init__(clock, tokens, seed=seed, lines=lines, knobs=knobs or Knobs())
        self._settings = SettingsCache()
        self._scripted: RefusalError | None = None
        if journal is not None and journal.records:
            relive(self, journal.records)
            journal.records = []
            self.go_on(journal)
        else:
            self.begin(journal)

    def add_phones(self, token: str, body: bytes, key: str | None) -> Added:
        """The JSON array of created job IDs; with a remembered key the first answer.

        Source: Calls API, Methods (addPhones), Idempotence and duplicates.
        """
        with self.lock:
            now_ms, campaign = self.now_ms(), self.campaign(token)
            owner = Owner(token, campaign.id)
            known = self._known(owner, key, now_ms)
            if known is not None and self.knobs.key_check == "before_validation":
                return _again(known, length(body))
            with self._checking(owner, key, known, now_ms):
                _must_run(campaign)
                drafts = read_batch(body, self._settings)
                new = self._not_duplicates(campaign, drafts, now_ms)
            if known is not None:
                return _again(known, len(drafts))
            jobs = [campaign.make(draft, now_ms, key) for draft in new]
            answer = orjson.dumps(ordered_ids(jobs, self.knobs.id_order, self.seed))
            self.keys.keep(key, Kept(owner, now_ms, answer, OK))
            self.write(now_ms, "add_phones", token=token, key=key, body=embedded(body))
            ignored = {name for draft in drafts for name in draft.settings.ignored}
            return Added(answer, len(drafts), len(jobs), ignored=tuple(sorted(ignored)))

    def add_phone(
        self,
        token: str,
        phone: object,
        payload: dict[str, str] | None,
        zone: str | None,
        key: str | None,
        *,
        test: bool = False,
    ) -> Added:
        """The ID of one new job as a JSON string. Without a key a duplicate is refused."""
        with self.lock:
            now_ms, campaign = self.now_ms(), self.campaign(token)
            owner = Owner(token, campaign.id)
            known = self._known(owner, key, now_ms)
            if known is not None and self.knobs.key_check == "before_validation":
                return _again(known, 1)
            with self._checking(owner, key, known, now_ms):
                _must_run(campaign)
                draft: Draft = draft_one(phone, payload, zone, self._settings)
                since_ms = self._duplicates_since(now_ms)
                if not (key or test) and campaign.is_duplicate(draft, since_ms):
                    raise duplicated([draft.phone])
            if known is not None:
                return _again(known, 1)
            job = campaign.make(draft, now_ms, key, test=test)
            answer = orjson.dumps(str(job.id))
            self.keys.keep(key, Kept(owner, now_ms, answer, OK))
            self.write(
                now_ms, "add_phone", token=token, phone=draft.phone, payload=payload, zone=zone,
                key=key, test=test,
            )  # fmt: skip
            return Added(answer, 1, 1)

    def add_by_operator(self, campaign_id: int, body: bytes) -> list[str]:
        """The IDs of jobs that a person at the vendor made by hand, from items of addPhones.

        No token, key or rule for duplicates is asked. Raises ValueError for an unknown campaign,
        RefusalError for a bad batch or a finished campaign.
        """
        with self.lock:
            now_ms, campaign = self.now_ms(), self.numbered(campaign_id)
            _must_run(campaign)
            drafts = read_batch(body, self._settings)
            jobs = [campaign.make(draft, now_ms, operator=True) for draft in drafts]
            self.write(now_ms, "operator", campaign=campaign_id, body=embedded(body))
            return [str(job.id) for job in jobs]

    def cancel(self, token: str, body: bytes) -> bytes:
        """The JSON array of the IDs that were cancelled; jobs of an operator are unknown here.

        Source: Calls API, callJob/cancel.
        """
        with self.lock:
            now_ms, campaign = self.now_ms(), self.campaign(token)
            jobs = named(campaign, body, lambda job: not job.operator)
            done = [str(job.id) for job in jobs if campaign.dialer.cancel(job)]
            self.write(now_ms, "cancel", token=token, ids=done)
            return orjson.dumps(done)

    def control(self, token: str, action: Control) -> None:
        """Pause, resume or stop; ControlRefusalError in the wrong state."""
        with self.lock:
            now_ms, campaign = self.now_ms(), self.campaign(token)
            allowed = {
                "pause": ("planned", "inProcess"),
                "resume": ("paused",),
                "stop": ("new", "planned", "inProcess", "paused"),
            }
            if campaign.status not in allowed[action]:
                raise ControlRefusalError(
                    "invalid.call.task.state",
                    f"the campaign cannot {action} in state {campaign.status}",
                    campaign.status.upper(),
                )
            if action == "stop":
                campaign.dialer.stop()
            else:
                campaign.dialer.paused = action == "pause"
            self.write(now_ms, "control", token=token, action=action)

    @contextmanager
    def refusing(self, refusal: RefusalError | None) -> Iterator[None]:
        """The check of what is added inside the block ends in this refusal, if there is one."""
        with self.lock:
            self._scripted = refusal
            try:
                yield
            finally:
                self._scripted = None

    # --- keys and duplicates --------------------------------------------------------------------

    def _known(self, owner: Owner, key: str | None, now_ms: int) -> Kept | None:
        """The first answer to a key; RefusalError 409 while its request is in progress."""
        known, busy_s = self.keys.find(key, owner, now_ms, self.knobs), self.knobs.key_busy_seconds
        if key and busy_s:
            fresh = known is not None and now_ms < known.at_ms + busy_s * 1000
            if fresh or self.parking.holds(key, owner, self.knobs.key_scope):
                raise in_progress()
        return known

    @contextmanager
    def _checking(
        self, owner: Owner, key: str | None, known: Kept | None, now_ms: int
    ) -> Iterator[None]:
        """The check of a request: a scripted refusal comes first, and a knob has all remembered."""
        try:
            if self._scripted is not None:
                raise self._scripted
            yield
        except RefusalError as refusal:
            if key and known is None and self.knobs.cache_refusals:
                answer = orjson.dumps(refusal.body)
                self.keys.keep(key, Kept(owner, now_ms, answer, refusal.status))
                self.write(
                    now_ms, "refused", **owner._asdict(), key=key, status=refusal.status,
                    body=refusal.body,
                )  # fmt: skip
            raise

    def _not_duplicates(
        self, campaign: SandboxCampaign, drafts: list[Draft], now_ms: int
    ) -> list[Draft]:
        """What is new of a batch; RefusalError for the rest, when the knob says so."""
        since_ms = self._duplicates_since(now_ms)
        new = [draft for draft in drafts if not campaign.is_duplicate(draft, since_ms)]
        if self.knobs.duplicates == "error" and len(new) < len(drafts):
            fresh = {draft.phone for draft in new}
            raise duplicated([draft.phone for draft in drafts if draft.phone not in fresh])
        return new

    def _duplicates_since(self, now_ms: int) -> int:
        return now_ms - round(self.knobs.duplicate_hours * HOUR_MS)


def _must_run(campaign: SandboxCampaign) -> None:
    if campaign.dialer.stopped:
        raise RefusalError("invalid.call.task.state", "the campaign is finished", state="FINISHED")


def _again(known: Kept, phones: int) -> Added:
    """The remembered answer; a remembered refusal is raised."""
    if known.status != OK:
        raise repeated(known.status, known.answer)
    return Added(known.answer, phones, 0, repeated=True)
