"""Reading ahead: the next item is made while the last one is used, a few ahead and no more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait

import pytest

from syncd.engine.ahead import MOST_AHEAD, read_ahead


def test_the_next_items_are_made_while_one_is_used() -> None:
    """Items 1 and 2 are there before item 0 is given back; item 3 is not begun."""
    made = [threading.Event() for _ in range(5)]

    def items() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    ahead = read_ahead(items())
    assert next(ahead) == 0
    assert made[MOST_AHEAD].wait(10)
    assert not made[MOST_AHEAD + 1].is_set()
    assert list(ahead) == [1, 2, 3, 4]


def test_other_work_is_done_while_an_item_is_not_there() -> None:
    """It is given the item that is waited for, and ends when that is made; later ones are there."""
    go_on, waited = threading.Event(), list[int]()

    def items() -> Iterator[int]:
        assert go_on.wait(10)
        yield from range(3)

    def other(upcoming: Future[object]) -> None:
        assert not upcoming.done()
        go_on.set()
        wait([upcoming], 10)
        waited.append(1)

    ahead = read_ahead(items(), on_wait=other)
    assert next(ahead) == 0
    assert waited == [1]
    assert list(ahead) == [1, 2]


def test_items_are_made_in_another_thread() -> None:
    """So that they are made beside what their user does."""

    def items() -> Iterator[int]:
        yield threading.get_ident()

    assert list(read_ahead(items())) != [threading.get_ident()]


def test_an_error_comes_in_the_place_of_its_item() -> None:
    """What was made before it is used first."""

    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the source is gone")

    ahead = read_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="gone"):
        next(ahead)


def test_who_stops_early_leaves_no_thread() -> None:
    """The item that is being made is waited for."""
    before = threading.active_count()
    ahead = read_ahead(iter(range(1000)))
    assert next(ahead) == 0
    ahead.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
