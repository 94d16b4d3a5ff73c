"""What takes the place of the engine's threads: the same work, in an order that the seed decides.

A request is made when somebody waits for it, and which of several is first is drawn. Reading ahead
is done at once: the next page is sorted before this one is stored, as it may be in life.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from types import TracebackType
from typing import Any, NamedTuple, Self
from unittest.mock import patch

from syncd.engine import ahead, flights, submit


class _Drawn(Future[Any]):
    """A call that is made when it is asked for; ordered by its number, not by its address."""

    def __init__(self, number: int, call: Callable[[], Any], chance: random.Random) -> None:
        super().__init__()
        self.number = number
        self.call = call
        self.chance = chance

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other

    def make(self) -> None:
        """Make the call; a kill goes on up, as no thread is left to keep it."""
        try:
            self.set_result(self.call())
        except Exception as error:  # noqa: BLE001 - it is raised where the result is asked for
            self.set_exception(error)


class _Waited(NamedTuple):
    done: set[Any]
    not_done: set[Any]


def _wait(
    calls: Collection[_Drawn], timeout: float | None = None, return_when: str = "ALL_COMPLETED"
) -> _Waited:
    """In place of `concurrent.futures.wait`."""
    waiting = sorted((call for call in calls if not call.done()), key=lambda call: call.number)
    wanted = len(waiting)
    if waiting and timeout == 0:
        wanted = waiting[0].chance.randrange(2)
    elif return_when == "FIRST_COMPLETED":
        wanted = min(1, wanted) if len(waiting) == len(calls) else 0
    for _ in range(wanted):
        call = waiting.pop(waiting[0].chance.randrange(len(waiting)))
        call.make()
    return _Waited({call for call in calls if call.done()}, set(waiting))


class _Senders:
    """In place of the pool of `submit`."""

    chance = random.Random(0)  # set for each simulation

    def __init__(self, _threads: int, _name: str = "") -> None:
        self._made = 0

    def submit(self, call: Callable[..., Any], *given: Any) -> _Drawn:
        self._made += 1
        return _Drawn(self._made, lambda: call(*given), self.chance)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None


class _AtOnce(_Senders):
    """In place of the pool that reads ahead."""

    def submit(self, call: Callable[..., Any], *given: Any) -> _Drawn:
        made = super().submit(call, *given)
        made.make()
        return made


@contextmanager
def drawn_order() -> Iterator[None]:
    """The engine runs without threads of its own."""
    with (
        patch.object(submit, "ThreadPoolExecutor", _Senders),
        patch.object(flights, "wait", _wait),
        patch.object(ahead, "ThreadPoolExecutor", _AtOnce),
    ):
        yield


def draw_from(chance: random.Random) -> None:
    """The order of requests is drawn from here."""
    _Senders.chance = chance
