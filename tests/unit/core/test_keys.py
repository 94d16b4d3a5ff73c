"""Keys by content: the same batch has the same key, any other batch another."""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.keys import KEY_CHARS, body_digest, fingerprint, idempotence_key

MEMBERS = [(1, 1), (2, 1), (3, 4)]


def key(
    ledger: str = "l", campaign: str = "c", members: object = MEMBERS, body: bytes = b"[]"
) -> str:
    """A key with one part changed."""
    return idempotence_key(ledger, campaign, members, body_digest(body))  # type: ignore[arg-type]


def test_a_key_is_short_plain_and_stable() -> None:
    """Forty characters that fit a header; the same in each process and version."""
    assert re.fullmatch(r"[A-Z2-7]{40}", key())
    assert len(key()) == KEY_CHARS
    assert key() == "DTMVAD6SOXBLVNRVJTVKWBRPHFPKFDKPSSCTTASX"


def test_the_order_in_which_members_are_named_does_not_matter() -> None:
    """Members are a set; their order is in the body."""
    assert key(members=reversed(MEMBERS)) == key()


@pytest.mark.parametrize(
    "other",
    [
        key(ledger="m"),
        key(campaign="d"),
        key(members=[(1, 1), (2, 2), (3, 4)]),
        key(members=[(1, 1), (2, 1)]),
        key(members=[(1, 1), (21, 3), (4, 4)]),
        key(body=b"[ ]"),
        key(ledger="", campaign="l\0c"),
    ],
)
def test_other_content_has_another_key(other: str) -> None:
    """Ledger, campaign, jobs, generation and body are all in the key."""
    assert other != key()


@given(st.lists(st.lists(st.tuples(st.integers(1), st.integers(1)), max_size=5), min_size=2))
def test_other_members_have_another_key(batches: list[list[tuple[int, int]]]) -> None:
    """No two different sets of members share a key."""
    for one, two in pairwise(batches):
        assert (key(members=one) == key(members=two)) == (sorted(one) == sorted(two))


def test_a_digest_is_sha256() -> None:
    """Anybody can check a stored body."""
    assert body_digest(b"abc") == hashlib.sha256(b"abc").hexdigest()


def test_a_fingerprint_tells_secrets_apart_and_says_nothing() -> None:
    """Twelve hex digits; the border between the parts counts."""
    made = {
        fingerprint("ab", "c"),
        fingerprint("a", "bc"),
        fingerprint("abc"),
        fingerprint("ab", "d"),
    }
    assert len(made) == 4
    assert all(re.fullmatch(r"[0-9a-f]{12}", one) for one in made)
