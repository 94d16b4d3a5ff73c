"""Makes the next item while the last one is used: reading and mapping beside storing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")
_END = object()


def read_ahead(items: Iterator[_T]) -> Iterator[_T]:
    """The same items, each made in a thread of its own, one ahead of its use and no more.

    An error of `items` comes in the place of its item. Who stops early waits for the one that is
    being made.
    """
    with ThreadPoolExecutor(1, "read-ahead") as reader:
        upcoming = reader.submit(next, items, _END)
        while (item := upcoming.result()) is not _END:
            upcoming = reader.submit(next, items, _END)
            yield item  # type: ignore[misc]
