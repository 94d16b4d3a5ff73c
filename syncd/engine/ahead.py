"""Makes the next item while the last one is used: reading and mapping beside storing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")
_END = object()


def read_ahead(items: Iterator[_T], *, on_only: Callable[[], None] | None = None) -> Iterator[_T]:
    """The same items, each made in a thread of its own, one ahead of its use and no more.

    An error of `items` comes in the place of its item. Who stops early waits for the one that is
    being made.

    Args:
        on_only: called before the first item when no other follows; for that the first item waits
            until the second is made.
    """
    with ThreadPoolExecutor(1, "read-ahead") as reader:
        upcoming = reader.submit(next, items, _END)
        while (item := upcoming.result()) is not _END:
            upcoming = reader.submit(next, items, _END)
            if on_only is not None and _is_end(upcoming):
                on_only()
            on_only = None
            yield item  # type: ignore[misc]


def _is_end(upcoming: Future[object]) -> bool:
    """An error is no end; it comes in its own place."""
    return upcoming.exception() is None and upcoming.result() is _END
