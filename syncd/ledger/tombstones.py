"""Tombstones: whom the ledger erased, as keyed digests; they keep such people out of an intake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, literal_column, select

from syncd.core.erasure import ERASED, key_digest, phone_digest
from syncd.ledger.moves import By
from syncd.ledger.rejections import NewRejection
from syncd.ledger.schema import meta
from syncd.ledger.schema_guards import tombstones
from syncd.ledger.sql import Prepared, gathered, one_of, upsert
from syncd.ledger.store import Store

if TYPE_CHECKING:
    from syncd.ledger.intake_page import IntakePage, NewLead

#: The name in `meta` of the secret that the digests are keyed with.
PEPPER = "pepper"

_ANY = Prepared(lambda _: select(literal_column("1")).select_from(tombstones).limit(1))
_PEPPER = Prepared(lambda _: select(meta.c.value).where(meta.c.name == bindparam("of_name")))
_KNOWN = Prepared(
    lambda dialect: gathered(
        dialect,
        select(tombstones.c.digest).where(
            one_of(dialect, tombstones.c.digest, bindparam("digests"))
        ),
    )
)


def pepper_of(connection: Connection) -> str:
    """The secret of this ledger's digests, made with it."""
    return str(_PEPPER(connection, of_name=PEPPER).scalar_one())


def put(connection: Connection, digests: Mapping[str, str], by: By) -> int:
    """Keep these digests (digest to kind: phone or key); how many were new."""
    if not digests:
        return 0
    rows = [
        {"digest": digest, "kind": kind, "erased_at": by.at_ms} for digest, kind in digests.items()
    ]
    known = len(_known(connection, digests))
    connection.execute(upsert(connection.dialect.name, tombstones).on_conflict_do_nothing(), rows)
    return len(rows) - known


def erased_keys(store: Store, sync: str, new: Sequence[NewLead]) -> set[str]:
    """Which of these would-be leads were erased, by their key or their phone."""
    with store.read() as connection:
        return set(_erased(connection, sync, new))


def block(connection: Connection, page: IntakePage) -> int:
    """Take erased people out of the page; what stays of each is a rejection without a name.

    Asks nothing more than whether there is any tombstone, as long as there is none.
    """
    if not (page.new or page.rejections) or _ANY(connection).first() is None:
        return 0
    erased = _erased(connection, page.sync, page.new)
    page.rejections = _unnamed(connection, page.sync, page.rejections)
    page.rejections += [
        NewRejection(lead.line, ERASED, "", digest=erased[lead.key])
        for lead in page.new
        if lead.key in erased
    ]
    page.new = [lead for lead in page.new if lead.key not in erased]
    return len(erased)


def _erased(connection: Connection, sync: str, new: Sequence[NewLead]) -> dict[str, str]:
    """Key to digest of those that have a tombstone."""
    if not new or _ANY(connection).first() is None:
        return {}
    pepper = pepper_of(connection)
    by_key = {lead.key: key_digest(pepper, sync, lead.key) for lead in new}
    by_phone = {lead.key: phone_digest(pepper, lead.job.phone) for lead in new}
    known = _known(connection, [*by_key.values(), *by_phone.values()])
    return {key: digest for key, digest in by_key.items() if {digest, by_phone[key]} & known}


def _unnamed(
    connection: Connection, sync: str, found: Sequence[NewRejection]
) -> list[NewRejection]:
    """The rejections, those of erased keys without key and value."""
    keyed = [one.key for one in found if one.key is not None]
    if not keyed:
        return list(found)
    pepper = pepper_of(connection)
    digests = {key: key_digest(pepper, sync, key) for key in keyed}
    known = _known(connection, digests.values())
    return [
        replace(one, key=None, digest=digests[one.key], reason=ERASED, masked="")
        if one.key is not None and digests[one.key] in known
        else one
        for one in found
    ]


def _known(connection: Connection, digests: Iterable[str]) -> set[str]:
    rows = _KNOWN.rows(connection, digests=list(digests))
    return {row[0] for row in rows}
