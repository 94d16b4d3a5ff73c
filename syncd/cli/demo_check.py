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
    """What stands in an export."""

    records: int = 0
    wanted: set[str] = field(default_factory=set)  #: IDs of people who may be called
    no_consent: set[str] = field(default_factory=set)
    #: records without a usable ID, and the first lines of each: the same text twice is one record
    nameless: dict[tuple[str, ...], set[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """Where the records of the export are. `lost` is in no other count."""

    records: int
    states: Mapping[str, int]  #: leads by the state of their call job
    rejected: int
    no_consent: int
    repeated: int
    lost: int
    unsent: int
    strangers: int  #: calls of the sandbox that the ledger does not know


def read_export(data: bytes) -> Contents:
    """Read the bytes of the demo's export."""
    found = Contents()
    reader = csv.reader(StringIO(data.decode(ENCODING), newline=""), delimiter=";")
    next(reader)
    start = reader.line_num + 1
    for row in reader:
        first, start = start, reader.line_num + 1
        if not "".join(row).strip():
            continue
        found.records += 1
        if len(row) != len(COLUMNS) or not row[0]:
            found.nameless.setdefault(tuple(row), set()).add(first)
        elif row[COLUMNS.index("consent")] in _NO_CONSENT:
            found.no_consent.add(row[0])
        else:
            found.wanted.add(row[0])
    return found


def account(
    export: Contents,
    leads: Collection[LeadRow],
    rejections: Collection[RejectionRow],
    sandbox_ids: Collection[str],
) -> Account:
    """Look for every record of the export in the ledger, and for every call in the sandbox."""
    known = {lead.key for lead in leads}
    refused = {one.key for one in rejections if one.key is not None}
    lines = {one.line for one in rejections}
    in_campaign = {lead.call_job_id for lead in leads if lead.state in _IN_CAMPAIGN}
    have = set(sandbox_ids)
    noted = sum(not lines.isdisjoint(where) for where in export.nameless.values())
    lost = len(export.wanted - known - refused) + len(export.nameless) - noted
    found = len(export.wanted | export.no_consent) + len(export.nameless)
    states = Counter(str(lead.state) for lead in leads)
    return Account(
        records=export.records,
        states=states,
        rejected=len((export.wanted & refused) - known) + noted,
        no_consent=len(export.no_consent),
        repeated=export.records - found,
        lost=lost + len(in_campaign - have),
        unsent=sum(states[state] for state in _UNSENT),
        strangers=len(have - in_campaign),
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many calls ended so, and which magic endings are among them."""

    status: str
    result: str
    calls: int
    attempts: int
    endings: str


def outcomes(leads: Iterable[LeadRow]) -> list[Outcome]:
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
        Outcome(*how, count, attempts[how], " ".join(sorted(endings[how])))
        for how, count in calls.most_common()
    ]
