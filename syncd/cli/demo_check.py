"""The demo's own count: is every lead of the export somewhere?

Reads the export in its own plain way, with nothing of syncd's reader or mapping, and compares it
with the ledger and with what the sandbox has. It must never take syncd's word for what the file
holds.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from io import StringIO

from syncd.cli.demo_data import COLUMNS, ENCODING
from syncd.ledger.views import LeadRow, RejectionRow
from syncd.sandbox.outcomes import MAGIC

_NO_CONSENT = {"", "no", "нет"}
#: States in which the campaign has the call.
_IN_CAMPAIGN = {"accepted", "closed"}
#: States in which a lead would still have to be sent: after a backfill there are none.
_UNSENT = {"staged", "sealed"}


@dataclass(slots=True)
class Contents:
    """What stands in an export, record by record as the commands count them."""

    wanted: Counter[str] = field(default_factory=Counter)  #: by ID: people who may be called
    no_consent: Counter[str] = field(default_factory=Counter)  #: by ID
    #: records without a usable ID, and the first line of each; the ledger keeps one text once
    nameless: dict[tuple[str, ...], set[int]] = field(default_factory=dict)

    @property
    def records(self) -> int:
        named = self.wanted.total() + self.no_consent.total()
        return named + sum(len(lines) for lines in self.nameless.values())


@dataclass(frozen=True, slots=True)
class Account:
    """Where the records of the export are. `lost` is in no other count."""

    records: int
    states: Mapping[str, int]  #: leads by the state of their call job
    rejected: int
    no_consent: int
    repeated: int  #: records of a lead after its first one
    lost: int
    unsent: int
    strangers: int  #: calls of the sandbox that the ledger does not know


def read_export(data: bytes) -> Contents:
    """Read the bytes of the demo's export."""
    export = Contents()
    reader = csv.reader(StringIO(data.decode(ENCODING), newline=""), delimiter=";")
    next(reader)
    start = reader.line_num + 1
    for row in reader:
        first, start = start, reader.line_num + 1
        if not "".join(row).strip():
            continue
        if len(row) != len(COLUMNS) or not row[0]:
            export.nameless.setdefault(tuple(row), set()).add(first)
        elif row[COLUMNS.index("consent")] in _NO_CONSENT:
            export.no_consent[row[0]] += 1
        else:
            export.wanted[row[0]] += 1
    return export


def reckon(
    export: Contents,
    leads: Collection[LeadRow],
    rejections: Collection[RejectionRow],
    sandbox_ids: Collection[str],
) -> Account:
    """Look for every record of the export in the ledger, and for every call in the sandbox."""
    known = {lead.key for lead in leads}
    refused = {one.key for one in rejections if one.key is not None} - known
    rejected_lines = {one.line for one in rejections}
    in_campaign = {lead.call_job_id for lead in leads if lead.state in _IN_CAMPAIGN}
    have = set(sandbox_ids)
    absent = sum(n for key, n in export.wanted.items() if key not in known | refused)
    noted = unnoted = 0
    for lines in export.nameless.values():
        if lines.isdisjoint(rejected_lines):
            unnoted += len(lines)
        else:
            noted += len(lines)
    states = Counter(str(lead.state) for lead in leads)
    return Account(
        records=export.records,
        states=states,
        rejected=sum(export.wanted[key] for key in refused) + noted,
        no_consent=export.no_consent.total(),
        repeated=sum(n - 1 for key, n in export.wanted.items() if key in known),
        lost=absent + unnoted + len(in_campaign - have),
        unsent=sum(states[state] for state in _UNSENT),
        strangers=len(have - in_campaign),
    )


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """How many calls ended so, and which magic endings are among them."""

    status: str
    result: str
    calls: int
    attempts: int
    endings: str


def outcomes(leads: Iterable[LeadRow]) -> list[OutcomeRow]:
    """The outcome table, the most frequent first."""
    calls: Counter[tuple[str, str]] = Counter()
    attempts: Counter[tuple[str, str]] = Counter()
    endings: dict[tuple[str, str], set[str]] = {}
    for lead in leads:
        if lead.state not in _IN_CAMPAIGN:
            continue
        how = (lead.job_status or "(open)", lead.call_result or "")
        calls[how] += 1
        attempts[how] += lead.attempts_count or 0
        endings.setdefault(how, set()).update({f"{lead.phone % 100:02d}"} & set(MAGIC))
    return [
        OutcomeRow(*how, count, attempts[how], " ".join(sorted(endings[how])))
        for how, count in calls.most_common()
    ]
