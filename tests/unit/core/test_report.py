"""Reports as values, and what counts as open."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncd.core.report import (
    CLOSED_STATUSES,
    OPEN_STATUSES,
    AttemptReport,
    DateFilter,
    JobReport,
    is_open,
    is_redial,
    phone_of,
)

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", sorted(OPEN_STATUSES))
@pytest.mark.parametrize("finished_at", [None, AT])
def test_an_open_status_is_open(status: str, finished_at: datetime | None) -> None:
    """The vendor's word for "not over" is believed, whatever the time of the end says."""
    assert is_open(JobReport(call_job_id="1", job_status=status, finished_at=finished_at))


@pytest.mark.parametrize("status", sorted(CLOSED_STATUSES))
@pytest.mark.parametrize("finished_at", [None, AT])
def test_a_final_status_is_closed(status: str, finished_at: datetime | None) -> None:
    """A final status closes a job, even when its end has no time."""
    assert not is_open(AttemptReport(call_job_id="1", job_status=status, finished_at=finished_at))


@pytest.mark.parametrize("status", [None, "unknown", "beamedUp", ""])
def test_an_unheard_of_status_is_open_until_the_end_has_a_time(status: str | None) -> None:
    """What we do not understand is asked for again, until the vendor says when it ended."""
    assert is_open(JobReport(call_job_id="1", job_status=status))
    assert not is_open(JobReport(call_job_id="1", job_status=status, finished_at=AT))


def test_every_status_of_the_contract_is_known() -> None:
    """Calls API, "Reports": nine statuses of the help pages and two of the description."""
    assert OPEN_STATUSES.isdisjoint(CLOSED_STATUSES)
    assert len(OPEN_STATUSES | CLOSED_STATUSES) == 11


def test_a_report_shows_no_personal_data() -> None:
    """`repr` of a report holds neither the phone nor what the script collected."""
    report = JobReport(
        call_job_id="1",
        phone="12125550100",
        tag_payload={"name": "Ada"},
        report_data={"name": "Ada"},
        raw={"phone": "12125550100"},
    )
    assert "12125550100" not in repr(report)
    assert "Ada" not in repr(report)


def test_a_naive_date_is_a_bug() -> None:
    """A filter without a zone would ask for another day than was meant."""
    assert DateFilter(created_from=AT).created_from == AT
    with pytest.raises(AssertionError, match="finished_to is naive"):
        DateFilter(finished_to=datetime(2026, 3, 2))  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("12125550123", 12125550123),
        (None, None),
        ("", None),
        ("+12125550123", None),
        ("²", None),
        ("1" * 16, None),
    ],
)
def test_a_phone_of_a_report_is_digits_or_none(text: str | None, phone: int | None) -> None:
    """Up to 15 plain digits are a phone; anything else is none, and breaks nothing."""
    assert phone_of(JobReport(call_job_id="1", phone=text)) == phone


@pytest.mark.parametrize(("number", "redial"), [(None, False), (0, False), (1, True)])
def test_a_redial_has_a_number(number: int | None, redial: bool) -> None:
    """The first call has no redial number; some installations say 0."""
    assert is_redial(JobReport(call_job_id="1", redial_number=number)) is redial
