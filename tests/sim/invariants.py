"""What must hold at the end of a world, after the faults have stopped.

I2 every row has one state, none is lost · I3 accepted means that the call with that ID exists, and
the other way round · I4 nobody was called outside the hours · I6 all that can be done was done ·
I9 a halted campaign hinders no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncd.clock import from_ms
from syncd.core.doubt import RESEND_WINDOW
from syncd.core.phone import normalise

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

_TAKEN = ("accepted", "closed")


@dataclass(frozen=True, slots=True)
class Left:
    """What is still to be done in a world."""

    staged: int
    open: int  #: batches that may still be sent, or whose IDs are not matched
    waits: int  #: batches that only a look-up or a person can end

    @property
    def nothing(self) -> bool:
        """Whether nobody has to do anything."""
        return not (self.staged or self.open)

    @property
    def only_waits(self) -> bool:
        """Whether nothing is left to send."""
        return not (self.staged or self.open)


def open_work(world: Simulation) -> Left:
    """What is left in the campaigns that take lists."""
    now = from_ms(world.baton.now_ms)
    ledger = world.database.open(_Nobody())
    staged = opened = waits = 0
    for name in world.plan.campaigns:
        if world.vendor.campaign(name).dialer.stopped:
            continue
        view = ledger.campaign_view(
            name, sent_before=now - RESEND_WINDOW, endpoint=world.endpoints[name]
        )
        staged += view.oldest_staged_at is not None
        waits += view.past_key
        opened += view.in_doubt + view.unsent - view.past_key + view.unmatched
    return Left(staged, opened, waits)


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
    for key, number, _ in world.tables[name].rows:
        good = isinstance(normalise(number, None), int)
        if good and jobs.get(key) != 1:
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
    for phone, state, call_job_id in world.database.rows(
        "SELECT phone, state, call_job_id FROM call_jobs WHERE campaign = ?", name
    ):
        if state in _TAKEN:
            known[call_job_id] = phone
        if state in ("sealed", "parked"):
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
