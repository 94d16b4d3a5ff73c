"""Call jobs by their zones and hours, and what one of them was worked out from."""

from __future__ import annotations

from syncd.core.call_window import CallWindow, window_of
from syncd.core.mapping import MappedJob
from syncd.ledger.ledger import Ledger
from tests.ledgers import CAMPAIGN, by, job, lead, page, seal, stage


def window(zone: str, held: str | None = None) -> CallWindow:
    """What is sent of one zone; nothing where the job is held."""
    return window_of({} if held else {"gmtZone": zone}, {"zones": [zone]}, held=held)


def timed(n: int, zone: str, held: str | None = None) -> MappedJob:
    return job(n, held=held)._replace(window=window(zone, held))


def test_jobs_that_share_a_window_are_counted_together(ledger: Ledger) -> None:
    """By campaign; staged and sealed ones may be called, held ones apart; others have no row."""
    zones = ["+01:00", "+01:00", "+02:00"]
    new = [lead(n, mapped=timed(n, zone)) for n, zone in enumerate(zones)]
    held = lead(3, mapped=timed(3, "+03:00", "no_common_window"))
    ledger.store_page(page(*new, held), by=by("poll"))
    stage(ledger, 1, first=4, campaign="other")
    seal(ledger, size=1)
    found = sorted(
        (one.campaign, one.held, one.jobs, one.fields, one.basis)
        for one in ledger.job_hours.by_window()
        if one.fields is not None
    )
    assert found == [
        (CAMPAIGN, False, 1, '"gmtZone":"+01:00"', '{"zones":["+01:00"]}'),
        (CAMPAIGN, False, 1, '"gmtZone":"+01:00"', '{"zones":["+01:00"]}'),
        (CAMPAIGN, False, 1, '"gmtZone":"+02:00"', '{"zones":["+02:00"]}'),
        (CAMPAIGN, True, 1, "", '{"zones":["+03:00"]}'),
    ]
    (bare,) = [one for one in ledger.job_hours.by_window() if one.fields is None]
    assert (bare.campaign, bare.held, bare.jobs, bare.basis) == ("other", False, 1, None)


def test_a_lead_tells_the_window_of_its_job(ledger: Ledger) -> None:
    """Fields and basis as they were stored; none where all that is sent is in the body."""
    ledger.store_page(page(lead(1, mapped=timed(1, "+01:00"))), by=by("poll"))
    stage(ledger, 1, first=2)
    (told,) = ledger.history(key="key-1")
    mine = told.jobs[0].window
    assert mine is not None
    assert (mine["fields"], mine["basis"]) == ('"gmtZone":"+01:00"', '{"zones":["+01:00"]}')
    (told,) = ledger.history(key="key-2")
    assert told.jobs[0].window is None
