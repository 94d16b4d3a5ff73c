"""Named steps: each commit of the ledger and each request to a vendor has a name of its own.

syncd itself does nothing with them. The crash tests set `hook`, and end the process right before or
right after a step; a tidy test sees to it that no commit and no request goes without a name.

A step is `noun.verb`. "before" a commit, all of it is done and nothing is committed; "after" a
request, its answer has come or it has failed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Literal, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

When = Literal["before", "after"]
Hook = Callable[[str, When], None]

#: What is told of each step; None, but in a crash test.
hook: Hook | None = None


def reached(step: str, when: When) -> None:
    """The process stands right before, or right after, this step."""
    if hook is not None:
        hook(step, when)


def named(step: str, method: Callable[P, T]) -> Callable[P, T]:
    """This method of a campaign's client, with each request that is made by it as a named step."""
    if hook is None:
        return method

    @wraps(method)
    def told(*args: P.args, **given: P.kwargs) -> T:
        reached(step, "before")
        try:
            return method(*args, **given)
        finally:
            reached(step, "after")

    return told
