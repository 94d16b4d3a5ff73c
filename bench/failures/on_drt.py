"""drt-core, as its documentation says, with its defaults, for a careful user.

It gets what it offers against calls made twice: incremental mode with a cursor column, and an
idempotence key for each request under the name that the vendor reads. With `ledger` also its own
record of what was delivered, which needs PostgreSQL.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bench import databases, envs, leads
from bench.failures.tools import BATCH, GUARD, Options, in_order, telling
from bench.peers.drt import international
from syncd.sandbox.testing import RunningSandbox

SYNC = """\
name: bench
model: "SELECT id, phone, tz, name FROM leads"
destination:
  type: rest_api
  url: "{url}"
  method: POST
  headers:
    Content-Type: "application/json"
  native_idempotency_key: "{{{{ request_id }}}}"
  native_idempotency_header: "Idempotence-Key"
  body_mode: batch
  max_records_per_request: {batch}
  batch_template: >-
    [{{% for row in rows %}}{{"phone": {{{{ row.phone | tojson_safe }}}},
    "gmtZone": {{{{ row.tz | tojson_safe }}}}, "payload": {{"lead": {{{{ row.id | tojson_safe }}}},
    "name": {{{{ row.name | tojson_safe }}}}}}}}{{% if not loop.last %}},{{% endif %}}
    {{% endfor %}}]
sync:
  mode: incremental
  cursor_field: id
  {size}: {batch}
{more}"""
PROJECT = 'name: bench\nversion: "0.1"\nprofile: local\n'
PROFILE = "profiles:\n  local:\n    type: sqlite\n    database: {database}\n"
LEDGER = "state:\n  backend: warehouse\n  connection_profile: ledger\n  idempotency: true\n"
LEDGER_PROFILE = """\
  ledger:
    type: postgres
    host: {host}
    port: {port}
    user: {user}
    password: "{password}"
    dbname: {database}
"""


#: For the ledger; made for each case.
DATABASE = "syncd_failures"


class Drt:
    """drt-core from a SQLite table, in incremental mode; `ledger` is a database for its own."""

    def __init__(self, ledger: str = "") -> None:
        self.name = "drt-core, its ledger" if ledger else "drt-core"
        self._ledger = ledger
        self._command = Path(envs.python("drt")).with_name("drt")

    def prepare(
        self, folder: Path, rows: Sequence[tuple[str, ...]], box: RunningSandbox, options: Options
    ) -> None:
        """A table with clean numbers, a project, a profile under `folder` as HOME."""
        database = folder / "leads.db"
        with sqlite3.connect(database) as db:
            db.execute("CREATE TABLE leads (id, phone, tz, name)")
            db.executemany(
                "INSERT INTO leads VALUES (?, ?, ?, ?)",
                (_drt_row(row) for row in in_order(rows, shuffled=options.shuffled)),
            )
        db.close()
        (folder / ".drt").mkdir()
        (folder / "syncs").mkdir()
        project, profile = PROJECT, PROFILE.format(database=database)
        more = ["  on_error: skip"] if options.skip_errors else []
        more += [f"  guards:\n    max_creates: {GUARD}"] if options.guard else []
        if self._ledger:
            at = urlsplit(databases.recreate(self._ledger, DATABASE))
            project += LEDGER
            profile += LEDGER_PROFILE.format(
                host=at.hostname,
                port=at.port or 5432,
                user=at.username or "",
                password=at.password or "",
                database=at.path.lstrip("/"),
            )
            more.append("  idempotency_key: '{{ row.id }}'")
        (folder / "drt_project.yml").write_text(project)
        (folder / ".drt" / "profiles.yml").write_text(profile)
        url = f"{box.base_url}/api/calls/campaign/{box.token}/addPhones"
        size = "batch_sise" if options.typo else "batch_size"
        sync = SYNC.format(url=url, batch=BATCH, size=size, more="\n".join(more))
        (folder / "syncs" / "bench.yml").write_text(sync)

    def run(self, options: Options) -> list[str]:  # noqa: ARG002 - the same for all cases
        return [str(self._command), "run"]

    def check(self) -> list[str]:
        return [str(self._command), "validate"]

    def environment(self, folder: Path) -> Mapping[str, str]:
        return {**os.environ, "HOME": str(folder), "DO_NOT_TRACK": "1", "COLUMNS": "200"}

    def told(self, output: str) -> str:
        return telling(output, r"[✓✗⚠]")


def _drt_row(row: tuple[str, ...]) -> tuple[str, ...]:
    """What drt's table has of a lead."""
    of = dict(zip(leads.COLUMNS, row, strict=True))
    name = f"{of['first_name']} {of['last_name']}"
    return of["id"], international(of["phone"]), of["tz"], name
