"""How a retry is shown: who would go again, who not and why, and what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from syncd.cli import common
from syncd.cli.tables import cell, console, new_table
from syncd.core.call_job import PHONE_KNOWN
from syncd.core.erasure import ERASED
from syncd.core.masking import mask_phone
from syncd.core.retry import (
    FINISH_PASSED,
    MAY_BE_CALLED,
    NEWER_JOB,
    OTHER_CAMPAIGN,
    PURGED,
    WITHDRAWN,
)
from syncd.core.withdrawal import LEFT_SOURCE, SUPPRESSED
from syncd.engine.retry import Found

_WHY_NOT: Mapping[str, str] = {
    ERASED: "the person was erased",
    NEWER_JOB: "the lead has a newer job",
    OTHER_CAMPAIGN: "the sync feeds another campaign now",
    MAY_BE_CALLED: "may have been called",
    SUPPRESSED: "on a do-not-call list",
    PHONE_KNOWN: "the phone has a call already",
    LEFT_SOURCE: "the row has left its source",
    WITHDRAWN: "was withdrawn",
    PURGED: "the content was purged",
    FINISH_PASSED: "the finishDateTime has passed: --finish gives a new one",
}


def print_found(found: Sequence[Found], *, dry_run: bool, as_json: bool) -> None:
    """Print who would go again."""
    if as_json:
        common.print_json({"dry_run": dry_run, "by": None, "syncs": [_data(one) for one in found]})
        return
    jobs = [(one.asked.sync, job) for one in found for job in one.first]
    if jobs:
        table = new_table("sync", "key", "phone", "state", "reason")
        for sync, job in jobs:
            table.add_row(
                sync, cell(job.key), mask_phone(str(job.phone)), job.state, cell(job.reason)
            )
        console().print(table)
    say_found(found)
    common.say("nothing was done")


def say_found(found: Sequence[Found]) -> None:
    """Say on stderr how many would go again, and why others would not."""
    for one in found:
        common.say(f"{one.asked.sync}: {one.again:,} of {one.jobs:,} may go again")
        for why, jobs in one.skipped.items():
            common.say(f"  {jobs:,} not: {_WHY_NOT[why]}")
        if one.limit is not None:
            room = one.limit.jobs - one.before
            before = f" ({one.before:,} went already)" if one.before else ""
            fewer = f", or give --limit {room}" if room > 0 else ""
            common.say(
                f"  {one.limit.guard} allows {one.limit.jobs:,} in 24 hours{before}: they are held"
                f" until `syncd approve {one.asked.sync}`{fewer}"
            )


def print_done(found: Sequence[Found], done: Sequence[int], who: str, *, as_json: bool) -> None:
    """Print what was done."""
    if as_json:
        told = [_data(one) | {"again": went} for one, went in zip(found, done, strict=True)]
        common.print_json({"dry_run": False, "by": who, "syncs": told})
        return
    table: Table = new_table("sync", "go again", "held", "not", right=["go again", "held", "not"])
    for one, went in zip(found, done, strict=True):
        held = went if one.limit is not None else 0
        table.add_row(one.asked.sync, cell(went - held), cell(held), cell(one.jobs - went))
    console().print(table)


def _data(one: Found) -> dict[str, Any]:
    return {
        "sync": one.asked.sync,
        "campaign": one.asked.campaign,
        "found": one.jobs,
        "again": one.again,
        "before": one.before,
        "held_by": None if one.limit is None else one.limit.guard,
        "skipped": dict(one.skipped),
        "jobs": [
            {
                "job_id": job.id,
                "key": job.key,
                "phone": mask_phone(str(job.phone)),
                "state": job.state,
                "reason": job.reason,
            }
            for job in one.first
        ],
    }
