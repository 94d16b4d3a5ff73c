"""Times in a lead's own zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncd.cli import explain_view
from syncd.cli.explaining import local_text
from syncd.core.call_job import ID_OF_ANOTHER_JOB, REPORT_OF_ANOTHER_PHONE

AT = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "local"),
    [
        ("Europe/London", "2026-01-02T23:30:00+00:00"),
        ("Asia/Kathmandu", "2026-01-03T05:15:00+05:45"),
        ("+03:00", "2026-01-03T02:30:00+03:00"),
        ("Z", "2026-01-02T23:30:00+00:00"),
        ("no zone", None),
        (None, None),
    ],
)
def test_an_instant_in_a_zone(zone: str | None, local: str | None) -> None:
    """A region, an offset, or nothing when the zone is not known: never the operator's zone."""
    assert local_text(AT, zone) == local
    assert local_text(None, zone) is None


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [
        ("parked", "campaign.limit.exceeded", "nobody was called"),
        ("parked", ID_OF_ANOTHER_JOB, "nobody can know whether it was called"),
        ("accepted", REPORT_OF_ANOTHER_PHONE, "names another phone"),
        ("accepted", None, "has not ended"),
        ("staged", None, "waits to be sent"),
    ],
)
def test_a_job_in_trouble_is_told_by_its_reason(state: str, reason: str | None, told: str) -> None:
    """A refused batch called nobody; of an ID with two jobs or phones nobody can know."""
    assert told in explain_view.meaning(state, reason)
