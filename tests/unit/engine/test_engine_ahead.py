"""Reading ahead: the next item is made while the last one is used, one ahead and no more."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from syncd.engine.ahead import read_ahead


def test_the_next_item_is_made_while_one_is_used() -> None:
    """Item 1 is there before item 0 is given back; item 2 is not begun."""
    made = [threading.Event() for _ in range(3)]

    def items() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    ahead = read_ahead(items())
    assert next(ahead) == 0
    assert made[1].wait(10)
    assert not made[2].is_set()
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


@pytest.mark.parametrize(("count", "only"), [(0, 0), (1, 1), (2, 0), (5, 0)])
def test_an_only_item_is_told_before_it_comes(count: int, only: int) -> None:
    """A poll of one page can be judged before its page is stored."""
    told: list[str] = []
    items = read_ahead(iter(range(count)), on_only=lambda: told.append("only"))
    for item in items:
        assert len(told) == only
        assert item < count
    assert len(told) == only


def test_an_error_after_the_first_item_is_no_end() -> None:
    """The first item is used before the error is raised."""

    def failing() -> Iterator[int]:
        yield 1
        raise KeyError

    told: list[str] = []
    items = read_ahead(failing(), on_only=lambda: told.append("only"))
    assert next(items) == 1
    with pytest.raises(KeyError):
        next(items)
    assert told == []
