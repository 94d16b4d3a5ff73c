"""dlt as its documentation shows it: a resource reads the file, a custom destination posts."""

from __future__ import annotations

import argparse
import csv
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import requests

BATCH = 500


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--phones", default="phonenumbers", help="phonenumbers or rphonenumbers")
    given = parser.parse_args()
    phones = importlib.import_module(given.phones)
    e164 = phones.PhoneNumberFormat.E164
    session = requests.Session()

    @dlt.resource(name="leads", max_table_nesting=0)
    def leads() -> Iterator[list[dict[str, Any]]]:
        page: list[dict[str, Any]] = []
        with given.csv.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                number = phones.parse(row["phone"], "RU")
                if not phones.is_valid_number(number):
                    continue
                job = {
                    "phone": phones.format_number(number, e164)[1:],
                    "gmt_zone": row["tz"],
                    "lead": row["id"],
                    "name": f"{row['first_name']} {row['last_name']}",
                    "city": row["city"],
                    "amount": float(row["amount"]),
                }
                page.append(job)
                if len(page) == BATCH:
                    yield page
                    page = []
        if page:
            yield page

    @dlt.destination(batch_size=BATCH, name="calls", skip_dlt_columns_and_tables=True)
    def calls(items: Any, _table: Any) -> None:
        jobs = [
            {
                "phone": item["phone"],
                "gmtZone": item["gmt_zone"],
                "payload": {name: item[name] for name in ("lead", "name", "city", "amount")},
            }
            for item in items
        ]
        answer = session.post(given.url, json=jobs, timeout=30)
        answer.raise_for_status()
        assert len(answer.json()) == len(jobs)

    pipeline = dlt.pipeline("bench", destination=calls(), pipelines_dir="pipelines")
    pipeline.run(leads()).raise_on_failed_jobs()


if __name__ == "__main__":
    main()
