"""Who works on a sync or a campaign, when several instances share one ledger: the rules alone.

A lease names one holder until an instant of the database's clock. Its epoch grows with each new
holder, and every write under it names the epoch: so a holder that was paused past its lease and
overtaken changes nothing, whatever it still believes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

#: A lease that is not renewed for so long is anybody's.
LEASE = timedelta(seconds=60)
#: Two renewals may fail before the third comes too late.
RENEWALS_A_LEASE = 3
#: After this share of a lease without a renewal nothing is sent any more: the last look and the
#: first byte are not the same instant, and past the lease others take the claims.
SILENCE_MAX = 0.8
#: A claim of a batch is used this much before its end at the latest: the request is then over
#: before anybody else may claim the batch.
CLAIM_MARGIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Lease:
    """What a write under a lease has to name; another epoch means that it was overtaken."""

    name: str
    holder: str
    epoch: int


def of_sync(name: str) -> str:
    """The lease under which a sync is polled."""
    return f"sync:{name}"


def of_campaign(name: str) -> str:
    """The lease under which a campaign's doubts are settled and its reports are pulled."""
    return f"campaign:{name}"


def of_list(name: str) -> str:
    """The lease under which a do-not-call list is read."""
    return f"list:{name}"


def renew_every_s(lease: timedelta) -> float:
    """Seconds between two renewals."""
    return lease.total_seconds() / RENEWALS_A_LEASE


def over_share(mine: int, *, leases: int, instances: int) -> bool:
    """Whether an instance holds more than its part, so that it should let others have some.

    Args:
        mine: leases of this instance.
        leases: of all instances together.
        instances: how many are alive.
    """
    share = -(-leases // max(1, instances))
    return mine > share


def silence_is_long(silent_s: float, lease: timedelta) -> bool:
    """Whether an instance that was last heard of so long ago may soon be taken for dead."""
    return silent_s >= SILENCE_MAX * lease.total_seconds()


def claim_is_ending(elapsed_s: float, claim: timedelta) -> bool:
    """Whether a claim that was made `elapsed_s` ago is too old for a first byte."""
    return elapsed_s >= (claim - CLAIM_MARGIN).total_seconds()
