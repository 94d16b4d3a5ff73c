"""What befalls the instances: kills, stops, a bad network, and a database that hangs up."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from syncd.sandbox.faults import Fault
from tests.soak.cluster import Cluster, Instance

#: On average so many seconds between two.
FAULT_EVERY_S, KILL_EVERY_S, STOP_EVERY_S, CUT_EVERY_S = 0.7, 10.0, 15.0, 30.0
#: Up to three leases.
STOP_S = (1.0, 15.0)
DEAD_S = (0.0, 3.0)
#: So many faults may wait for a request that they fit.
WAITING_MAX = 2
FAULTS: tuple[dict[str, Any], ...] = (
    {"name": "request_lost"},
    {"name": "answer_lost"},
    {"name": "reset"},
    {"name": "reset", "done": True},
    {"name": "reset_mid_answer"},
    {"name": "keep_alive_closed"},
    {"name": "truncated"},
    {"name": "half_json"},
    {"name": "slow", "seconds": 5.0},
    {"name": "late", "delay_seconds": 2.0},
    {"name": "http_500"},
    {"name": "http_500_after"},
    {"name": "http_429", "retry_after": 1},
    {"name": "http_503", "retry_after": 2},
    {"name": "html_502"},
    {"name": "html_502", "done": True},
    {"name": "empty_200"},
    {"name": "html_200"},
)


@dataclass(slots=True)
class Weather:
    """Bad weather, drawn by a seed. One instance is spared kills: its life can be looked at."""

    cluster: Cluster
    dice: random.Random
    happened: Counter[str] = field(default_factory=Counter)
    _due_s: dict[str, float] = field(default_factory=dict)
    _back_s: dict[str, float] = field(default_factory=dict)

    def blow(self, *, spared: Instance) -> None:
        """Do what is due now."""
        now_s = time.monotonic()
        for one in self.cluster.instances:
            if one.running is None and now_s >= self._back_s.get(one.name, 0.0):
                self.cluster.start(one)
            if one.stopped_until_s is not None and now_s >= one.stopped_until_s:
                self.cluster.go_on(one)
        self._sometimes("fault", FAULT_EVERY_S, self._fault)
        self._sometimes("cut", CUT_EVERY_S, self._cut)
        self._sometimes("stop", STOP_EVERY_S, self._stop)
        self._sometimes("kill", KILL_EVERY_S, lambda: self._kill(spared))

    def clear(self) -> None:
        """Good weather from now on."""
        self.cluster.box.faults.clear()
        for one in self.cluster.instances:
            self.cluster.go_on(one)
            if one.running is None:
                self.cluster.start(one)

    def _sometimes(self, what: str, every_s: float, do: Callable[[], None]) -> None:
        now_s = time.monotonic()
        if what in self._due_s and now_s < self._due_s[what]:
            return
        if what in self._due_s:
            do()
        self._due_s[what] = now_s + self.dice.uniform(0.5, 1.5) * every_s

    def _fault(self) -> None:
        # Faults that pile up while nothing is sent would be one long outage, and not weather.
        if len(self.cluster.box.faults.waiting()) >= WAITING_MAX:
            return
        told = self.dice.choice(FAULTS)
        path = self.dice.choice(("addPhones", "addPhones", "getReport", ""))
        self.cluster.box.faults.add(Fault(**told, path=path))
        self.happened[f"fault {told['name']}"] += 1

    def _cut(self) -> None:
        self.happened["connections"] += self.cluster.cut_connections()

    def _stop(self) -> None:
        up = [one for one in self.cluster.instances if _is_up(one)]
        if up:
            self.cluster.stop(self.dice.choice(up), self.dice.uniform(*STOP_S))
            self.happened["SIGSTOP"] += 1

    def _kill(self, spared: Instance) -> None:
        for one in self.cluster.instances:
            if one is not spared and one.running is not None:
                self.happened["SIGKILL"] += 1
                self.happened["while stopped"] += one.stopped_until_s is not None
                self.cluster.kill(one)
                self._back_s[one.name] = time.monotonic() + self.dice.uniform(*DEAD_S)


def _is_up(one: Instance) -> bool:
    return one.running is not None and one.stopped_until_s is None
