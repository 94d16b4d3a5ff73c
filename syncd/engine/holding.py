"""Which syncs and campaigns this process works on, beside other instances on the same ledger.

On SQLite one process has the whole ledger (ledger/instance.py), and nothing is leased. On
PostgreSQL a poll works under the lease of its sync, reconcile and pull_reports under that of their
campaign (`passes.LEASED` has them all). Submits need none: batches are claimed one by one.

The daemon keeps a lease between two passes; a command takes it from an idle daemon, waits for a
busy one, and gives it back at once.
"""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from syncd import __version__
from syncd.clock import Clock, Moment
from syncd.core.lease import LEASE, Lease, over_share, renew_every_s, silence_is_long
from syncd.errors import HeldElsewhere, SyncdError
from syncd.ledger.leases import Alive, InstanceRow
from syncd.ledger.ledger import Ledger
from syncd.observe import events, logs

_log = logs.get("engine")

#: Between two looks at a lease that another instance is busy under.
_LOOK_S = 0.5


class Holding:
    """No leases: nobody else runs passes on this ledger, or this process runs none."""

    @property
    def several(self) -> bool:
        """Whether other instances are at work on the same ledger."""
        return False

    @property
    def holder(self) -> str | None:
        """The ID of this instance, whose claims others take when it is dead."""
        return None

    @contextmanager
    def held(self, name: str | None) -> Iterator[Lease | None]:
        """Work under the lease of this name; None: no lease is needed.

        Raises:
            HeldElsewhere: another instance is at work under it.
        """
        del name
        yield None

    def be_heard(self) -> None:
        """Before a claim is used: let the others know that this instance lives, if it is time."""

    def heard_since(self, begun: Moment) -> bool:
        """Whether nobody can have taken this instance for dead, and its claims, since then."""
        del begun
        return True

    def stay(self) -> None:
        """From now on keep leases between passes, and wait for nobody: this is the daemon."""

    def close(self) -> None:
        """Let go of everything."""


class SoleHolding(Holding):
    """The one process of an SQLite ledger: it only says that it is there."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        me = _this_process(clock)
        self._id: str | None = me.id
        ledger.leases.forget_others(me.id)
        ledger.leases.beat(me, life=LEASE, now=clock.now())

    def close(self) -> None:
        id_, self._id = self._id, None
        if id_ is not None:
            with suppress(SyncdError):  # the file may be gone, which is told elsewhere
                self._ledger.leases.sign_off(id_, now=self._clock.now())


@dataclass(slots=True)
class _Hold:
    """One lease as this process knows it, and how many of its passes work under it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    lease: Lease | None = None
    users: int = 0


class LeasedHolding(Holding):
    """One of several instances: leases in the ledger, renewed while it lives."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        stop: threading.Event,
        *,
        life: timedelta = LEASE,
    ) -> None:
        """Sign on; `start` begins to renew. Raises what the ledger raises.

        Args:
            stop: ends a wait for another instance.
            life: how long an instance that is not heard of keeps what it has.
        """
        self._ledger = ledger
        self._clock = clock
        self._stop = stop
        self._life = life
        self._stays = False
        self._holds: dict[str, _Hold] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.me = _this_process(clock)
        self._alive = Alive(1, 0)
        self._heard = self._unbroken = Moment.of(clock)
        self._beat()

    def start(self) -> None:
        """Renew from a thread of its own until `close`."""
        self._thread = threading.Thread(target=self._beat_on, name="heartbeat", daemon=True)
        self._thread.start()

    @property
    def several(self) -> bool:
        return self._alive.instances > 1

    @property
    def holder(self) -> str | None:
        return self.me.id

    def be_heard(self) -> None:
        if self._heard.elapsed_s(self._clock) >= self._life.total_seconds() / 2:
            self._beat()

    def heard_since(self, begun: Moment) -> bool:
        return begun.boot_s >= self._unbroken.boot_s and not silence_is_long(
            self._heard.elapsed_s(self._clock), self._life
        )

    def stay(self) -> None:
        self._stays = True

    @contextmanager
    def held(self, name: str | None) -> Iterator[Lease | None]:
        if name is None:
            yield None
            return
        with self._lock:
            hold = self._holds.setdefault(name, _Hold())
        with hold.lock:
            if hold.users == 0:
                hold.lease = self._take(name, before=hold.lease)
            hold.users += 1
        try:
            yield hold.lease
        finally:
            with hold.lock:
                hold.users -= 1
                if hold.users == 0:
                    self._leave(hold)

    def close(self) -> None:
        if self._ended.is_set():
            return
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        with suppress(SyncdError):  # the leases then end by themselves
            self._ledger.leases.sign_off(self.me.id, now=self._clock.now())

    def beat(self) -> None:
        """Renew once; a failure is told, and the next time may do better."""
        try:
            self._beat()
        except SyncdError as error:
            _log.warning(events.HEARTBEAT_MISSED, reason=str(error))

    def _beat(self) -> None:
        """Be heard of; the ledger's own time of it is somewhere between begin and end."""
        begun = Moment.of(self._clock)
        self._alive = self._ledger.leases.beat(self.me, life=self._life, now=begun.at)
        if self._heard.elapsed_s(self._clock) >= self._life.total_seconds():
            self._unbroken = Moment.of(self._clock)
        self._heard = begun

    def _beat_on(self) -> None:
        while not self._ended.wait(renew_every_s(self._life)):
            self.beat()

    def _take(self, name: str, *, before: Lease | None) -> Lease:
        looks = 0 if self._stays else int(self._life.total_seconds() / _LOOK_S) + 1
        while True:
            lease = self._ledger.leases.take(
                name,
                self.me.id,
                life=self._life,
                interrupts=not self._stays,
                now=self._clock.now(),
            )
            if lease is not None:
                if lease != before:
                    _log.info(events.LEASE_OBTAINED, lease=name, epoch=lease.epoch)
                return lease
            if looks <= 0 or self._stop.wait(_LOOK_S):
                raise self._held_elsewhere(name)
            looks -= 1

    def _held_elsewhere(self, name: str) -> HeldElsewhere:
        kind, _, target = name.partition(":")
        found = self._ledger.leases.held(name=name, now=self._clock.now())
        who = f"{found[0].host or 'unknown host'}, PID {found[0].pid or 'unknown'}" if found else ""
        return HeldElsewhere(
            f'another instance is at work on {kind} "{target}"' + (f" ({who})" if who else ""),
            hint="it does the work; `syncd status` shows who holds what",
        )

    def _leave(self, hold: _Hold) -> None:
        """Keep the lease for the next pass, or let others have it."""
        assert hold.lease is not None
        mine = sum(one.lease is not None for one in list(self._holds.values()))
        alive = self._alive
        keeps = self._stays and not over_share(
            mine, leases=max(mine, alive.leases), instances=alive.instances
        )
        now = self._clock.now()
        with suppress(SyncdError):  # what the pass did stands; the lease ends by itself
            if keeps:
                self._ledger.leases.rest(hold.lease, life=self._life, now=now)
            else:
                self._ledger.leases.release(hold.lease, now=now)
        if not keeps:
            hold.lease = None


def _this_process(clock: Clock) -> InstanceRow:
    now = clock.now()
    name = uuid.uuid4().hex[:12]
    return InstanceRow(name, socket.gethostname(), os.getpid(), __version__, now, now)


#: The holding of a process that runs no passes.
NOTHING_HELD = Holding()
