"""What the sandbox has to say of a client: the three promises, counted.

Owns the counting. It reads the ground truth only, never what a client claims.
"""

from __future__ import annotations

from collections import Counter

from syncd.sandbox.book import Book
from syncd.sandbox.campaign import SandboxCampaign


def verdict(book: Book) -> dict[str, object]:
    """Counts over all campaigns; `ok` when nobody was called twice or at a wrong hour.

    A phone is called twice when two jobs of one campaign dialled it, test jobs, the redial jobs of
    a call-back and the jobs of operators aside. `jobs_unfinished` and `requests_parked` say whether
    there is still something to wait for.
    """
    with book.lock:
        book.now_ms()
        campaigns = list(book.campaigns.values())
        twice = sum(_called_twice(campaign) for campaign in campaigns)
        calls = [attempt for campaign in campaigns for attempt in campaign.dialled]
        outside = sum(not attempt.inside for attempt in calls)
        jobs = [job for campaign in campaigns for job in campaign.created]
        statuses = Counter(job.status for job in jobs)
        return {
            "ok": twice == 0 and outside == 0,
            "jobs_called_twice": twice,
            "calls_outside_windows": outside,
            "calls_zone_unknown": sum(not call.job.settings.zone_known for call in calls),
            "calls": len(calls),
            "jobs": len(jobs),
            "jobs_redial": sum(job.redial is not None for job in jobs),
            "jobs_test": sum(job.test for job in jobs),
            "jobs_operator": sum(job.operator for job in jobs),
            "jobs_unfinished": sum(len(campaign.open) for campaign in campaigns),
            "requests_parked": len(book.parking),
            "jobs_never_dialled": sum(not job.attempts for job in jobs),
            "phones": sum(len({job.phone for job in c.created}) for c in campaigns),
            "statuses": dict(sorted(statuses.items())),
        }


def _called_twice(campaign: SandboxCampaign) -> int:
    """Jobs too many: each job of a phone that was dialled after another job of that phone."""
    called = Counter(job.phone for job in campaign.created if job.attempts and job.counts)
    return sum(count - 1 for count in called.values())
