"""What a sync says about calling one person more than once; the defaults call each phone once.

Pure data: the ledger compares by it, in the transaction that stores what it decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """Which earlier calls keep a new one back (design, law 1)."""

    per_phone: bool = True  #: False: each lead is called, whatever its phone
    all_campaigns: bool = False  #: calls of other campaigns count too
    again_after: timedelta | None = None  #: so long an ended call counts; None: for ever


DEFAULT: Final = CallPolicy()
