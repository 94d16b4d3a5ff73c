"""Many rows into a table with few statements: the inserts of the hot path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain

from sqlalchemy import Connection, Executable, Table, bindparam, select

from syncd.ledger.sql import POSTGRESQL, Prepared, chunks, json_rows

#: Of one statement: SQLite takes 32,766 parameters, and no table of ours has 30 columns.
_ROWS_AT_ONCE = 100


class InsertRows:
    """A prepared INSERT of many rows; columns in `same` have one value for all of them.

    On SQLite a hundred rows go in one statement with a parameter for each value, which costs half
    of what JSON does, and few steps; on PostgreSQL all rows go as JSON.
    """

    def __init__(self, table: Table, names: Sequence[str], same: Sequence[str]) -> None:
        self._same = tuple(same)
        self._width = len(names)
        columns = ", ".join([*same, *names])
        self._into = f"INSERT INTO {table.name} ({columns}) VALUES "  # noqa: S608 - our own names
        self._texts: dict[int, str] = {}
        self._as_json = Prepared(partial(_insert_of_json, table, names, same))

    def __call__(
        self, connection: Connection, *, rows: Sequence[Sequence[object]], **same: object
    ) -> None:
        """Insert `rows`, each in the order of the names."""
        if connection.dialect.name == POSTGRESQL:
            self._as_json(connection, rows=rows, **same)
            return
        constants = [same[name] for name in self._same]
        for some in chunks(rows, _ROWS_AT_ONCE):
            values = (*constants, *chain.from_iterable(some))
            connection.exec_driver_sql(self._text(len(some)), values)

    def _text(self, count: int) -> str:
        text = self._texts.get(count)
        if text is None:
            constants = len(self._same)
            repeated = "".join(f"?{n}, " for n in range(1, constants + 1))
            numbers = iter(range(constants + 1, constants + count * self._width + 1))
            rows = (
                ", ".join(f"?{next(numbers)}" for _ in range(self._width)) for _ in range(count)
            )
            text = self._into + ", ".join(f"({repeated}{row})" for row in rows)
            self._texts[count] = text
        return text


def _places(numbers: Iterable[int]) -> str:
    return ", ".join(f"?{number}" for number in numbers)


def _insert_of_json(
    table: Table, names: Sequence[str], same: Sequence[str], dialect: str
) -> Executable:
    types = {name: table.c[name].type for name in names}
    given = json_rows(dialect, bindparam("rows"), **types)
    constants = [bindparam(name, type_=table.c[name].type) for name in same]
    query = select(*given.c, *constants)
    return table.insert().from_select([*names, *same], query)
