"""Makes the next items while the last one is used: reading and mapping beside storing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")
_END = object()

#: So many items wait at most: they bridge the time in which the one who takes them is busy.
MOST_AHEAD = 2

#: Does other work until the item that it is given is made.
OnWait = Callable[[Future[object]], None]


def read_ahead(items: Iterator[_T], *, on_wait: OnWait | None = None) -> Iterator[_T]:
    """The same items, each made in a thread of its own, `MOST_AHEAD` ahead of its use and no more.

    An error of `items` comes in the place of its item. Who stops early waits for the one that is
    being made.

    Args:
        on_wait: called with an item that is asked for and not made yet.
    """
    with ThreadPoolExecutor(1, "read-ahead") as reader:
        made = _Made(items, reader, on_wait)
        while (item := made.take()) is not _END:
            yield item  # type: ignore[misc]


class _Made:
    """The items that were asked for and not yet taken, in their order."""

    def __init__(
        self, items: Iterator[object], reader: ThreadPoolExecutor, on_wait: OnWait | None
    ) -> None:
        self._items = items
        self._on_wait = on_wait
        self._reader = reader
        self._upcoming: deque[Future[object]] = deque()
        self._ask()

    def take(self) -> object:
        """The next item, or `_END`; raises what making it raised."""
        upcoming = self._upcoming.popleft()
        if self._on_wait is not None and not upcoming.done():
            self._on_wait(upcoming)
        item = upcoming.result()
        while item is not _END and len(self._upcoming) < MOST_AHEAD:
            self._ask()
        return item

    def _ask(self) -> None:
        self._upcoming.append(self._reader.submit(next, self._items, _END))
