"""What one seed decides before anything runs: how large the world is, and which faults it has.

Each seed switches most faults off and some on ("swarm testing"): a world with every fault at once
does so little between two of them that deep states are never reached.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS

#: What can go wrong at a step of an instance, and with which chance when it is switched on.
STEP_FAULTS = {
    "crash": (0.01, 0.03, 0.10),
    "suspend": (0.005, 0.02, 0.05),
    "clock": (0.01, 0.03),
    "stop": (0.005, 0.02),
    "commit_fails": (0.01, 0.05),  # rolled back, and said so
    "commit_unknown": (0.01, 0.05),  # committed, and the connection was lost before we knew
}
#: What can go wrong with a request, and how often among the others that are switched on.
WIRE_FAULTS = {
    "refused": 2,  # no connection
    "lost": 3,  # the request never arrives
    "answer_lost": 4,  # it was carried out
    "late": 4,  # it arrives after we gave up
    "http_500": 2,
    "http_500_after": 2,
    "http_429": 1,
    "truncated": 1,
    "html_200": 1,
    "html_502": 1,
    "short_answer": 2,
}
#: A request lives this long in proxies, at most (docs/explain/delivery.md: the margin).
LATE_MS = (20_000, 5 * MINUTE_MS, HOUR_MS)
#: What the vendor or a person does once in a while.
EVENTS = ("halt", "token", "refuses", "cancel", "edit", "rotate", "retry")
#: `resend_window` of a campaign. Short ones bring worlds to a look-up that would else end before.
RESENDS_MS = (20 * HOUR_MS, 20 * HOUR_MS, 2 * HOUR_MS, 10 * MINUTE_MS)
#: The vendor keeps a key so much longer (docs/explain/delivery.md: the margin).
KEY_MARGIN_HOURS = 4
#: How late a job shows in reports: settle_time has half an hour for that.
REPORT_LAGS_S = (0, 0, 900)
ON_CHANGE = ("ignore", "ignore", "ignore", "cancel_and_readd", "call_again")
WIRE_RATES = (0.05, 0.2, 0.5)
SWITCHED_ON = 0.4
#: So many worlds are bent towards one of the corners that are seldom reached by chance alone.
BENT_WORLDS = 1 / 3
CALM_WORLDS = 0.03
SUSPENDS_MS = tuple(int(m * MINUTE_MS) for m in (0.25, 3, 11, 15, 180, 1260, 1560))
NAPS_MS = (5_000, 90_000, 10 * MINUTE_MS, 40 * MINUTE_MS)


@dataclass(frozen=True, slots=True)
class Plan:
    """One world."""

    seed: int
    instances: int
    campaigns: tuple[str, ...]
    rows: int
    page_size: int
    batch_size: int
    in_flight: int
    turns: int  #: passes of each instance before the calm
    nap_ms: int  #: between two passes, at most
    steps: dict[str, float] = field(default_factory=dict)
    wire: dict[str, int] = field(default_factory=dict)
    wire_rate: float = 0.0
    late_ms: tuple[int, ...] = LATE_MS
    events: tuple[str, ...] = ()
    crash_at: str = ""  #: a step at which kills are frequent
    suspend_at: str = ""  #: a step at which it is often suspended
    validates_first: bool = False  #: the vendor looks at the list before it looks at the key
    refuses_known: bool = False  #: it refuses a list with a phone that it has a job for
    paging: bool = True
    windows: bool = False
    resend_ms: int = RESENDS_MS[0]
    report_lag_s: int = 0
    ends: bool = False  #: some rows have a `finishDateTime`
    on_change: str = "ignore"
    max_new: int | None = None  #: a tripwire; a person approves what it holds
    lists: bool = False  #: a do-not-call list that grows
    sweeps: bool = False
    restores: bool = False  #: a backup of the ledger is put back
    backup_at: str = ""  #: the step at which it is taken; else at some time

    @property
    def cancels(self) -> bool:
        """Whether calls are withdrawn at the vendor by a pass."""
        return self.lists or self.on_change == "cancel_and_readd"

    @property
    def sole(self) -> bool:
        """One process owns the ledger, as on SQLite: it frees the claims of those before it."""
        return self.instances == 1

    @property
    def clocks_right(self) -> bool:
        """Whether times of two instances can be compared to the second."""
        return "clock" not in self.steps


#: Commits and requests at which one seed in three likes to be killed.
NAMED_STEPS = (
    "page.store",
    "poll.finish",
    "batch.seal",
    "batch.mark_sent",
    "batch.record_no_answer",
    "batch.record_refusal",
    "batch.record_answer",
    "batch.claim",
    "batch.let_go",
    "batch.match_answer",
    "reports.store",
    "addPhones",
    "addPhones.sent",
    "addPhones.answered",
    "getReport",
)
#: Steps around a sending, at which one seed in three likes to be suspended.
SENDING_STEPS = (
    "batch.mark_sent",
    "addPhones",
    "addPhones.sent",
    "addPhones.answered",
    "batch.record_answer",
    "batch.record_no_answer",
    "batch.record_refusal",
    "batch.let_go",
)


_LOSSES = {"lost": 1, "answer_lost": 2}
#: What a world that is bent has, whatever else was drawn for it.
CORNERS: tuple[dict[str, Any], ...] = (
    # A sender is killed and starts again while its request is on the way.
    {"instances": 1, "steps": {}, "crash_at": "addPhones", "nap_ms": 5_000},
    # One instance is overtaken between its claim and its sending, and wakes while others send.
    {
        "instances": 2,
        "restores": False,
        "steps": {},
        "suspend_at": "batch.mark_sent",
        "wire": _LOSSES,
        "wire_rate": 0.5,
        "turns": 16,
        "nap_ms": 90_000,
    },
    # Requests come late, and are looked for before they come.
    {
        "wire": {"late": 1},
        "wire_rate": 0.5,
        "late_ms": (HOUR_MS,),
        "turns": 24,
        "resend_ms": 10 * MINUTE_MS,
        "nap_ms": 10 * MINUTE_MS,
        "steps": {},
    },
    # Jobs are over while their list is in doubt.
    {"ends": True, "wire": _LOSSES, "wire_rate": 0.5, "nap_ms": 10 * MINUTE_MS, "steps": {}},
    # The backup that is put back has a list that is about to be sent.
    {
        "instances": 1,
        "paging": True,
        "restores": True,
        "backup_at": "batch.mark_sent",
        "resend_ms": 10 * MINUTE_MS,
    },
    # A list is refused when it comes a second time.
    {
        "events": ("refuses", "token"),
        "wire": _LOSSES,
        "wire_rate": 0.5,
        "validates_first": True,
        "nap_ms": 90_000,
    },
)


def draw(seed: int) -> Plan:
    """The plan of a seed."""
    chance = random.Random(seed)
    calm = chance.random() < CALM_WORLDS
    instances = chance.choices((1, 2, 3), (5, 4, 2))[0]
    steps = {
        name: chance.choice(rates)
        for name, rates in STEP_FAULTS.items()
        if chance.random() < SWITCHED_ON
    }
    wire = {name: often for name, often in WIRE_FAULTS.items() if chance.random() < SWITCHED_ON}
    wire_rate = chance.choice(WIRE_RATES)
    events = tuple(name for name in EVENTS if chance.random() < SWITCHED_ON / 2)
    crash_at = chance.choice(NAMED_STEPS) if chance.random() < 1 / 2 else ""
    suspend_at = chance.choice(SENDING_STEPS) if chance.random() < 1 / 3 else ""
    paging = chance.random() < 3 / 4
    # Leads that a ledger lost whole are found by date only.
    restores = instances == 1 and paging and chance.random() < 1 / 2
    plan = Plan(
        seed=seed,
        instances=instances,
        campaigns=("a", "b") if chance.random() < 1 / 4 or "halt" in events else ("a",),
        rows=chance.randint(2, 12),
        page_size=chance.randint(1, 6),
        batch_size=chance.randint(1, 5),
        in_flight=chance.randint(1, 3),
        turns=chance.randint(4, 10),
        nap_ms=chance.choice(NAPS_MS),
        steps={} if calm else steps,
        wire={} if calm else wire,
        wire_rate=0.0 if calm or not wire else wire_rate,
        events=() if calm else events,
        crash_at="" if calm else crash_at,
        suspend_at="" if calm else suspend_at,
        validates_first=chance.random() < 1 / 3,
        refuses_known=chance.random() < 1 / 3,
        paging=paging,
        windows=chance.random() < 1 / 4,
        resend_ms=chance.choice(RESENDS_MS),
        report_lag_s=chance.choice(REPORT_LAGS_S),
        ends=chance.random() < 1 / 4,
        on_change=chance.choice(ON_CHANGE),
        max_new=chance.randint(1, 6) if chance.random() < 1 / 5 else None,
        lists=chance.random() < 1 / 5,
        sweeps=chance.random() < 1 / 3,
        restores=restores,
        backup_at=chance.choice(SENDING_STEPS) if restores and chance.random() < 1 / 2 else "",
    )
    if not calm and chance.random() < BENT_WORLDS:
        return replace(plan, **chance.choice(CORNERS))
    return plan
