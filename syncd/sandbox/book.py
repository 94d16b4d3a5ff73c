"""The book of the sandbox: campaigns, and every verb that changes them.

Owns order and memory: time passes for the dialers before anything is done, an idempotence key is
looked up before anything is read, and what was done is in the journal before it is answered. All
verbs may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import RLock
from typing import Any, Literal, NamedTuple

import orjson

from syncd.sandbox.campaign import SandboxCampaign
from syncd.sandbox.clock import Anchor, VirtualClock
from syncd.sandbox.jobs import Job
from syncd.sandbox.journal import FORMAT, Journal, embedded
from syncd.sandbox.refusals import ControlRefusalError, RefusalError, bad_request
from syncd.sandbox.settings import SettingsCache
from syncd.sandbox.validate import Draft, draft_one, duplicated, phone_digits, read_json, read_list

DEFAULT_LINES = 20
Duplicates = Literal["ignore", "error"]
Control = Literal["pause", "resume", "stop"]


class Added(NamedTuple):
    """The answer to addPhones or addPhone, and what the log of requests says of it."""

    answer: bytes
    phones: int
    jobs: int
    repeated: bool = False  # the key was remembered: this is the first answer again
    ignored: tuple[str, ...] = ()  # fields that nobody knows


class Book:
    """Campaigns by token. `lines` are the calls at once of each; `seed` decides outcomes."""

    def __init__(
        self,
        clock: VirtualClock,
        tokens: Iterable[str],
        *,
        seed: int = 1,
        lines: int = DEFAULT_LINES,
        duplicates: Duplicates = "ignore",
        journal: Journal | None = None,
    ) -> None:
        self.lock = RLock()
        self.clock = clock
        self.seed = seed
        self.lines = lines
        self.duplicates: Duplicates = duplicates
        self.campaigns: dict[str, SandboxCampaign] = {}
        self._settings = SettingsCache()
        self._journal: Journal | None = None
        self._tokens = tuple(tokens)
        if journal is not None and journal.records:
            self._replay(journal.records)
            journal.records = []
            self._journal = journal
        else:
            self._journal = journal
            self._begin()
        self._open_campaigns()

    def now_ms(self) -> int:
        """The virtual present, after the dialers did what was due until then."""
        with self.lock:
            now_ms = self.clock.now_ms()
            for campaign in self.campaigns.values():
                campaign.dialer.run(now_ms)
            return now_ms

    def campaign(self, token: str) -> SandboxCampaign:
        """The campaign of a token; RefusalError 404 `invalid.token` for an unknown one."""
        found = self.campaigns.get(token)
        if found is None:
            raise RefusalError("invalid.token", "the token is not valid", status=404)
        return found

    def add_phones(self, token: str, body: bytes, key: str | None) -> Added:
        """The JSON array of created job IDs; with a remembered key the first answer.

        Source: Calls API, Methods (addPhones), Idempotence and duplicates.
        """
        with self.lock:
            now_ms, campaign = self.now_ms(), self.campaign(token)
            known = campaign.remembered(key, now_ms)
            if known is not None:
                return Added(known, _length(body), 0, repeated=True)
            self._must_run(campaign)
            drafts = read_list(body, self._settings)
            new = [draft for draft in drafts if not campaign.is_duplicate(draft, now_ms)]
            if self.duplicates == "error" and len(new) < len(drafts):
                fresh = {draft.phone for draft in new}
                raise duplicated([draft.phone for draft in drafts if draft.phone not in fresh])
            jobs = [campaign.make(draft, now_ms, key) for draft in new]
            answer = orjson.dumps([str(job.id) for job in jobs])
            campaign.remember(key, answer, now_ms)
            self._write(now_ms, "add_phones", token=token, key=key, body=embedded(body))
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
            known = campaign.remembered(key, now_ms)
            if known is not None:
                return Added(known, 1, 0, repeated=True)
            self._must_run(campaign)
            draft: Draft = draft_one(phone, payload, zone, self._settings)
            if not (key or test) and campaign.is_duplicate(draft, now_ms):
                raise duplicated([draft.phone])
            job = campaign.make(draft, now_ms, key, test=test)
            answer = orjson.dumps(str(job.id))
            campaign.remember(key, answer, now_ms)
            self._write(
                now_ms, "add_phone", token=token, phone=draft.phone, payload=payload, zone=zone,
                key=key, test=test,
            )  # fmt: skip
            return Added(answer, 1, 1)

    def cancel(self, token: str, body: bytes) -> bytes:
        """The JSON array of the IDs that were cancelled. Source: Calls API, callJob/cancel."""
        with self.lock:
            now_ms, campaign = self.now_ms(), self.campaign(token)
            jobs = self.named(campaign, body)
            done = [str(job.id) for job in jobs if campaign.dialer.cancel(job)]
            self._write(now_ms, "cancel", token=token, ids=done)
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
            self._write(now_ms, "control", token=token, action=action)

    def move_clock(self, *, advance_s: float = 0.0, speed: float | None = None) -> int:
        """Moves the virtual clock, or changes its speed; answers the new present."""
        with self.lock:
            was_ms = self.now_ms()
            self.clock.advance(advance_s)
            if speed is not None:
                self.clock.set_speed(speed)
            self._write(was_ms, "clock", anchor=list(self.clock.anchor))
            return self.now_ms()

    def reset(self) -> None:
        """Forgets all jobs and keys; tokens and the clock stay."""
        with self.lock:
            self.campaigns.clear()
            if self._journal is not None:
                self._journal.clear()
            self._begin()
            self._open_campaigns()

    def named(self, campaign: SandboxCampaign, body: bytes) -> list[Job]:
        """The jobs that `{"phones": …, "ids": …}` names; RefusalError when one is unknown."""
        request = read_json(body)
        if not isinstance(request, dict) or not request.keys() & {"phones", "ids"}:
            raise bad_request("the body must be an object with phones, ids or both")
        jobs: dict[int, Job] = {}
        for named in _listed(request, "ids"):
            text = str(named)
            job = campaign.jobs.get(int(text)) if text.isascii() and text.isdigit() else None
            if job is None:
                raise RefusalError("id.not.found", f"there is no call job with id {text}")
            jobs[job.id] = job
        for named in _listed(request, "phones"):
            found = list(campaign.of_phone(_digits(named)))
            if not found:
                raise RefusalError("phone.not.found", f"there is no call job with phone {named}")
            jobs |= {job.id: job for job in reversed(found)}
        return list(jobs.values())

    def _must_run(self, campaign: SandboxCampaign) -> None:
        if campaign.dialer.stopped:
            raise RefusalError(
                "invalid.call.task.state", "the campaign is finished", state="FINISHED"
            )

    # --- the state file -------------------------------------------------------------------------

    def _begin(self) -> None:
        self._write(
            self.clock.now_ms(), "begin", format=FORMAT, seed=self.seed, lines=self.lines,
            duplicates=self.duplicates, anchor=list(self.clock.anchor),
        )  # fmt: skip

    def _open_campaigns(self) -> None:
        for token in self._tokens:
            if token not in self.campaigns:
                now_ms = self.clock.now_ms()
                self._open_campaign(token, now_ms)
                self._write(now_ms, "campaign", token=token)

    def _open_campaign(self, token: str, now_ms: int) -> None:
        index = len(self.campaigns)
        self.campaigns[token] = SandboxCampaign(
            index, token, lines=self.lines, seed=self.seed, now_ms=now_ms
        )

    def _write(self, at_ms: int, verb: str, **fields: Any) -> None:
        if self._journal is not None:
            self._journal.append({"do": verb, "at": at_ms, **fields})

    def _replay(self, records: list[dict[str, Any]]) -> None:
        """Lives an earlier life again, each request at its own time; the clock then runs on."""
        head = records[0]
        self.seed, self.lines, self.duplicates = head["seed"], head["lines"], head["duplicates"]
        anchor = head["anchor"]
        for record in records:
            self.clock.pin(record["at"])
            anchor = record.get("anchor", anchor)
            self._again(record)
        self.clock.restore(Anchor(*anchor))

    def _again(self, record: dict[str, Any]) -> None:
        match record["do"]:
            case "campaign":
                self._open_campaign(record["token"], record["at"])
            case "add_phones":
                self.add_phones(record["token"], orjson.dumps(record["body"]), record["key"])
            case "add_phone":
                fields = {
                    name: record[name] for name in ("phone", "payload", "zone", "key", "test")
                }
                self.add_phone(record["token"], **fields)
            case "cancel":
                self.cancel(record["token"], orjson.dumps({"ids": record["ids"]}))
            case "control":
                self.control(record["token"], record["action"])
            case _:
                self.now_ms()  # begin and clock: time alone


def _listed(request: dict[str, Any], name: str) -> list[Any]:
    value = request.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise bad_request(f"{name} must be a list")
    return value


def _digits(named: object) -> str:
    """The digits of a phone that a report asks for; a bad one is simply unknown."""
    try:
        return phone_digits(named)
    except RefusalError:
        return ""


def _length(body: bytes) -> int:
    """How many phones a list names whose content nobody looks at."""
    try:
        items = orjson.loads(body)
    except orjson.JSONDecodeError:
        return 0
    return len(items) if isinstance(items, list) else 0
