"""The words for why a call was withdrawn, and for what the vendor answered."""

from __future__ import annotations

from typing import Final

#: Why a job was withdrawn.
SUPPRESSED: Final = "suppressed"  #: its phone or key is on a do-not-call list
LEFT_SOURCE: Final = "left_source"  #: its row is no longer in the source, or left the filter
ROW_CHANGED: Final = "row_changed"  #: its row changed: the new content takes its place
HOURS_CHANGED: Final = "hours_changed"  #: it was queued with zones or hours of before
#: Why a job with new content is held: the call with the old content is being cancelled.
WAITS_FOR_CANCEL: Final = "waits_for_cancel"
#: Why such a job is given up: the old call was made, or nobody can know whether it was.
CALLED_ALREADY: Final = "called_already"
FIRST_CALL_UNKNOWN: Final = "first_call_unknown"

#: What became of the wish to cancel: the proof.
NOT_SENT: Final = "not_sent"  #: it ended here
CANCELLED: Final = "cancelled"  #: the vendor named it among the cancelled ones
NOT_CANCELLED: Final = "not_cancelled"  #: the vendor knows it and did not name it: too late
UNKNOWN_ID: Final = "unknown_id"  #: the vendor does not know it
