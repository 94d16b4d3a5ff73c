"""What people write today: csv, phonenumbers, requests, 500 a POST. No ledger, no key, no retry.

A second run sends everything again; a kill in the middle leaves nobody knowing what was sent.
"""

from __future__ import annotations

import argparse
import csv
import importlib
from pathlib import Path

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
    batch: list[dict[str, object]] = []

    def send() -> None:
        answer = session.post(given.url, json=batch, timeout=30)
        answer.raise_for_status()
        assert len(answer.json()) == len(batch)
        batch.clear()

    with given.csv.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            number = phones.parse(row["phone"], "RU")
            if not phones.is_valid_number(number):
                continue
            job = {
                "phone": phones.format_number(number, e164)[1:],
                "gmtZone": row["tz"],
                "payload": {
                    "lead": row["id"],
                    "name": f"{row['first_name']} {row['last_name']}",
                    "city": row["city"],
                    "amount": float(row["amount"]),
                },
            }
            batch.append(job)
            if len(batch) == BATCH:
                send()
    if batch:
        send()


if __name__ == "__main__":
    main()
