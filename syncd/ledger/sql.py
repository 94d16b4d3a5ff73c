"""Small SQL helpers that every verb uses: prepared statements, many rows in one, IDs, upserts.

Rows travel as one JSON parameter and come back as one JSON value. On SQLite that is not only less
work: its driver lets go of the interpreter's lock at each step, and with another busy thread each
step then waits milliseconds to get it back. One statement that touches 500 rows is one step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import orjson
from sqlalchemy import (
    BindParameter,
    ColumnClause,
    ColumnElement,
    Connection,
    CursorResult,
    Executable,
    Select,
    Subquery,
    Table,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

_T = TypeVar("_T")

#: SQLite takes 32,766 variables a statement; this stays well below.
IN_MAX = 500

POSTGRESQL = "postgresql"


class Prepared:
    """A statement that is built and compiled once a dialect, then run with parameters by name.

    Building a Core statement and finding it in SQLAlchemy's cache costs more than running it; for
    the few statements of the hot path that was a third of all the work.

    A list or tuple as a parameter goes as JSON (see `json_rows` and `one_of`).
    """

    def __init__(self, build: Callable[[str], Executable]) -> None:
        """`build` makes the statement for the dialect of that name."""
        self._build = build
        self._compiled: dict[str, tuple[str, Sequence[str] | None, Mapping[str, Any]]] = {}

    def __call__(self, connection: Connection, **given: object) -> CursorResult[Any]:
        """Run it once."""
        sql, order, constants = self._for(connection.dialect)
        return connection.exec_driver_sql(sql, _parameters(order, constants, given))

    def many(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """Run it for each of a few rows."""
        sql, order, constants = self._for(connection.dialect)
        connection.exec_driver_sql(sql, [_parameters(order, constants, row) for row in rows])

    def rows(self, connection: Connection, **given: object) -> list[Any]:
        """The rows of a statement that `build` passed through `gathered`."""
        result = self(connection, **given)
        if connection.dialect.name == POSTGRESQL:
            return list(result.all())
        listed: list[Any] = orjson.loads(result.scalar() or "[]")
        return listed

    def _for(self, dialect: Dialect) -> tuple[str, Sequence[str] | None, Mapping[str, Any]]:
        known = self._compiled.get(dialect.name)
        if known is None:
            compiled = self._build(dialect.name).compile(  # type: ignore[attr-defined]
                dialect=dialect
            )
            assert isinstance(compiled, SQLCompiler)
            constants = {k: v for k, v in compiled.params.items() if v is not None}
            known = self._compiled[dialect.name] = (str(compiled), compiled.positiontup, constants)
        return known


def _parameters(
    order: Sequence[str] | None, constants: Mapping[str, Any], given: Mapping[str, object]
) -> Any:
    values = {**constants, **given}
    for name, value in given.items():
        if value.__class__ in (list, tuple):
            values[name] = orjson.dumps(value).decode()
    return values if order is None else tuple([values[name] for name in order])


def as_json(values: Collection[object]) -> BindParameter[str]:
    """A literal for `json_rows` and `one_of`, where the statement is not prepared."""
    return literal(orjson.dumps(list(values)).decode())


def json_rows(dialect: str, rows: BindParameter[str], **types: TypeEngine[Any]) -> Subquery:
    """Rows as a table for `INSERT … SELECT` and `UPDATE … FROM`, in one bind parameter.

    Args:
        dialect: the name of the database's dialect.
        rows: JSON, a list of lists of values in the order of `types`.
        types: name and type of each column.
    """
    parts: list[ColumnElement[Any]] = []
    if dialect == POSTGRESQL:
        element = column("value", postgresql.JSONB)
        listed = func.jsonb_array_elements(cast(rows, postgresql.JSONB))
        source = listed.table_valued(element).render_derived()
        parts += [
            cast(source.c.value[i].astext, type_).label(name)
            for i, (name, type_) in enumerate(types.items())
        ]
    else:
        source = func.json_each(rows).table_valued("value")
        parts += [
            func.json_extract(source.c.value, text(f"'$[{i}]'"), type_=type_).label(name)
            for i, (name, type_) in enumerate(types.items())
        ]
    return select(*parts).select_from(source).subquery("given")


def gathered(dialect: str, query: Select[Any]) -> Select[Any]:
    """The query as one row on SQLite, for `Prepared.rows`. The order may be lost."""
    if dialect == POSTGRESQL:
        return query
    inner = query.subquery()
    return select(func.json_group_array(func.json_array(*inner.c)))


def one_of(
    dialect: str, tested: ColumnElement[Any], values: BindParameter[str]
) -> ColumnElement[bool]:
    """`tested IN (values)` with one bind parameter, JSON, however many values there are."""
    if dialect == POSTGRESQL:
        listed = func.jsonb_array_elements_text(cast(values, postgresql.JSONB))
        element = listed.table_valued(column("value", postgresql.TEXT)).render_derived()
        return tested.in_(select(cast(element.c.value, tested.type)))
    each = func.json_each(values).table_valued("value")
    return tested.in_(select(each.c.value))


def upsert(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """INSERT … ON CONFLICT of the dialect at hand; both dialects spell it alike."""
    return postgresql.insert(table) if dialect == POSTGRESQL else sqlite.insert(table)


def take_ids(connection: Connection, table: Table, count: int) -> list[int]:
    """`count` fresh IDs for `table`, growing.

    SQLite has one writer, so the highest ID is known; PostgreSQL asks the sequence.
    """
    if connection.dialect.name == POSTGRESQL:
        drawn = connection.execute(
            text("SELECT nextval(:sequence) FROM generate_series(1, :count)"),
            {"sequence": f"{table.name}_id_seq", "count": count},
        )
        return sorted(int(row[0]) for row in drawn)
    sql = f"SELECT max(id) FROM {table.name}"  # noqa: S608 - the name of a table of ours
    highest = connection.exec_driver_sql(sql).scalar() or 0
    return list(range(highest + 1, highest + 1 + count))


def word(constant: str) -> ColumnClause[str]:
    """A word of ours, written into the statement, so that a partial index can answer."""
    return literal_column(f"'{constant!s}'")


def storable(text: str) -> str:
    """The text as both databases take it: a NUL or half a surrogate pair becomes U+FFFD.

    Names of files and columns are the world's; keys and bodies are clean already (core/).
    """
    clean = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return clean.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def json_text(value: object) -> str:
    """JSON of what the vendor sent, whatever it is: also numbers beyond 64 bits."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value)


def chunks(items: Sequence[_T], size: int = IN_MAX) -> Iterator[Sequence[_T]]:
    """Consecutive slices of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
