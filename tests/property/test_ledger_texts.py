"""Any text, any number: what goes into the ledger comes out as it was, or mended where it must."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.mapping import MappedJob
from syncd.ledger.intake_page import IntakePage, NewLead
from syncd.ledger.ledger import Ledger
from syncd.ledger.rejections import NewRejection
from syncd.ledger.sql import json_text, storable
from tests.ledgers import NOW, by, new_ledger, rows, sqlite_url

CLEAN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
ANY = st.text(st.characters() | st.characters(categories=["Cs", "Cc"]), max_size=40)
INT64 = st.integers(-(2**63), 2**63 - 1)


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    """One ledger for all examples: each takes a sync of its own."""
    with tempfile.TemporaryDirectory() as folder:
        opened = new_ledger(sqlite_url(Path(folder) / "syncd.db"))
        yield opened
        opened.close()


def fresh_sync(ledger: Ledger) -> str:
    """A sync that the ledger does not know yet."""
    return f"sync-{ledger.begin_pass('poll', 'x', now=NOW)}"


@given(st.dictionaries(CLEAN, st.tuples(INT64, CLEAN, st.integers(0, 10**15 - 1)), max_size=8))
def test_leads_come_back_as_they_were(
    ledger: Ledger, given_: dict[str, tuple[int, str, int]]
) -> None:
    """Keys, revisions, bodies and phones are exact, whatever their characters."""
    sync = fresh_sync(ledger)
    found = [
        NewLead(key, revision, 1, MappedJob(phone, orjson.dumps(text), None, "no_zone", None))
        for key, (revision, text, phone) in given_.items()
    ]
    ledger.store_page(IntakePage(sync, "c", "o", "d", new=found), by=by())
    known = ledger.known_leads(sync, list(given_))
    assert {key: lead.revision for key, lead in known.items()} == {
        key: revision for key, (revision, _, _) in given_.items()
    }
    stored = rows(
        ledger, "SELECT phone, body FROM call_jobs WHERE sync = :sync ORDER BY id", sync=sync
    )
    assert stored == [(lead.job.phone, lead.job.body.decode()) for lead in found]


@given(st.lists(st.tuples(ANY, ANY, ANY), max_size=5), ANY)
def test_rejections_take_any_text(
    ledger: Ledger, given_: list[tuple[str, str, str]], origin: str
) -> None:
    """Nothing in a record, a file's name or a column's name stops the poll."""
    sync = fresh_sync(ledger)
    bad = [
        NewRejection(n, "r", masked, column=column, digest=f"{n}{digest}")
        for n, (masked, column, digest) in enumerate(given_)
    ]
    ledger.store_page(IntakePage(sync, "c", origin, "d", rejections=bad), by=by())
    kept = list(ledger.rejections(sync=sync, limit=None))
    assert [(row.masked, row.column, row.origin) for row in kept] == [
        (storable(masked), storable(column), storable(origin)) for masked, column, _ in given_
    ]


@given(ANY)
def test_a_mended_text_is_storable_and_else_the_same(text: str) -> None:
    """It can be encoded, holds no NUL, keeps its clean characters, and is not mended twice."""
    mended = storable(text)
    mended.encode()
    assert "\0" not in mended
    assert storable(mended) == mended
    clean = "".join(each for each in text if each != "\0" and not "\ud800" <= each <= "\udfff")
    if clean == text:
        assert mended == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e300, 1e300) | CLEAN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CLEAN, inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_whatever_the_vendor_sent_can_be_kept(value: object) -> None:
    """Every JSON value becomes text, numbers beyond 64 bits too."""
    assert isinstance(json_text(value), str)
