"""Guards against human mistakes: how much may begin before a person has to say yes.

A wrong filter must not start 100,000 calls. A tripwire judges what one poll would start; a day
limit judges what a campaign is sent in 24 hours. Pure rules: the ledger counts, the engine holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import floor
from statistics import median
from typing import Final

#: Why a job is held while its poll is still being read: nobody knows yet how many there will be.
JUDGING: Final = "judging"
#: Why a job is held by a guard, until a person approves or drops it.
TRIPWIRE: Final = "tripwire"
DAILY_CAP: Final = "daily_cap"
SPEND: Final = "spend"
#: The limits of a day, by their keys of the configuration.
MAX_JOBS: Final = "max_jobs_per_day"
MAX_MINUTES: Final = "max_minutes_per_day"
MAX_SPEND: Final = "max_spend_per_day"
#: What a guard counts, where that is not call jobs.
_UNITS: Final = {MAX_MINUTES: "minutes", MAX_SPEND: "money"}
HELD_BY_GUARD: Final = (TRIPWIRE, DAILY_CAP, SPEND)

#: A day of a day limit. It rolls: no midnight lets twice as much through.
DAY: Final = timedelta(hours=24)
#: What is usual is the median of so many earlier polls that brought leads, if there are so many.
USUAL_POLLS: Final = 10
USUAL_POLLS_MIN: Final = 5


@dataclass(frozen=True, slots=True)
class Limit:
    """So much is allowed; `guard` is the key of the configuration that says so."""

    guard: str
    reason: str  #: of the jobs that it holds
    jobs: int  #: so many call jobs
    per_job: float = 1.0  #: what one job counts, in the guard's own unit
    told: float | None = None  #: what the configuration says, where it is not the jobs

    @property
    def allowed(self) -> float:
        """The limit in the guard's own unit."""
        return float(self.jobs) if self.told is None else self.told

    @property
    def unit(self) -> str:
        """What the guard counts."""
        return unit_of(self.guard)

    def of(self, jobs: int) -> float:
        """So many jobs in the guard's own unit."""
        return jobs * self.per_job


def unit_of(guard: str) -> str:
    """What a guard counts: `jobs`, `minutes` that calls are expected to take, or `money`."""
    return _UNITS.get(guard, "jobs")


@dataclass(frozen=True, slots=True)
class Tripwires:
    """What one poll of a sync may start; None: this one is off."""

    max_new: int | None = None
    max_growth: float | None = None  #: times what is usual
    growth_floor: int = 0  #: up to here growth does not matter

    @property
    def armed(self) -> bool:
        """Whether a poll has to be judged at all."""
        return self.max_new is not None or self.max_growth is not None

    @property
    def surely_allowed(self) -> int:
        """So many jobs trip nothing, whatever is usual."""
        limits = [] if self.max_new is None else [self.max_new]
        limits += [] if self.max_growth is None else [self.growth_floor]
        return min(limits, default=0)


NO_TRIPWIRES: Final = Tripwires()


def poll_limit(tripwires: Tripwires, usual: Sequence[int]) -> Limit | None:
    """The lowest limit for one poll, or None.

    Args:
        usual: jobs that earlier polls started, each more than 0; with fewer than USUAL_POLLS_MIN
            nothing is known to be usual.
    """
    limits = []
    if tripwires.max_new is not None:
        limits.append(Limit("max_new_per_poll", TRIPWIRE, tripwires.max_new))
    if tripwires.max_growth is not None and len(usual) >= USUAL_POLLS_MIN:
        grown = max(tripwires.growth_floor, floor(tripwires.max_growth * median(usual)))
        limits.append(Limit("max_growth", TRIPWIRE, grown))
    return min(limits, key=lambda limit: limit.jobs, default=None)


@dataclass(frozen=True, slots=True)
class DayLimits:
    """What a campaign may be sent in 24 hours; None: this one is off."""

    max_jobs: int | None = None
    max_minutes: float | None = None
    max_spend: float | None = None
    job_minutes: float = 1.0  #: what one job is expected to take
    job_price: float | None = None  #: and to cost
    defaults: frozenset[str] = frozenset()  #: keys of those that nobody has set

    def that_were_set(self) -> DayLimits:
        """Without those that only the default switches on."""
        return replace(
            self,
            max_jobs=None if MAX_JOBS in self.defaults else self.max_jobs,
            max_minutes=None if MAX_MINUTES in self.defaults else self.max_minutes,
            max_spend=None if MAX_SPEND in self.defaults else self.max_spend,
        )


NO_DAY_LIMITS: Final = DayLimits()


def day_limit(limits: DayLimits) -> Limit | None:
    """The lowest limit of a day, or None. A job that costs nothing needs no envelope."""
    found = []
    if limits.max_jobs is not None:
        found.append(Limit(MAX_JOBS, DAILY_CAP, limits.max_jobs))
    if limits.max_minutes is not None:
        found.append(_envelope(MAX_MINUTES, limits.max_minutes, limits.job_minutes))
    if limits.max_spend is not None and limits.job_price:
        found.append(_envelope(MAX_SPEND, limits.max_spend, limits.job_price))
    return min(found, key=lambda limit: limit.jobs, default=None)


def _envelope(guard: str, allowed: float, per_job: float) -> Limit:
    jobs = floor(allowed / per_job + 1e-9)  # 0.3 / 0.1 is 2.999…
    return Limit(guard, SPEND, jobs, per_job, allowed)


def room_today(limit: Limit, *, sent: int, approved: int) -> int:
    """How many more jobs may go. What a person approved in these 24 hours does not count."""
    return max(0, limit.jobs + approved - sent)
