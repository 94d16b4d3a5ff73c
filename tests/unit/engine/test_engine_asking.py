"""Reports in bounded requests, and past IDs that the campaign does not know."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.engine.asking import IDS_MAX, ask_by_ids
from syncd.errors import NotFound, Transient, VendorFault


class Method:
    """Answers with the IDs themselves; one unknown ID fails the request."""

    def __init__(self, unknown: set[str]) -> None:
        self.unknown = unknown
        self.requests = 0

    def __call__(self, *, ids: Sequence[str]) -> list[str]:
        self.requests += 1
        assert 0 < len(ids) <= IDS_MAX
        if self.unknown & set(ids):
            message = "unknown"
            raise NotFound(message, fault=VendorFault("id.not.found"))
        return list(ids)


@given(known=st.sets(st.integers(0, 999)), unknown=st.sets(st.integers(1_000, 1_020), max_size=6))
def test_every_known_id_is_told_whoever_stands_beside_it(
    known: set[int], unknown: set[int]
) -> None:
    """Each ID is found or unknown, once; the requests stay few."""
    ids = sorted(map(str, known | unknown), key=hash)
    method = Method(set(map(str, unknown)))
    told = ask_by_ids(method, ids)
    assert sorted(told.found) == sorted(map(str, known))
    assert sorted(told.unknown) == sorted(map(str, unknown))
    assert method.requests <= len(ids) // IDS_MAX + 1 + len(unknown) * 18


def test_parts_are_handed_over_in_order() -> None:
    """With `on_part` nothing is gathered, so memory does not grow with the list."""
    parts: list[Sequence[str]] = []
    ids = [str(n) for n in range(IDS_MAX + 1)]
    told = ask_by_ids(Method(set()), ids, on_part=parts.append)
    assert (told.found, told.unknown) == ([], [])
    assert [len(part) for part in parts] == [IDS_MAX, 1]


def test_other_errors_go_on_up() -> None:
    """A failure is not an unknown ID."""

    def broken(*, ids: Sequence[str]) -> list[str]:
        message = "no connection"
        raise Transient(message)

    with pytest.raises(Transient):
        ask_by_ids(broken, ["1", "2"])


def test_nothing_is_asked_for_nobody() -> None:
    """An empty list makes no request."""
    method = Method(set())
    ask_by_ids(method, [])
    assert method.requests == 0
