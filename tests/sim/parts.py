"""What one life of an instance works with, and the passes that it may run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from syncd.campaign.client import CampaignClient
from syncd.campaign.pace import Pace
from syncd.campaign.transport import Timeouts
from syncd.core.call_policy import CallPolicy, OnChange
from syncd.core.guards import Tripwires
from syncd.engine import poll, pull_reports, reconcile, submit, suppress, sweep, withdraw
from syncd.engine.parts import Campaign, Suppression, Sync
from syncd.engine.passes import PassResult, Tools
from tests.sim.network import Wire
from tests.sim.people import spec
from tests.sim.plan import Plan
from tests.sim.vendor import token_of

if TYPE_CHECKING:
    from tests.sim.instance import Instance

TIMEOUTS = Timeouts(connect_s=10, write_s=30, read_s=30, pool_s=10, total_s=60)
#: The one do-not-call list of a world.
LIST = "dnc"
#: How often a running process does what, and one that starts: it looks at what was left.
OFTEN = {"poll": 3, "submit": 5, "reconcile": 4, "pull_reports": 1}
AT_START = {"poll": 2, "submit": 1, "reconcile": 6}

_HAS_WORK = {
    "submit": submit.has_work,
    "reconcile": reconcile.has_work,
    "withdraw": withdraw.has_work,
}


def often(plan: Plan, *, at_start: bool) -> dict[str, int]:
    """The passes of this world's processes, with their weights."""
    found = dict(AT_START if at_start else OFTEN)
    if plan.cancels:
        found |= {"withdraw": 2, "pull_reports": 2}
    if plan.lists:
        found["suppress"] = 2
    if plan.sweeps:
        found["sweep"] = 1
    return found


class Parts:
    """What one life of an instance works with."""

    def __init__(self, instance: Instance, tools: Tools) -> None:
        self.tools = tools
        self._instance = instance
        self._campaigns: dict[str, Campaign] = {}

    def run(self, kind: str, name: str) -> PassResult:
        """One pass at a campaign, at the sync of the same name, or at the list."""
        passes: dict[str, Callable[[], PassResult]] = {
            "poll": lambda: poll.run_once(self.sync(name), self.tools),
            "submit": lambda: submit.run_once(self.campaign(name), self.tools),
            "reconcile": lambda: reconcile.run_once(self.campaign(name), self.tools),
            "pull_reports": lambda: pull_reports.run_once(self.campaign(name), self.tools),
            "withdraw": lambda: withdraw.run_once(self.campaign(name), self.tools),
            "sweep": lambda: sweep.run_once(self.campaign(name), self.tools),
            "suppress": self._suppress,
        }
        return passes[kind]()

    def has_work(self, kind: str, name: str, *, first: bool) -> bool:
        """Whether a pass would find something, as the daemon asks before it runs one.

        Args:
            first: of the calm: what would run once an hour or a day is due.
        """
        plan = self._instance.world.plan
        if kind == "suppress":
            return first and plan.lists
        if kind == "sweep":
            return first and plan.sweeps
        if kind == "pull_reports":
            return first or plan.cancels
        return _HAS_WORK[kind](self.campaign(name), self.tools)

    def policy(self) -> CallPolicy:
        """What a changed row and a list do."""
        plan = self._instance.world.plan
        lists = (LIST,) if plan.lists else ()
        return CallPolicy(on_change=OnChange(plan.on_change), lists=lists)

    def sync(self, campaign: str) -> Sync:
        """The sync that feeds this campaign; both have one name."""
        world = self._instance.world
        tripwires = Tripwires(max_new=world.plan.max_new)
        table, mapping = world.tables[campaign], spec(world.plan)
        return Sync(campaign, table, campaign, mapping, self.policy(), tripwires)

    def _suppress(self) -> PassResult:
        world = self._instance.world
        listed = list(world.listed.numbers)
        source, syncs = world.listed, world.plan.campaigns
        told = suppress.run_once(
            Suppression(LIST, source, ("phone",), (), None, syncs, 1.0), self.tools
        )
        if told.outcome == "done":
            for number in listed:
                world.witness.barred.setdefault(number.lstrip("+"), world.baton.now_ms)
        return told

    def campaign(self, name: str) -> Campaign:
        """A campaign, wired once a life."""
        known = self._campaigns.get(name)
        if known is None:
            known = self._campaigns[name] = self._wire(name)
        return known

    def _wire(self, name: str) -> Campaign:
        instance, plan = self._instance, self._instance.world.plan
        endpoint = instance.world.endpoints[name]
        client = CampaignClient(
            name,
            "https://vendor.test",
            token_of(name),
            timeouts=TIMEOUTS,
            pace=Pace(1e6, clock=instance),
            transport=Wire(instance.world.network, instance, endpoint),
            clock=instance,
            stop=instance.stop,
        )
        # As over a real connection: the last look is where the transport says so.
        client._transport._traced = True
        return Campaign(
            name,
            client,
            endpoint,
            batch_size=plan.batch_size,
            max_in_flight=plan.in_flight,
            report_every=timedelta(minutes=1),
            resend_window=timedelta(milliseconds=plan.resend_ms),
            calls={name: self.policy()},
        )
