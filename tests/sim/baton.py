"""Virtual time and a baton: of all that lives in a simulation exactly one runs, the others wait.

An actor is an OS thread, because the engine is synchronous code; it gives the baton away only where
it sleeps. Who is next is decided by the time at which it wakes, so a seed decides everything.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable


class Crash(BaseException):
    """The instance is killed at this moment: nothing of it runs any more."""


class Endless(BaseException):
    """A world takes far more turns than any that comes to its end."""


#: The longest of 3,000 worlds took a twentieth of it.
TURNS_MAX = 200_000


class _Over(BaseException):
    """The simulation ends while this actor sleeps."""


class Actor:
    """One life in virtual time."""

    def __init__(self, name: str, body: Callable[[], None]) -> None:
        self.name = name
        self.turn = threading.Lock()
        self.turn.acquire()
        self.error: BaseException | None = None
        self.ended = False
        self.wakes = 0  # the number of the entry that wakes it; an older one is void
        self._body = body
        self.thread: threading.Thread | None = None

    def live(self, back: threading.Lock) -> None:
        """The thread's whole life: from the first turn to the end of the body."""
        self.turn.acquire()
        try:
            self._body()
        except _Over:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised again where the run is watched
            self.error = error
        self.ended = True
        back.release()


class Baton:
    """Hands turns to actors and events in the order of virtual time (Unix milliseconds)."""

    def __init__(self, start_ms: int) -> None:
        self.now_ms = start_ms
        self._queue: list[tuple[int, int, Actor | Callable[[], None]]] = []
        self._order = 0
        self._back = threading.Lock()
        self._back.acquire()
        self._over = False
        self._turns = 0
        self._current: Actor | None = None

    def start(self, name: str, body: Callable[[], None], *, at_ms: int) -> None:
        """Begin a life at `at_ms`."""
        self._push(at_ms, Actor(name, body))

    def at(self, at_ms: int, do: Callable[[], None]) -> None:
        """Something that happens in the world at `at_ms`; it may not sleep."""
        self._push(at_ms, do)

    def sleep(self, ms: int) -> None:
        """Let virtual time pass for the running actor; others run meanwhile."""
        actor = self._current
        assert actor is not None, "only an actor sleeps"
        if self._over:
            raise _Over
        self._take_turn()
        wake_ms = self.now_ms + ms
        if not self._queue or self._queue[0][0] > wake_ms:
            self.now_ms = wake_ms  # nobody wakes before us: the baton stays
            return
        self._push(wake_ms, actor)
        self._back.release()
        actor.turn.acquire()
        if self._over:  # it ended while we slept
            raise _Over

    @property
    def running(self) -> Actor | None:
        """Whose turn it is."""
        return self._current

    def wake(self, actor: Actor, *, at_ms: int) -> None:
        """Let a sleeping actor wake at another time than it meant to."""
        self._push(at_ms, actor)

    def run(self) -> None:
        """Until nobody lives and nothing is to happen any more; raises what an actor raised."""
        while self._queue:
            self._take_turn()
            wake_ms, order, next_one = heapq.heappop(self._queue)
            if isinstance(next_one, Actor) and next_one.wakes != order:
                continue
            self.now_ms = max(self.now_ms, wake_ms)
            if isinstance(next_one, Actor):
                self._resume(next_one)
            else:
                next_one()

    def end(self) -> None:
        """End every life that sleeps, so that no thread stays."""
        self._over = True
        queue, self._queue = self._queue, []
        for _, _, actor in queue:
            while isinstance(actor, Actor) and actor.thread is not None and not actor.ended:
                self._resume(actor, told=False)

    def _take_turn(self) -> None:
        self._turns += 1
        if self._turns > TURNS_MAX:
            raise Endless(f"more than {TURNS_MAX} turns")

    def _resume(self, actor: Actor, *, told: bool = True) -> None:
        self._current = actor
        if actor.thread is None:
            actor.thread = threading.Thread(
                target=actor.live, args=(self._back,), name=actor.name, daemon=True
            )
            actor.thread.start()
        actor.turn.release()
        self._back.acquire()
        self._current = None
        if actor.ended:
            actor.thread.join()
            if told and actor.error is not None:
                raise actor.error

    def _push(self, at_ms: int, one: Actor | Callable[[], None]) -> None:
        self._order += 1
        if isinstance(one, Actor):
            one.wakes = self._order
        heapq.heappush(self._queue, (at_ms, self._order, one))
