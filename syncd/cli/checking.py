"""The work of `syncd check`: each thing is tried, and no failure keeps the next from being tried.

Must never write: the ledger is opened and read, campaigns are asked for their status, sources are
read from their start and forgotten.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from syncd import wiring
from syncd.cli.outlook_view import (
    NO_REGISTRY,
    REGISTRY_HINT,
    undecreed_hint,
    undecreed_text,
)
from syncd.config.load import Loaded
from syncd.core.hours.decrees import undecreed
from syncd.core.hours.outlook import WindowsSeen
from syncd.core.mapping import MappedJob, Mapper, Rejected, check_spec
from syncd.core.spec import HoursSpec, MappingSpec
from syncd.engine.list_entries import entries_of
from syncd.engine.readiness import ENDED
from syncd.errors import ConfigError, Problem, SyncdError
from syncd.ledger import migrate
from syncd.ledger.ledger import Ledger
from syncd.ledger.store import shown_url
from syncd.sources.base import Page

_PAUSED = "paused"
_COLUMNS_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried."""

    what: str  #: configuration, ledger, campaign, source, sync or suppression
    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class SampleRejection:
    """The first record of the sample that was rejected for a reason."""

    line: int
    column: str | None
    masked: str


@dataclass(slots=True)
class Sample:
    """What the mapping makes of the first page of its source."""

    sync: str
    records: int = 0
    mapped: int = 0  #: would be called, once in the ledger
    filtered: int = 0
    held: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    examples: dict[str, SampleRejection] = field(default_factory=dict)


