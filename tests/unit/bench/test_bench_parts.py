"""The bench measures what it says: its leads are good and different, and its target counts."""

from __future__ import annotations

import json

import phonenumbers
import pytest

from bench import leads
from bench.peers.drt import international
from bench.table import Row, Section, markdown
from bench.target import Book

HEAD = b"POST /api/calls/campaign/1.2.bench/addPhones HTTP/1.1\r\nIdempotence-Key: one"


@pytest.mark.parametrize("first", [0, 1_000_000])
def test_each_lead_has_a_valid_phone_of_its_own(first: int) -> None:
    """However it is written, the phone is valid, and no two leads share one."""
    seen = set()
    for row in leads.rows(1_000, first):
        number = phonenumbers.parse(row[leads.COLUMNS.index("phone")], leads.DEFAULT_REGION)
        assert phonenumbers.is_valid_number(number), row
        seen.add(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    assert len(seen) == 1_000


def test_drt_is_given_the_same_numbers() -> None:
    """What is put into drt's table is the number that the others find by parsing."""
    for row in leads.rows(200):
        text = row[leads.COLUMNS.index("phone")]
        number = phonenumbers.parse(text, leads.DEFAULT_REGION)
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        assert f"+{international(text)}" == e164


def test_the_target_counts_phones_and_gives_growing_ids() -> None:
    """Each phone of each spelling of the JSON is counted, and gets an id of its own."""
    book = Book()
    ids = json.loads(book.add(b"", b'[{"phone":"12125550100"},{"phone": 12125550101}]'))
    assert [int(later) - int(ids[0]) for later in ids] == [0, 1]
    assert json.loads(book.stats()) == {"phones": 2, "unique": 2, "requests": 1}


def test_a_repeated_key_gets_its_first_answer() -> None:
    """A resent batch is not counted twice: the target keeps the vendor's promise."""
    book = Book()
    body = b'[{"phone":"12125550100"}]'
    assert book.add(HEAD, body) == book.add(HEAD, body)
    assert json.loads(book.stats())["phones"] == 1


def test_the_table_compares_with_its_first_row() -> None:
    """The ratio of the first row is one; its columns line up."""
    rows = [
        Row("syncd", 10, 2_000, 50, 90, ledger=True),
        Row("other", 10, 1_000, 99, 150, ledger=False, note="no phones"),
    ]
    text = markdown([Section("ten leads", rows)], "a machine")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines}) == 1
    assert "| 0.50 |" in lines[-1].replace("  ", " ")
    assert text.endswith("other: no phones.\n")
