"""Asking for reports in bounded requests, and past IDs and phones that the campaign lacks.

One unknown ID fails the whole request (Calls API, `id.not.found`, `phone.not.found`), so a request
that fails is halved until the unknown ones stand alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from syncd.errors import NotFound

#: IDs in one request: half a minute of patience of any proxy.
IDS_MAX = 200

R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")
T = TypeVar("T")


class ReportMethod(Protocol[R_co]):
    """`CampaignClient.job_reports` or `CampaignClient.attempt_reports`."""

    def __call__(self, *, ids: Sequence[str]) -> Sequence[R_co]: ...


@dataclass(slots=True)
class Found(Generic[R]):
    """What the vendor told, and the IDs or phones that it does not know."""

    found: list[R] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def ask_by_ids(
    method: ReportMethod[R],
    ids: Sequence[str],
    *,
    on_part: Callable[[Sequence[R]], None] | None = None,
) -> Found[R]:
    """Reports of all these IDs; with `on_part`, they are handed over part by part instead."""
    return _ask(lambda part: method(ids=part), ids, on_part)


def ask_by_phones(
    method: Callable[[Sequence[str]], Sequence[R]], phones: Sequence[str]
) -> Found[R]:
    """Reports of all these phones."""
    return _ask(method, phones, None)


def _ask(
    method: Callable[[Sequence[str]], Sequence[R]],
    wanted: Sequence[str],
    on_part: Callable[[Sequence[R]], None] | None,
) -> Found[R]:
    result: Found[R] = Found()
    take = result.found.extend if on_part is None else on_part
    in_parts(wanted, lambda part: take(method(part)), result.unknown.append)
    return result


def in_parts(
    wanted: Sequence[T],
    ask: Callable[[Sequence[T]], None],
    on_unknown: Callable[[T], None],
    *,
    goes_on: Callable[[], bool] = lambda: True,
) -> None:
    """Ask for all of these, a bounded part at a time, while it `goes_on`.

    A part for which `ask` raises NotFound is halved, until the unknown ones stand alone.
    """
    parts = [wanted[start : start + IDS_MAX] for start in range(0, len(wanted), IDS_MAX)][::-1]
    while parts and goes_on():
        part = parts.pop()
        try:
            ask(part)
        except NotFound:
            if len(part) == 1:
                on_unknown(part[0])
            else:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
