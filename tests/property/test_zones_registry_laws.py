"""The compiled registry answers as the plain list of blocks does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.zones.registry import Block, Registry, compiled

BASE = 79_000_000_000
ZONES = [("Europe/Moscow",), ("Europe/Samara",), ("Asia/Omsk", "Asia/Tomsk")]


@st.composite
def tables(draw: st.DrawFn) -> list[Block]:
    """Blocks without overlaps, in any order, some of them touching."""
    sizes = draw(
        st.lists(
            st.tuples(st.integers(0, 3), st.integers(1, 4), st.sampled_from(ZONES)), max_size=12
        )
    )
    blocks, at = [], BASE
    for gap, size, zones in sizes:
        blocks.append(Block(at + gap, at + gap + size - 1, zones))
        at += gap + size
    return draw(st.permutations(blocks))


@given(tables())
def test_a_look_up_equals_a_linear_scan(blocks: list[Block]) -> None:
    """Every number around gets the zones of the block that it is in, or no answer."""
    registry = Registry.load(compiled(blocks, {}).dump())
    for number in range(BASE - 2, BASE + 12 * 7 + 2):
        scanned = [block.zones for block in blocks if block.first <= number <= block.last]
        answer = registry.zones_of(str(number))
        assert ([] if answer is None else [answer[0]]) == scanned
