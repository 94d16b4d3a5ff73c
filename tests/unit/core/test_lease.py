"""The rules of leases: names, renewals, fair shares, and the end of a claim."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.core import lease


def test_a_sync_and_a_campaign_of_one_name_have_two_leases() -> None:
    """Names of leases never meet; a do-not-call list has one of its own too."""
    assert len({lease.of_sync("a"), lease.of_campaign("a"), lease.of_list("a")}) == 3


def test_a_lease_outlives_two_missed_renewals() -> None:
    """Three renewals fit into a lease."""
    assert lease.renew_every_s(timedelta(seconds=60)) == 20.0


@pytest.mark.parametrize(
    ("mine", "leases", "instances", "over"),
    [
        (1, 1, 1, False),
        (1, 1, 4, False),
        (2, 2, 2, True),
        (2, 3, 2, False),
        (3, 3, 2, True),
        (5, 10, 2, False),
        (3, 3, 0, False),
    ],
)
def test_no_instance_keeps_more_than_its_share(
    mine: int, leases: int, instances: int, over: bool
) -> None:
    """A share is the leases by the instances, rounded up; who holds more gives some away."""
    assert lease.over_share(mine, leases=leases, instances=instances) is over


def test_a_claim_is_not_used_in_its_last_minute() -> None:
    """Ten minutes of claim are nine to begin a request in."""
    claim = timedelta(minutes=10)
    assert not lease.claim_is_ending(539.9, claim)
    assert lease.claim_is_ending(540.0, claim)
