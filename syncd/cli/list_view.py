"""How leads and rejections are listed: a table, JSON or CSV, one row at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from syncd.cli import common
from syncd.cli.tables import cell, console, new_table, print_json_list, tell_more, write_csv
from syncd.errors import ConfigError
from syncd.ledger.ledger import Ledger
from syncd.ledger.views import LeadFilter, LeadRow, RejectionRow

ROWS = 50
_LEAD_CSV = (
    "sync",
    "campaign",
    "key",
    "phone",
    "state",
    "reason",
    "call_job_id",
    "job_status",
    "call_result",
    "attempts_count",
    "seen_at",
)
_REJECTION_CSV = (
    "sync",
    "key",
    "origin",
    "line",
    "column",
    "reason",
    "masked",
    "seen_at",
    "last_seen_at",
)
_OWNER_ONLY = 0o600


def lead_rows(
    ledger: Ledger, asked: LeadFilter, phones: Sequence[int] | None, *, limit: int | None
) -> Iterator[LeadRow]:
    """The leads that were asked for; with `phones`, those of each of them."""
    filters = [asked] if phones is None else [replace(asked, phone=one) for one in phones]
    rows = (row for one in filters for row in ledger.leads(one, limit=limit))
    return islice(rows, limit)


def lead_data(row: LeadRow) -> dict[str, Any]:
    """The documented JSON shape of a lead; `phone` has a `+`."""
    data = asdict(row)
    del data["lead_id"], data["job_id"]
    data["phone"] = f"+{row.phone}"
    return data


def rejection_data(row: RejectionRow) -> dict[str, Any]:
    """The documented JSON shape of a rejection."""
    data = asdict(row)
    del data["id"]
    return data


def print_leads(rows: Iterable[LeadRow], *, limit: int | None, as_json: bool, as_csv: bool) -> None:
    """Print leads in the form that was asked for."""
    if as_json:
        print_json_list(lead_data(row) for row in rows)
    elif as_csv:
        write_csv(sys.stdout, _LEAD_CSV, (_texts(lead_data(row)) for row in rows))
    else:
        table = new_table("sync", "key", "phone", "state", "outcome", "tries", right=["tries"])
        for row in rows:
            outcome = " ".join(filter(None, (row.job_status, row.call_result))) or row.reason
            table.add_row(
                row.sync,
                cell(row.key),
                f"+{row.phone}",
                row.state.value,
                cell(outcome),
                cell(row.attempts_count),
            )
        console().print(table)
        tell_more(table.row_count, limit)


def print_rejections(rows: Iterable[RejectionRow], *, limit: int | None, as_json: bool) -> None:
    """Print rejections as JSON or as a table."""
    if as_json:
        print_json_list(rejection_data(row) for row in rows)
        return
    table = new_table(
        "sync", "key", "reason", "column", "value (masked)", "file", "line", right=["line"]
    )
    for row in rows:
        table.add_row(
            row.sync,
            cell(row.key),
            row.reason,
            cell(row.column),
            cell(row.masked),
            cell(Path(row.origin).name),
            str(row.line),
        )
    console().print(table)
    tell_more(table.row_count, limit)


def export_rejections(rows: Iterable[RejectionRow], file: Path) -> None:
    """Write rejections as CSV, for their owner only; an existing file is replaced when done."""
    data = (_texts(rejection_data(row)) for row in rows)
    if str(file) == "-":
        write_csv(sys.stdout, _REJECTION_CSV, data)
        return
    unfinished = file.with_name(f"{file.name}.part")
    try:
        unfinished.touch(_OWNER_ONLY)
        with unfinished.open("w", encoding="utf-8", newline="") as out:
            count = write_csv(out, _REJECTION_CSV, data)
        unfinished.replace(file)
    except OSError as error:
        raise ConfigError(f"cannot write: {error.strerror}", where=str(file)) from None
    common.say(f"{count:,} rejections in {file}")


def _texts(data: dict[str, Any]) -> dict[str, Any]:
    """Times as ISO 8601 in UTC."""
    return {
        name: value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if isinstance(value, datetime)
        else value
        for name, value in data.items()
    }
