"""What must hold at the end of a world, after the faults have stopped.

I2 every row has one state, none is lost · I3 accepted means that the call with that ID exists, and
the other way round · I4 nobody was called outside the hours · I6 all that can be done was done, and
every doubt has ended · I9 a halted campaign hinders no other · I10 what is barred or held waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from syncd.clock import from_ms
from syncd.core.call_job import CALLED_BEFORE
from syncd.core.phone import normalise

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

_TAKEN = ("accepted", "closed")
#: Jobs that are held and do not wait for a row to change, or for a person's word on a parked job.
_HELD = (
    "SELECT count(*) FROM call_jobs WHERE campaign = ? AND state = 'held' "
    "AND reason IN ('tripwire', 'judging', 'waits_for_cancel') AND NOT EXISTS (SELECT 1 "
    "FROM call_jobs old WHERE old.lead_id = call_jobs.lead_id AND old.state = 'parked')"
)


@dataclass(frozen=True, slots=True)
class Left:
    """What is still to be done in a world."""

    staged: int
    open: int  #: batches that may still be sent, or whose IDs are not matched
    waits: int  #: batches that only a look-up can end
    held: int  #: jobs that somebody or something lets go

    @property
    def nothing(self) -> bool:
        """Whether nobody has to do anything."""
        return not (self.staged or self.open or self.waits or self.held)

    @property
    def only_waits(self) -> bool:
        """Whether nothing is left to send."""
        return not (self.staged or self.open)


def open_work(world: Simulation) -> Left:
    """What is left in the campaigns that take lists."""
    before = from_ms(world.baton.now_ms) - timedelta(milliseconds=world.plan.resend_ms)
    ledger = world.database.open(_Nobody())
    staged = opened = waits = held = 0
    for name in world.plan.campaigns:
        if world.vendor.campaign(name).dialer.stopped:
            continue
        view = ledger.campaign_view(name, sent_before=before, endpoint=world.endpoints[name])
        held += world.database.rows(_HELD, name)[0][0]
        staged += view.oldest_staged_at is not None
        waits += view.past_key
        opened += view.in_doubt + view.unsent - view.past_key + view.unmatched
    return Left(staged, opened, waits, held)


class _Nobody:
    """A look from outside: no step of anybody."""

    def alive(self) -> None:
        """It looks only."""

    def step(self, name: str) -> None:
        """It looks only."""

    def committing(self, name: str) -> None:
        """It looks only."""

    def committed(self, name: str) -> None:
        """It looks only."""


def check_end(world: Simulation) -> None:
    """Note every law that is broken."""
    world.vendor.move_to(world.baton.now_ms)
    for name in world.plan.campaigns:
        _check_rows(world, name)
        _check_calls(world, name)
        _check_hours(world, name)
    _check_counts(world)
    _check_guards(world)
    left = open_work(world)
    if not left.nothing:
        law = "I9" if "halt" in world.plan.events else "I6"
        world.witness.violated(law, f"never done: {left}")


def _check_rows(world: Simulation, name: str) -> None:
    """I2: each row is one lead with one job, or one rejection."""
    rows = world.database.rows(
        "SELECT leads.key, count(call_jobs.id) FROM leads "
        "LEFT JOIN call_jobs ON call_jobs.lead_id = leads.id WHERE leads.sync = ? GROUP BY 1",
        name,
    )
    jobs = dict(rows)
    rejected = {
        key
        for (key,) in world.database.rows(
            "SELECT key FROM rejections WHERE sync = ? AND resolved_at IS NULL", name
        )
    }
    # A changed row that is called again has a job more for each change.
    several = world.plan.on_change != "ignore"
    for key, number, *_ in world.tables[name].rows:
        good = isinstance(normalise(number, None), int)
        if good and (not jobs.get(key) or (jobs[key] != 1 and not several)):
            world.witness.violated("I2", f"{key} has {jobs.get(key, 0)} jobs")
        if not good and key not in rejected:
            world.witness.violated("I2", f"{key} is no rejection")
    known = {row[0] for row in world.tables[name].rows}
    for key in jobs.keys() - known:
        world.witness.violated("I2", f"{key} is a lead, and no row")


def _check_calls(world: Simulation, name: str) -> None:
    """I3: the IDs of the ledger are the calls of the vendor; the rest is open to see."""
    jobs = {str(job.id): int(job.phone) for job in world.vendor.jobs(name)}
    known: dict[str, int] = {}
    doubtful: set[int] = set()
    for phone, state, reason, call_job_id in world.database.rows(
        "SELECT phone, state, reason, call_job_id FROM call_jobs WHERE campaign = ?", name
    ):
        if state in _TAKEN or call_job_id is not None:
            known[call_job_id] = phone
        if state in ("sealed", "parked") or reason == CALLED_BEFORE:
            doubtful.add(phone)
    for id_, phone in known.items():
        if jobs.get(id_) != phone:
            world.witness.violated("I3", f"{name}: the ledger has {id_}, the vendor has not")
    left_out = world.witness.left_out
    for id_ in jobs.keys() - known.keys() - left_out:
        if jobs[id_] not in doubtful:
            world.witness.violated("I3", f"{name}: the vendor has {id_}, the ledger has not")


def _check_hours(world: Simulation, name: str) -> None:
    """I4: the dialer, which has the hours from us, called at permitted ones only."""
    for attempt in world.vendor.campaign(name).dialled:
        if not attempt.inside:
            world.witness.violated("I4", f"{attempt.job.id} was called outside its hours")


def _check_counts(world: Simulation) -> None:
    """The kept counts are what a count gives."""
    kept = set(
        world.database.rows("SELECT sync, campaign, state, jobs FROM job_counts WHERE jobs <> 0")
    )
    counting = "SELECT sync, campaign, state, count(*) FROM call_jobs GROUP BY 1, 2, 3"
    counted = set(world.database.rows(counting))
    if kept != counted:
        world.witness.violated("I2", "the kept counts are wrong")


def _check_guards(world: Simulation) -> None:
    """I10: no poll started more than its tripwire allows; nobody barred waits to be called."""
    most = world.plan.max_new
    if most is not None:
        polls = world.database.rows(
            "SELECT pass_id, sum(CASE WHEN members IS NULL THEN last_id - first_id + 1 "
            "ELSE json_array_length(members) END) FROM journal "
            "WHERE what = 'job' AND to_state = 'staged' AND actor = 'poll' GROUP BY 1"
        )
        for number, jobs in polls:
            if jobs > most:
                world.witness.violated("I10", f"poll {number} started {jobs} calls, not {most}")
    waiting = "SELECT phone FROM call_jobs WHERE state IN ('staged', 'held')"
    for (phone,) in world.database.rows(waiting):
        if str(phone) in world.witness.barred:
            world.witness.violated("I10", f"{phone} waits to be called, and is barred")
