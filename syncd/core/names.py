"""Suggests the name that was probably meant.

It owns the wording of "did you mean"; it must never decide anything: a wrong name stays an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SHOWN_NAMES = 20


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint such as `did you mean "phone"?`, or the known names when none is close."""
    names = list(known)
    folded = {candidate.casefold(): candidate for candidate in reversed(names)}
    close = difflib.get_close_matches(name.casefold(), folded, n=1)
    if close:
        return f'did you mean "{folded[close[0]]}"?'
    if not names:
        return "there are no names to choose from"
    more = ", …" if len(names) > _SHOWN_NAMES else ""
    return f"have: {', '.join(names[:_SHOWN_NAMES])}{more}"
