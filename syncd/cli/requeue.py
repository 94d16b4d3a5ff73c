"""`syncd requeue`: open call jobs get the zones and hours of today, by a person's word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import asking, common
from syncd.cli.common import ConfigOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncd.engine.requeue import Affected


def requeue(
    syncs: Annotated[
        list[str] | None, typer.Argument(metavar="[SYNC]...", help="These; else all.")
    ] = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count the call jobs that it would touch.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Queue open call jobs again whose zones or hours would be others today.

    After a change of presets, holidays, hours, the numbering registry, or the data of zones and
    phones. What was not sent gets its new window in place. What the vendor has is cancelled there,
    and added again when its report says that nobody was called; a person who was called is not
    called again. Works beside `run`, which then cancels and sends.
    """
    from syncd.engine import requeue as engine

    with common.opened_app(config) as app:
        names = list(dict.fromkeys(app.sync_names(syncs or [])))
        found = [engine.look(app.again(name), app.ledger) for name in names]
        wanted = sum(len(one.jobs) for one in found)
        done: list[Mapping[str, int]] = [{} for _ in found]
        who = None
        if wanted and not dry_run:
            if not yes:
                _say(found)
                asking.confirm(f"Queue {wanted:,} call job{'' if wanted == 1 else 's'} again?")
            who = asking.person()
            done = [engine.run(one, who, app.ledger, app.tools.clock) for one in found]
    if as_json:
        told = [_data(one, counts) for one, counts in zip(found, done, strict=True)]
        common.print_json({"dry_run": dry_run, "by": who, "syncs": told})
        return
    _say(found)
    for one, counts in zip(found, done, strict=True):
        for what, jobs in sorted(counts.items()):
            common.say(f"  {one.again.sync}: {jobs:,} {_WORDS[what]}")
    if who is None:
        common.say("nothing was done")


_WORDS = {
    "in_place": "not sent yet: they have their new window",
    "to_cancel": "are cancelled at the vendor, and added again",
    "held": "held: they have no permitted hour now",
    "too_soon": "left alone: without a payload, the campaign would take them for repeats within a"
    " day of their sending, and call nobody; run this again tomorrow",
    "unchanged": "left alone: they have ended, or are being cancelled",
}


def _say(found: Sequence[Affected]) -> None:
    for one in found:
        common.say(
            f"{one.again.sync}: {len(one.jobs):,} of {one.open_jobs:,} open call jobs would be sent"
            " otherwise today"
        )


def _data(one: Affected, counts: Mapping[str, int]) -> dict[str, Any]:
    return {
        "sync": one.again.sync,
        "campaign": one.again.campaign,
        "open_jobs": one.open_jobs,
        "affected": len(one.jobs),
        "hours": one.hours,
        "zones": len(one.jobs) - one.hours,
        **{name: counts.get(name, 0) for name in _WORDS},
    }
