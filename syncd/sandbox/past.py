"""An earlier life, lived again from the state file: each request at its own time.

Owns the reading of the journal's lines. The dialers make the same calls again by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson

from syncd.sandbox.clock import Anchor
from syncd.sandbox.keys import Kept, Owner
from syncd.sandbox.knobs import Knobs

if TYPE_CHECKING:
    from syncd.sandbox.book import Book


def relive(book: Book, records: Sequence[dict[str, Any]]) -> None:
    """Does again what the records tell, in an empty book; the clock then runs on."""
    head = records[0]
    book.seed, book.lines, book.knobs = head["seed"], head["lines"], Knobs(**head["knobs"])
    anchor = head["anchor"]
    for record in records:
        book.clock.pin(record["at"])
        anchor = record.get("anchor", anchor)
        _again(book, record)
    book.clock.restore(Anchor(*anchor))


def _again(book: Book, record: dict[str, Any]) -> None:
    match record["do"]:
        case "campaign":
            book.open_campaign(record["token"], record["at"])
        case "tokens":
            book.set_tokens(record["campaign"], record["tokens"])
        case "knobs":
            book.turn(record["knobs"])
        case "add_phones":
            book.add_phones(record["token"], orjson.dumps(record["body"]), record["key"])
        case "add_phone":
            fields = {name: record[name] for name in ("phone", "payload", "zone", "key", "test")}
            book.add_phone(record["token"], **fields)
        case "operator":
            book.add_by_operator(record["campaign"], orjson.dumps(record["body"]))
        case "refused":
            owner, answer = Owner(record["token"], record["campaign"]), orjson.dumps(record["body"])
            book.keys.keep(record["key"], Kept(owner, record["at"], answer, record["status"]))
        case "cancel":
            book.cancel(record["token"], orjson.dumps({"ids": record["ids"]}))
        case "control":
            book.control(record["token"], record["action"])
        case _:
            book.now_ms()  # begin and clock: time alone
