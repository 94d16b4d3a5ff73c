"""How a campaign's information is shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from syncd.cli import common
from syncd.cli.status_view import time_of
from syncd.cli.tables import console, fact_table
from syncd.core.report import CampaignInfo


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
