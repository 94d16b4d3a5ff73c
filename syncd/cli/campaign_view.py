"""How a campaign's information is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson

from syncd.cli import common
from syncd.cli.tables import (
    cell,
    console,
    fact_table,
    new_table,
    print_json_list,
    tell_more,
    time_of,
)
from syncd.core.report import CampaignInfo
from syncd.ledger.unknown_calls import UnknownCall


def as_data(name: str, info: CampaignInfo) -> dict[str, Any]:
    """The documented JSON shape: the vendor's fields that syncd knows, in snake case."""
    data = asdict(info)
    del data["raw"]
    return {"campaign": name, **data}


def print_info(name: str, info: CampaignInfo, *, as_json: bool) -> None:
    """Print it."""
    if as_json:
        common.print_json(as_data(name, info))
        return
    short = info.short_report
    console().print(
        fact_table(
            [
                ("campaign", name),
                ("status", info.status),
                ("name at the vendor", info.name),
                ("project", info.project_name),
                ("id", info.id),
                ("created (UTC)", time_of(info.creation_date)),
                ("began (UTC)", time_of(info.start_time)),
                ("ended (UTC)", time_of(info.end_time)),
                ("calls at once", info.max_simultaneous_calls),
                ("numbers", short.total_numbers),
                ("processed", short.processed_numbers),
                ("calls in progress", short.in_process_calls),
                ("waiting for a retry", short.retry_calls),
            ]
        )
    )


def print_unknown(calls: Sequence[UnknownCall], limit: int | None, *, as_json: bool) -> None:
    """Print calls that no lead has."""
    if as_json:
        print_json_list({**asdict(call), "raw": orjson.Fragment(call.raw)} for call in calls)
        return
    if not calls:
        common.say("no call is known that no lead has")
        return
    table = new_table("vendor's id", "status", "ended (UTC)", "noticed (UTC)", "to a lead's phone")
    for call in calls:
        ended, noticed = time_of(call.finished_at), time_of(call.noticed_at)
        whose = "yes" if call.to_lead else "no"
        table.add_row(cell(call.call_job_id), cell(call.job_status), ended, noticed, whose)
    console().print(table)
    tell_more(len(calls), limit)
