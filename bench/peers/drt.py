"""Writes a drt-core project: a SQLite table in, REST batches of 500 out.

drt has no CSV source, so the export is put into a table before the clock starts. It has no hook
that could parse a phone; digits are picked out in the table beforehand, unmeasured: a gift.
"""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path

SYNC = """\
name: bench
model: "SELECT id, phone, tz, name, city, amount FROM leads"
destination:
  type: rest_api
  url: "{url}"
  method: POST
  headers:
    Content-Type: "application/json"
  body_mode: batch
  max_records_per_request: 500
  batch_template: >-
    [{{% for row in rows %}}{{"phone": {{{{ row.phone | tojson_safe }}}},
    "gmtZone": {{{{ row.tz | tojson_safe }}}}, "payload": {{"lead": {{{{ row.id | tojson_safe }}}},
    "name": {{{{ row.name | tojson_safe }}}}, "city": {{{{ row.city | tojson_safe }}}},
    "amount": {{{{ row.amount }}}}}}}}{{% if not loop.last %}},{{% endif %}}{{% endfor %}}]
sync:
  mode: full
  batch_size: 500
  rate_limit:
    requests_per_second: 100000
  on_error: fail
"""
PROFILES = """\
profiles:
  local:
    type: sqlite
    database: {database}
"""


def prepare(folder: Path, leads: Path, url: str) -> None:
    """Write the project, the profile (under `folder` as HOME) and the table into `folder`."""
    database = folder / "leads.db"
    (folder / ".drt").mkdir()
    (folder / "syncs").mkdir()
    (folder / "drt_project.yml").write_text('name: bench\nversion: "0.1"\nprofile: local\n')
    (folder / ".drt" / "profiles.yml").write_text(PROFILES.format(database=database))
    (folder / "syncs" / "bench.yml").write_text(SYNC.format(url=url))
    with sqlite3.connect(database) as db, leads.open(newline="", encoding="utf-8") as file:
        db.execute("CREATE TABLE leads (id, phone, tz, name, city, amount REAL)")
        db.executemany(
            "INSERT INTO leads VALUES (?, ?, ?, ?, ?, ?)",
            (
                (
                    row["id"],
                    international(row["phone"]),
                    row["tz"],
                    f"{row['first_name']} {row['last_name']}",
                    row["city"],
                    float(row["amount"]),
                )
                for row in csv.DictReader(file)
            ),
        )
    db.close()


def international(text: str) -> str:
    """The digits of a phone; the one national form of the export is Russian."""
    digits = "".join(filter(str.isdigit, text))
    return digits if text.startswith("+") else f"7{digits[1:]}"
