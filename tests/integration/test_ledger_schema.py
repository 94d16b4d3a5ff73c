"""The schema is one: what the queries see, what `migrations/` makes, what core/call_job.py says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, create_engine, inspect
from sqlalchemy.exc import IntegrityError

from syncd.core.call_job import BatchState, JobState
from syncd.errors import LedgerError
from syncd.ledger import migrate, schema, schema_guards, schema_reports, schema_windows
from syncd.ledger.ledger import Ledger
from syncd.ledger.store import Store, open_store
from tests.ledgers import new_ledger, rows, sealed, stage


def shape(engine: Engine) -> dict[str, Any]:
    """Everything of a database's tables that can matter, in a form that can be compared."""
    found: dict[str, Any] = {}
    look = inspect(engine)
    for table in look.get_table_names():
        if table == "alembic_version":
            continue
        found[table] = {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in sorted(look.get_columns(table), key=lambda each: each["name"])
            ],
            "primary key": look.get_pk_constraint(table),
            "foreign keys": sorted(look.get_foreign_keys(table), key=str),
            "unique": sorted(look.get_unique_constraints(table), key=str),
            "checks": sorted(
                (check["name"], check["sqltext"]) for check in look.get_check_constraints(table)
            ),
            "indexes": sorted(
                (
                    index["name"],
                    tuple(index["column_names"]),
                    bool(index["unique"]),
                    {
                        name: str(told)
                        for name, told in index.get("dialect_options", {}).items()
                        if name.endswith("_where")
                    },
                )
                for index in look.get_indexes(table)
            ),
        }
    return found


#: Importing them registers their tables.
WITH_TABLES = (schema, schema_guards, schema_reports, schema_windows)


def made_of_metadata(url: str) -> dict[str, Any]:
    """The shape of a database that is made from the tables of schema.py."""
    engine = create_engine(url)
    schema.metadata.create_all(engine)
    made = shape(engine)
    schema.metadata.drop_all(engine)
    engine.dispose()
    if engine.dialect.name == "sqlite":
        Path(str(engine.url.database)).unlink()  # made for all to read, as no ledger may be
    return made


def test_a_migrated_ledger_is_what_the_queries_see(empty_url: str) -> None:
    """Columns, types, nullability, keys, CHECKs and partial indexes are those of schema.py."""
    expected = made_of_metadata(empty_url)
    new_ledger(empty_url).close()
    engine = create_engine(empty_url)
    migrated = shape(engine)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), schema.metadata)
    engine.dispose()
    assert set(migrated) == set(schema.metadata.tables)
    assert migrated == expected
    assert differences == []


def test_the_shape_sees_conditions_of_indexes(ledger: Ledger) -> None:
    """The comparison above would notice a partial index that became a whole one."""
    indexes = shape(ledger._store.reader)["call_jobs"]["indexes"]
    conditions = {name: options for name, _, _, options in indexes}
    assert "'staged'" in str(conditions["ix_call_jobs_staged"])
    assert "'accepted'" in str(conditions["uq_call_jobs_open"])


@pytest.mark.parametrize(
    ("table", "values"), [("call_jobs", set(JobState)), ("batches", set(BatchState))]
)
def test_the_ledger_knows_the_states_of_the_core(
    ledger: Ledger, table: str, values: set[str]
) -> None:
    """The CHECK of the state column lists the very states of core/call_job.py."""
    checks = shape(ledger._store.reader)[table]["checks"]
    (told,) = [told for name, told in checks if name == f"ck_{table}_state"]
    assert set(re.findall(r"'(\w+)'", told)) == {value.value for value in values}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE call_jobs SET state = 'lost'",
        "UPDATE call_jobs SET state = 'accepted'",
        "UPDATE call_jobs SET batch_id = NULL",
        "UPDATE call_jobs SET batch_id = 99",
        "UPDATE call_jobs SET lead_id = 99",
        "UPDATE batches SET state = 'lost'",
        "UPDATE batches SET state = 'sent'",
        "UPDATE batches SET body = NULL",
        "DELETE FROM leads",
    ],
)
def test_the_database_itself_refuses_what_cannot_be(ledger: Ledger, sql: str) -> None:
    """A bug in a verb cannot store an unknown state, a sent job without a batch, a lost body."""
    sealed(ledger, 1)
    with pytest.raises(IntegrityError), ledger._store.write("test") as connection:
        connection.exec_driver_sql(sql)
    assert rows(ledger, "SELECT state FROM call_jobs") == [("sealed",)]


def test_the_head_is_the_head_of_alembic() -> None:
    """The newest revision found without alembic is the one that alembic would upgrade to."""
    scripts = ScriptDirectory(str(migrate.scripts_folder()))
    assert migrate.head() == scripts.get_current_head()
    assert migrate.revisions() == [one.revision for one in scripts.walk_revisions()][::-1]


def test_a_new_ledger_is_at_the_head(empty_url: str) -> None:
    """Making one goes from nothing to the head; nothing is there before."""
    store = open_store(empty_url, create=True)
    assert migrate.current(store) is None
    assert migrate.upgrade(store) == (None, migrate.head())
    assert migrate.current(store) == migrate.head()
    store.close()


def test_a_database_without_a_schema_is_refused(empty_url: str) -> None:
    """An empty database is no ledger: it would call everybody again."""
    open_store(empty_url, create=True).close()
    with pytest.raises(LedgerError, match="no ledger yet"):
        Ledger.open(empty_url)


def _with_table(sql: str, url: str) -> Store:
    """A ledger at the head, and then `sql`."""
    new_ledger(url).close()
    store = open_store(url)
    with store.write("test") as connection:
        connection.exec_driver_sql(sql)
    return store


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE call_jobs RENAME COLUMN pen TO pens",
        "DROP TABLE journal",
    ],
)
def test_tables_of_another_version_need_a_person(empty_url: str, sql: str) -> None:
    """A column or table that is missing is no bug: what to do is said, on both databases alike."""
    _with_table(sql, empty_url).close()
    ledger = Ledger.open(empty_url)
    with pytest.raises(LedgerError, match="not those of this syncd") as caught:
        sealed(ledger, 1)
    assert "syncd db current" in caught.value.hint
    ledger.close()


def test_an_upgrade_over_tables_that_are_there_needs_a_person(empty_url: str) -> None:
    """A schema that says it is older than it is: the upgrade fails whole, and says why."""
    store = _with_table("UPDATE alembic_version SET version_num = '0001'", empty_url)
    with pytest.raises(LedgerError, match="not those of this syncd"):
        migrate.upgrade(store)
    assert migrate.current(store) == "0001"
    store.close()


def test_a_failed_migration_leaves_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration is one transaction: one that fails at its end leaves an empty database."""
    store = open_store(empty_url, create=True)

    def fail() -> str:
        raise ZeroDivisionError

    monkeypatch.setattr("syncd.ledger.migrate.uuid.uuid4", fail)
    with pytest.raises(ZeroDivisionError):
        migrate.upgrade(store)
    assert inspect(store.reader).get_table_names() == []
    assert migrate.current(store) is None
    store.close()


def test_the_tables_hold_no_default_of_the_database(ledger: Ledger) -> None:
    """Every value is written by a verb: none appears by itself, but for IDs of sequences."""
    stage(ledger, 1)
    found = MetaData()
    found.reflect(ledger._store.reader)
    defaults = [
        f"{table.name}.{column.name}"
        for table in found.tables.values()
        for column in table.columns
        if column.server_default is not None and column.name != "id"
    ]
    assert defaults == []
