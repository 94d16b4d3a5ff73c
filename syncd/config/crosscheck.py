"""Checks that need more than one key: a sync's source and campaign, its schedule, token and file.

They look at the merged tables before the models do, so that a wrong type elsewhere hides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from syncd.config.paths import Path, dotted, folded
from syncd.config.problems import origin_of
from syncd.core.names import did_you_mean
from syncd.errors import Problem

CRON_FIELDS = 5
_STEPS_WITH_KEY = frozenset({"column", "region", "city", "postcode", "country", "default"})


def problems(
    values: Mapping[str, Any], origins: Mapping[Path, str], where: str
) -> Iterator[Problem]:
    """Everything that is wrong between keys; `values` may hold anything."""

    def problem(what: str, path: Path, hint: str) -> Problem:
        return Problem(what, dotted(path), origin_of(path, origins, where), hint)

    yield from _alike(values, problem)
    for name, campaign in _tables(values.get("campaigns")):
        yield from _spend(name, campaign, problem)
    for name, sync in _tables(values.get("syncs")):
        yield from _references(name, sync, values, problem)
        yield from _schedule(name, sync, problem)
        yield from _zones(name, sync, problem)
    for name, suppression in _tables(values.get("suppressions")):
        yield from _suppression(name, suppression, values, problem)


def _tables(value: Any) -> list[tuple[str, Mapping[str, Any]]]:
    items = value.items() if isinstance(value, Mapping) else ()
    return [(name, table) for name, table in items if isinstance(table, Mapping)]


def _alike(values: Mapping[str, Any], problem: Any) -> Iterator[Problem]:
    """Two names that differ in case or "-" only can't be told apart in a variable or a log."""
    for section in ("campaigns", "sources", "syncs", "suppressions"):
        seen: dict[str, str] = {}
        for name, _ in _tables(values.get(section)):
            if folded(name) in seen:
                hint = "rename one of the two: variables of the environment could mean either"
                what = f'differs from "{seen[folded(name)]}" in case or "-" only'
                yield problem(what, (section, name), hint)
            seen[folded(name)] = name


def _references(
    name: str, sync: Mapping[str, Any], values: Mapping[str, Any], problem: Any
) -> Iterator[Problem]:
    for key in ("source", "campaign"):
        if isinstance(sync.get(key), str):
            yield from _reference(sync[key], key, ("syncs", name, key), values, problem)


def _reference(
    given: str, kind: str, path: Path, values: Mapping[str, Any], problem: Any
) -> Iterator[Problem]:
    known = values.get(f"{kind}s")
    names = list(known) if isinstance(known, Mapping) else []
    if given not in names:
        hint = did_you_mean(given, names) if names else f"add a table [{kind}s.NAME]"
        yield problem(f"names a {kind} that is not there", path, hint)


def _suppression(
    name: str, told: Mapping[str, Any], values: Mapping[str, Any], problem: Any
) -> Iterator[Problem]:
    path: Path = ("suppressions", name)
    if isinstance(told.get("source"), str):
        yield from _reference(told["source"], "source", (*path, "source"), values, problem)
    syncs = told.get("syncs", [])
    for sync in [syncs] if isinstance(syncs, str) else syncs if isinstance(syncs, list) else []:
        if isinstance(sync, str):
            yield from _reference(sync, "sync", (*path, "syncs"), values, problem)
    if not told.get("phone") and not told.get("key"):
        yield problem("has neither phone nor key", path, 'give phone = "…", or key = "…"')


def _spend(name: str, campaign: Mapping[str, Any], problem: Any) -> Iterator[Problem]:
    if campaign.get("max_spend_per_day", "off") != "off" and "price_per_minute" not in campaign:
        hint = "add price_per_minute, and expected_minutes if a call takes more or less than one"
        path = ("campaigns", name, "max_spend_per_day")
        yield problem("cannot be reckoned without a price", path, hint)


def _zones(name: str, sync: Mapping[str, Any], problem: Any) -> Iterator[Problem]:
    told, mapped = sync.get("zones"), sync.get("map")
    if not isinstance(told, Mapping) or not isinstance(mapped, Mapping):
        return
    path: Path = ("syncs", name, "zones")
    if "column" in told and "gmtZone" in mapped:
        hint = "keep zones.column: it reads more ways to write a zone, and falls back to the rest"
        yield problem("gives the zone's column beside map.gmtZone", (*path, "column"), hint)
    chain = told.get("chain")
    for step in chain if isinstance(chain, list) else ():
        given = step in told or (step == "column" and "gmtZone" in mapped)
        if step in _STEPS_WITH_KEY and not given:
            hint = f'give {step} = "…", or leave the step out'
            yield problem(f'has the step "{step}" and not its key', (*path, "chain"), hint)


def _schedule(name: str, sync: Mapping[str, Any], problem: Any) -> Iterator[Problem]:
    path: Path = ("syncs", name)
    every, cron = sync.get("every"), sync.get("cron")
    if every is None and cron is None:
        yield problem("has no schedule", path, 'give every = "5m", or cron = "*/10 9-18 * * *"')
    if every is not None and cron is not None:
        yield problem("has both every and cron", path, "keep one of the two")
    zone = sync.get("time_zone")
    if isinstance(zone, str) and not _is_zone(zone):
        hint = did_you_mean(zone, sorted(available_timezones()))
        yield problem("is no time zone", (*path, "time_zone"), hint)
        zone = None
    if isinstance(cron, str):
        yield from _cron(cron, path, problem)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _cron(cron: str, path: Path, problem: Any) -> Iterator[Problem]:
    hint = 'minute hour day month weekday, such as "*/10 9-18 * * mon-fri"'
    if len(cron.split()) != CRON_FIELDS:
        yield problem(f"must have {CRON_FIELDS} fields", (*path, "cron"), hint)
        return
    if re.search(r"(?<!/)\b\d", cron.rsplit(maxsplit=1)[-1]):
        # 1 is Monday to cron and Tuesday to the scheduler: calls on the wrong day, and nobody sees.
        what = "gives weekdays as numbers, which programs count differently"
        yield problem(what, (*path, "cron"), 'write them as names, such as "mon-fri"')
        return
    # Imported here: only a configuration with a cron needs the scheduler's parser to be read.
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415 - see above

    try:
        CronTrigger.from_crontab(cron, timezone="UTC")
    except (ValueError, TypeError, KeyError):
        yield problem("is no cron expression", (*path, "cron"), hint)
