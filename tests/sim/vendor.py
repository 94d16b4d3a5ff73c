"""The vendor of a simulation: the sandbox's own book behind its own routes, without a socket.

Its clock is the simulation's. What it does beyond the sandbox (a number that it suddenly refuses, a
list that it looks at before the key) is written here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import orjson

from syncd.sandbox.campaign import SandboxCampaign
from syncd.sandbox.exchange import exchange
from syncd.sandbox.faults import Answer
from syncd.sandbox.jobs import Job
from syncd.sandbox.keys import Owner
from syncd.sandbox.knobs import YEAR_HOURS, Knobs
from syncd.sandbox.world import SandboxConfig, World, build_world
from tests.sim.plan import HOUR_MS, KEY_MARGIN_HOURS, Plan

_PATH = re.compile(r"^(/api/(?:calls|crmCalls)/campaign/)([^/]+)(.*)$")
UNKNOWN_TOKEN = Answer(orjson.dumps({"type": "invalid.token", "message": "no"}), 404)


@dataclass(slots=True)
class Vendor:
    """Campaigns by name; the token of a campaign is `token-NAME`."""

    world: World
    validates_first: bool = False
    refused_phones: set[str] = field(default_factory=set)
    unknown_tokens: set[str] = field(default_factory=set)

    def answer(self, verb: str, path: str, key: str | None, body: bytes, *, at_ms: int) -> Answer:
        """Carry out one request at this instant."""
        self.move_to(at_ms)
        found = _PATH.match(path)
        assert found is not None, "a path of the API"
        token = found[2]
        if token in self.unknown_tokens:
            return UNKNOWN_TOKEN
        if path.endswith("/addPhones"):
            refusal = self._refusal(token, key, body, at_ms)
            if refusal is not None:
                return refusal
        headers = {} if key is None else {"idempotence-key": key}
        answer = exchange(self.world, verb, path, headers=headers, body=body).answer
        assert answer is not None, "no fault is asked for"
        return answer

    def move_to(self, at_ms: int) -> None:
        """Time passes for the dialers."""
        self.world.book.clock.pin(at_ms)
        self.world.book.now_ms()

    def campaign(self, name: str) -> SandboxCampaign:
        """The campaign called `name`."""
        return self.world.book.campaigns[token_of(name)]

    def jobs(self, name: str) -> list[Job]:
        """Every call job that one campaign has, call-backs aside."""
        return [job for job in self.campaign(name).created if job.redial is None]

    def _refusal(self, token: str, key: str | None, body: bytes, at_ms: int) -> Answer | None:
        """A list with a phone that is refused; the key is looked at first, or last."""
        if not self.refused_phones:
            return None
        campaign = self.world.book.campaigns[token]
        if not self.validates_first and self._knows(Owner(token, campaign.id), key, at_ms):
            return None
        for item in orjson.loads(body):
            if item["phone"] in self.refused_phones:
                told = {"type": "phone.bad.format", "message": "no", "phone": item["phone"]}
                return Answer(orjson.dumps(told), 400)
        return None

    def _knows(self, owner: Owner, key: str | None, at_ms: int) -> bool:
        book = self.world.book
        return book.keys.find(key, owner, at_ms, book.knobs) is not None


def token_of(name: str) -> str:
    """The token of the campaign called `name`."""
    return f"token-{name}"


def open_vendor(plan: Plan, *, start_ms: int) -> Vendor:
    """A vendor without any job."""
    config = SandboxConfig(
        tokens=tuple(token_of(name) for name in plan.campaigns),
        speed=0.0,
        seed=plan.seed,
        start_ms=start_ms,
        knobs=Knobs(
            paging=plan.paging,
            duplicates="error",
            duplicate_hours=YEAR_HOURS if plan.refuses_known else 0,
            key_hours=plan.resend_ms / HOUR_MS + KEY_MARGIN_HOURS,
            report_lag_seconds=plan.report_lag_s,
            key_check="after_validation" if plan.validates_first else "before_validation",
        ),
    )
    return Vendor(build_world(config), validates_first=plan.validates_first)
