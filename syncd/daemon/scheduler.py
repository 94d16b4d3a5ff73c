"""When passes run: APScheduler behind a few words. Nothing else in the daemon imports it.

It only calls at the right time, in a thread of its own pool. It never decides what a pass does, and
it keeps nothing: the ledger is the durable state.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from syncd.clock import Clock
from syncd.observe import events, logs

_log = logs.get("daemon")

#: An interval varies by this share in all, so that syncs started together drift apart.
JITTER_SHARE = 0.1
#: A pass that is at work for longer is told, as it may hang; no thread can be ended from outside.
OVERRUN_S = 900.0
#: Two pools: a source that hangs takes a thread of the polls, never one of a campaign.
POOLS = ("polls", "campaigns")

Run = Callable[[], None]


class Scheduler:
    """Calls functions on time, each at most once at a time, until `drain`."""

    def __init__(self, clock: Clock, *, polls: int, campaigns: int) -> None:
        """Prepare two pools of so many threads; a thread starts when it is first needed."""
        sizes = zip(POOLS, (polls, campaigns), strict=True)
        self._clock = clock
        self._idle = threading.Condition()
        self._begun_s: dict[str, float] = {}  # of each that is at work
        self._told: set[str] = set()  # of these, who were told to overrun
        self._apscheduler = BackgroundScheduler(
            timezone=UTC,
            jobstores={"default": MemoryJobStore()},
            executors={
                name: ThreadPoolExecutor(
                    max(1, size), {"thread_name_prefix": name.removesuffix("s")}
                )
                for name, size in sizes
            },
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._apscheduler.add_listener(self._note_overlap, EVENT_JOB_MAX_INSTANCES)

    def every(self, name: str, run: Run, interval: timedelta, *, pool: str) -> None:
        """Call `run` at once, and then about every `interval`."""
        length_s = interval.total_seconds()
        # The library adds jitter after each interval; starting short keeps the mean right.
        trigger = IntervalTrigger(
            seconds=length_s * (1 - JITTER_SHARE / 2), jitter=length_s * JITTER_SHARE, timezone=UTC
        )
        self._add(name, run, trigger, pool, next_run_time=self._clock.now())

    def cron(self, name: str, run: Run, expression: str, *, time_zone: str, pool: str) -> None:
        """Call `run` when the expression says so in `time_zone`; not at the start."""
        trigger = CronTrigger.from_crontab(expression, timezone=ZoneInfo(time_zone))
        self._add(name, run, trigger, pool)

    def soon(self, name: str) -> None:
        """Call the one called `name` now, ahead of its time; it changes nothing if it runs."""
        try:
            self._apscheduler.modify_job(name, next_run_time=self._clock.now())
        except JobLookupError:  # its schedule has ended: a cron expression of the past
            return

    def start(self) -> None:
        """Begin calling, in threads of its own."""
        self._apscheduler.start()

    def drain(self, timeout_s: float) -> bool:
        """Call nothing more and wait for what runs; False when the time did not suffice.

        Those who are called must see the stop Event themselves.
        """
        self._apscheduler.pause()
        # The library's own shutdown holds its locks while it waits, and a pass that ends may want
        # `soon`: so it is asked only when nothing runs.
        with self._idle:
            if not self._idle.wait_for(lambda: not self._begun_s, timeout_s):
                return False
        self._apscheduler.shutdown(wait=True)
        return True

    def _add(self, name: str, run: Run, trigger: object, pool: str, **options: object) -> None:
        def counted() -> None:
            with self._idle:
                self._begun_s[name] = self._clock.monotonic_s()
            try:
                run()
            finally:
                with self._idle:
                    del self._begun_s[name]
                    self._told.discard(name)
                    self._idle.notify_all()

        self._apscheduler.add_job(counted, trigger, id=name, name=name, executor=pool, **options)

    def _note_overlap(self, event: JobSubmissionEvent) -> None:
        kind, _, target = event.job_id.partition(" ")
        with self._idle:
            now_s = self._clock.monotonic_s()
            lasts_s = now_s - self._begun_s.get(event.job_id, now_s)
            overran = lasts_s > OVERRUN_S and event.job_id not in self._told
            if overran:
                self._told.add(event.job_id)
        if overran:
            _log.warning(
                events.PASS_OVERRAN, kind=kind, target=target, duration_s=round(lasts_s, 1)
            )
        _log.debug(events.PASS_OVERLAPPED, kind=kind, target=target)