class Check:
    """Collects what was tried, what is wrong and what is unwise."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.samples: list[Sample] = []
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def run(self, loaded: Loaded, *, now: datetime, offline: bool) -> None:
        """Try everything that a valid configuration names."""
        self.warnings += loaded.warnings
        self.findings.append(Finding("configuration", str(loaded.path), True, "read"))
        halted = self._ledger(loaded)
        for name in loaded.settings.campaigns:
            self._campaign(name, loaded, halted.get(name), offline=offline)
        for name in loaded.settings.sources:
            self._source(name, loaded, now)

    def wrong(self, what: str, name: str, error: SyncdError, *, key: str, origin: str = "") -> None:
        """Note a failure and the problems that it lists."""
        self.findings.append(Finding(what, name, False, error.what))
        listed = error.problems if isinstance(error, ConfigError) else ()
        # A campaign is named by its key; a source's or a ledger's place says more.
        text = error.what if what == "campaign" else str(error)
        self.problems += listed or [Problem(text, key, origin, error.hint)]

    def _ledger(self, loaded: Loaded) -> dict[str, str]:
        """Open the ledger; which campaigns it holds as halted, and why."""
        url = loaded.settings.ledger.url
        try:
            ledger = Ledger.open(url)
            try:
                states = {name: ledger.campaign_state(name) for name in loaded.settings.campaigns}
            finally:
                ledger.close()
        except SyncdError as error:
            origin = loaded.origin("ledger.url")
            self.wrong("ledger", shown_url(url), error, key="ledger.url", origin=origin)
            return {}
        schema = f"schema {migrate.head()}: current"
        self.findings.append(Finding("ledger", shown_url(url), True, schema))
        return {name: state.halted_reason for name, state in states.items() if state.halted_reason}

    def _campaign(self, name: str, loaded: Loaded, halted: str | None, *, offline: bool) -> None:
        key = f"campaigns.{name}"
        origin = loaded.origin(f"{key}.token")
        try:
            client = wiring.wire_campaign(name, loaded).client
            try:
                status = "not asked (--offline)" if offline else client.status()
            finally:
                client.close()
        except SyncdError as error:
            self.wrong("campaign", name, error, key=key, origin=origin)
            return
        ended = status.lower() in ENDED
        self.findings.append(Finding("campaign", name, not ended, status))
        if ended:
            hint = "it takes no calls any more: put the token of another campaign here"
            self.problems.append(Problem(f"the campaign is {status}", f"{key}.token", origin, hint))
        elif status.lower() == _PAUSED:
            hint = f"it takes leads and calls nobody: `syncd campaign resume {name}`"
            self.warnings.append(Problem("the campaign is paused", key, origin, hint))
        if halted is not None and not ended:
            hint = "sending begins again by itself with the next pass if the reason is gone"
            self.warnings.append(Problem(f"sending is halted: {halted}", key, origin, hint))

    def _source(self, name: str, loaded: Loaded, now: datetime) -> None:
        """Read the first page: map it for each of its syncs, and look whom its lists bar."""
        syncs = [key for key, sync in loaded.settings.syncs.items() if sync.source == name]
        key = f"sources.{name}"
        page: Page | None = None
        try:
            pages = wiring.open_source(name, loaded).read(None, now=now)
            page = next((page for page in pages if page.rows or page.bad), None)
        except SyncdError as error:
            self.wrong("source", name, error, key=key, origin=str(loaded.path))
        else:
            self._seen(name, key, page, loaded)
        for sync in syncs:
            self._sync(sync, page, loaded, now)
        for listed, told in loaded.settings.suppressions.items():
            if told.source == name and page is not None:
                self._suppression(listed, page, loaded)

    def _seen(self, name: str, key: str, page: Page | None, loaded: Loaded) -> None:
        if page is None:
            hint = "a file that may still be written is left alone until it is complete"
            where = str(loaded.path)
            self.warnings.append(Problem("there is nothing to read now", key, where, hint))
            self.findings.append(Finding("source", name, True, "nothing to read now"))
            return
        detail = f"{len(page.rows):,} records and {len(page.columns)} columns on the first page"
        if page.bad:
            detail += f", {len(page.bad):,} unreadable"
        if page.guessed:
            hint = f"if the names are right, write {page.guessed}; else the right one"
            what = f"the encoding of {Path(page.origin).name} is a guess"
            self.warnings.append(Problem(what, f"{key}.encoding", str(loaded.path), hint))
        self.findings.append(Finding("source", name, True, detail))

    def _sync(self, name: str, page: Page | None, loaded: Loaded, now: datetime) -> None:
        try:
            spec, times = wiring.wire_times(name, loaded)
            if page is None:
                check_spec(spec)
                return
            seen = WindowsSeen(now)
            sample = _sample(name, Mapper(spec, page.columns, times(now)), page, seen)
        except ConfigError as error:
            self.findings.append(Finding("sync", name, False, error.what))
            columns = () if page is None else page.columns
            self.problems += [_placed(one, name, loaded, columns) for one in error.problems]
            return
        self.samples.append(sample)
        self._hours(name, spec, seen, loaded, now)
        gone = sum(sample.rejected.values())
        self.findings.append(
            Finding("sync", name, not gone or gone < sample.records, _detail(sample))
        )
        if gone and gone == sample.records:
            hint = "the mapping reads the wrong columns, or default_region is missing"
            key = f"syncs.{name}.map"
            what = "no record of the first page can be mapped"
            self.problems.append(Problem(what, key, str(loaded.path), hint))

    def _hours(
        self, name: str, spec: MappingSpec, seen: WindowsSeen, loaded: Loaded, now: datetime
    ) -> None:
        """Note what is not known of the zones and holidays of a sample."""
        origin = str(loaded.path)
        if seen.no_registry:
            what = f"{seen.no_registry:,} Russian numbers have eleven time zones: {NO_REGISTRY}"
            self.warnings.append(Problem(what, f"syncs.{name}.zones", origin, REGISTRY_HINT))
        hours = spec.hours or HoursSpec()
        for country, year in undecreed(hours, seen.presets, now).items():
            what, hint = undecreed_text(country, year), undecreed_hint(name)
            self.warnings.append(Problem(what, f"syncs.{name}.hours", origin, hint))

    def _suppression(self, name: str, page: Page, loaded: Loaded) -> None:
        """Read the first page of a do-not-call list as the list is read."""
        key, origin = f"suppressions.{name}", str(loaded.path)
        try:
            found, unreadable = entries_of(wiring.wire_suppression(name, loaded), page)
        except ConfigError as error:
            names = ", ".join(page.columns[:_COLUMNS_SHOWN])
            error.hint = error.hint or f"the source has: {names}"
            self.wrong("suppression", name, error, key=key, origin=origin)
            return
        records = len(page.rows) + len(page.bad)
        barred = Counter(one.kind for one in found)
        listed = ", ".join(f"{kind}s {count:,}" for kind, count in sorted(barred.items()))
        detail = f"{listed or 'nobody'} from {records:,} records of the first page"
        hint = "phone or key names the wrong column, or default_region is missing"
        if unreadable:
            detail += f", {unreadable:,} bar nobody"
            what = f"{unreadable:,} of {records:,} records bar nobody: no phone, no key"
            told = self.warnings if found else self.problems
            told.append(Problem(what, key, origin, hint))
        self.findings.append(Finding("suppression", name, bool(found) or not records, detail))


def _sample(name: str, mapper: Mapper, page: Page, seen: WindowsSeen) -> Sample:
    sample = Sample(name, records=len(page.rows) + len(page.bad))
    for bad in page.bad:
        _reject(sample, bad.reason, SampleRejection(bad.line, bad.column, bad.detail))
    for line, row in zip(page.lines, page.rows, strict=True):
        key = mapper.key(row)
        mapped = key if isinstance(key, Rejected) else mapper.map(row)
        if isinstance(mapped, MappedJob) and mapped.window is not None:
            window = mapped.window
            seen.add(window.fields, window.basis, 1, held=mapped.held is not None)
        if isinstance(mapped, Rejected):
            _reject(sample, mapped.reason, SampleRejection(line, mapped.column, mapped.masked))
        elif isinstance(mapped, MappedJob) and mapped.held is not None:
            sample.held[mapped.held] += 1
        elif mapped is None:
            sample.filtered += 1
        else:
            sample.mapped += 1
    return sample


def _reject(sample: Sample, reason: str, example: SampleRejection) -> None:
    sample.rejected[reason] += 1
    sample.examples.setdefault(reason, example)


def _detail(sample: Sample) -> str:
    parts = [f"{sample.mapped:,} of {sample.records:,} can be called"]
    if sample.filtered:
        parts.append(f"{sample.filtered:,} filtered")
    parts += [f"{count:,} held: {reason}" for reason, count in sample.held.items()]
    parts += [
        f"{count:,} {reason} (line {sample.examples[reason].line})"
        for reason, count in sample.rejected.most_common()
    ]
    return ", ".join(parts)


def _placed(problem: Problem, sync: str, loaded: Loaded, columns: tuple[str, ...]) -> Problem:
    """The mapping's own keys as keys of the configuration."""
    key = f"syncs.{sync}.map.{problem.key.removeprefix('fields.')}"
    names = ", ".join(columns[:_COLUMNS_SHOWN])
    return Problem(
        problem.what,
        key,
        problem.where or loaded.origins.get(key, str(loaded.path)),
        problem.hint or (f"the source has: {names}" if names else ""),
    )
