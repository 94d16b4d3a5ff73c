"""Zones and hours of call jobs, each stored once, however many jobs have them.

A row is named by its digest and never changes, so what was read of it once holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import ColumnElement, Connection, String, cast, literal, select

from syncd.core.call_window import CallWindow
from syncd.ledger.moves import By
from syncd.ledger.schema import call_jobs, passes
from syncd.ledger.schema_windows import call_windows
from syncd.ledger.sql import as_json, one_of, upsert

#: Of each kind; where every job has a finish of its own, there may be as many windows as jobs.
_KNOWN_MAX = 20_000
_EMPTY = "{}"


class KnownWindows:
    """What an opened ledger remembers of its windows."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._fields: dict[int, bytes] = {}

    def ids(
        self, connection: Connection, windows: Iterable[CallWindow | None], by: By
    ) -> dict[str, int]:
        """ID by digest; those that the ledger lacks are stored in the caller's transaction."""
        wanted = {window.digest: window for window in windows if window is not None}
        found = {digest: self._ids[digest] for digest in wanted if digest in self._ids}
        unknown = sorted(wanted.keys() - found.keys())  # sorted: two at once never wait in a ring
        if unknown:
            found.update(_ids(connection, unknown))
            lacking = [wanted[digest] for digest in unknown if digest not in found]
            if lacking:
                found.update(_store(connection, lacking, by))
        return found

    def keep(self, ids: Mapping[str, int]) -> None:
        """Remember what `ids` gave, now that it is committed."""
        if len(self._ids) > _KNOWN_MAX:
            self._ids.clear()
        self._ids.update(ids)

    def fields(
        self, connection: Connection, ids: Iterable[int | None]
    ) -> Mapping[int | None, bytes]:
        """What is sent for each window, and nothing for none."""
        wanted = set(ids)
        unknown = [one for one in wanted if one is not None and one not in self._fields]
        if unknown:
            if len(self._fields) > _KNOWN_MAX:
                self._fields.clear()
                unknown = [one for one in wanted if one is not None]
            among = one_of(connection.dialect.name, call_windows.c.id, as_json(unknown))
            rows = connection.execute(select(call_windows.c.id, call_windows.c.fields).where(among))
            self._fields.update({row[0]: row[1].encode() for row in rows})
        found: dict[int | None, bytes] = {None: b""}
        found.update({one: self._fields[one] for one in wanted if one is not None})
        return found


def basis_of(connection: Connection, window: int | None) -> str | None:
    """What a stored window was worked out from, as JSON."""
    query = select(call_windows.c.basis).where(call_windows.c.id == window)
    return None if window is None else connection.execute(query).scalar_one()


def bases_of(connection: Connection, windows: Iterable[int | None]) -> dict[int | None, str]:
    """What each of these stored windows was worked out from."""
    wanted = sorted({one for one in windows if one is not None})
    among = one_of(connection.dialect.name, call_windows.c.id, as_json(wanted))
    rows = connection.execute(select(call_windows.c.id, call_windows.c.basis).where(among))
    return {row[0]: row[1] for row in rows}


def forget_unused(connection: Connection, *which: ColumnElement[bool]) -> int:
    """Drop what windows were worked out from, where no job that is kept has them.

    Cells of a record (a town, a post code) stand there. What is sent of a window stays, and so
    does its ID: a daemon may have it in mind for another job.
    """
    used = select(call_jobs.c.window_id).where(
        call_jobs.c.window_id.is_not(None), call_jobs.c.body != _EMPTY
    )
    gone = literal("erased:").concat(cast(call_windows.c.id, String))
    return connection.execute(
        call_windows.update()
        .where(call_windows.c.basis != _EMPTY, call_windows.c.id.not_in(used), *which)
        .values(basis=_EMPTY, digest=gone)
    ).rowcount


def _ids(connection: Connection, digests: list[str]) -> dict[str, int]:
    among = one_of(connection.dialect.name, call_windows.c.digest, as_json(digests))
    rows = connection.execute(select(call_windows.c.digest, call_windows.c.id).where(among))
    return {row[0]: row[1] for row in rows}


def _store(connection: Connection, windows: list[CallWindow], by: By) -> dict[str, int]:
    begun = by.at_ms
    if by.pass_id is not None:  # what a pass works out is as of its beginning
        of_pass = select(passes.c.started_at).where(passes.c.id == by.pass_id)
        begun = connection.execute(of_pass).scalar() or begun
    rows = [
        {
            "digest": window.digest,
            "fields": window.fields.decode(),
            "basis": window.basis.decode(),
            "made_at": begun,
        }
        for window in windows
    ]
    # Another instance may store the same one at this moment.
    insert = upsert(connection.dialect.name, call_windows).on_conflict_do_nothing()
    connection.execute(insert, rows)
    return _ids(connection, [window.digest for window in windows])
