"""When people may be called, once more: written from the laws' words, by no code of core/hours.

The hours and dates are literals, not read from syncd's presets or from the `holidays` package, so
that an error there is no error here. The dates are those of the simulated year that are beyond
doubt: a day more that syncd closes breaks no law.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

Spans = tuple[str, ...]  #: "10:00-13:00"; "24:00" ends a day


@dataclass(frozen=True, slots=True)
class Law:
    """Spans of Monday to Sunday, in local time, and what holidays do to them."""

    days: tuple[Spans, ...]
    holidays: frozenset[date] = frozenset()
    of_holidays: Spans = ()  #: the spans of a holiday; () is no calls
    workdays: frozenset[date] = frozenset()  #: of a weekend, with the hours of a Monday
    closed: frozenset[date] = frozenset()
    caps: Mapping[int, int] = field(default_factory=dict)  #: most calls to a person by days

    def permits(self, local: datetime) -> bool:
        """Whether one may call where the wall clock shows `local`."""
        day = local.date()
        if day in self.closed:
            return False
        spans = self.days[0 if day in self.workdays else day.weekday()]
        if day in self.holidays:
            spans = self.of_holidays
        now = f"{local:%H:%M}"
        return any(begin <= now < end for begin, _, end in (span.partition("-") for span in spans))


def broken(law: Law, zones: Iterable[str], at: datetime) -> list[str]:
    """The zones in which one may not call at the aware instant `at`, with the local time."""
    found = []
    for zone in zones:
        local = at.astimezone(rules_of(zone))
        if not law.permits(local):
            found.append(f"{zone} {local:%a %Y-%m-%d %H:%M}")
    return found


@cache
def rules_of(zone: str) -> ZoneInfo:
    """The rules of a zone, from the tzdata package."""
    with files("tzdata.zoneinfo").joinpath(*zone.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=zone)


def offset_changes(zones: Iterable[str], one: datetime, other: datetime) -> bool:
    """Whether one of the clocks was put forward or back between two instants."""
    return any(
        one.astimezone(rules_of(zone)).utcoffset() != other.astimezone(rules_of(zone)).utcoffset()
        for zone in zones
    )


def _every(*spans: str) -> tuple[Spans, ...]:
    return (spans,) * 7


def _week(working: Spans, saturday: Spans = (), sunday: Spans = ()) -> tuple[Spans, ...]:
    return (working,) * 5 + (saturday, sunday)


def _dates(text: str) -> frozenset[date]:
    return frozenset(map(date.fromisoformat, text.split()))


def _run(first: str, days: int) -> frozenset[date]:
    return frozenset(date.fromisoformat(first) + timedelta(days=n) for n in range(days))


#: Days off by the government's decrees on 2026 and 2027; a Saturday was made a working day.
_RUSSIA = _run("2026-12-31", 11) | _dates(
    "2026-11-04 2027-02-22 2027-02-23 2027-03-08 2027-05-03 2027-05-10 2027-06-14 2027-11-04"
    " 2027-11-05"
)
_FRANCE = _dates(
    "2026-11-01 2026-11-11 2026-12-25 2027-01-01 2027-03-29 2027-05-01 2027-05-06 2027-05-08"
    " 2027-05-17 2027-07-14 2027-08-15 2027-11-01"
)
_AUSTRALIA = _dates("2026-12-25 2027-01-01 2027-01-26 2027-03-26 2027-03-29 2027-04-25")
_BRITAIN = _dates("2026-12-25 2027-01-01 2027-03-26")  # the rest differs by nation
_GERMANY = _dates(
    "2026-12-25 2026-12-26 2027-01-01 2027-03-26 2027-03-29 2027-05-01 2027-05-06 2027-05-17"
    " 2027-10-03"
)
_SPAIN = _dates("2026-12-08 2026-12-25 2027-01-01 2027-01-06 2027-03-26 2027-10-12 2027-11-01")
_BRAZIL = _dates(
    "2026-11-02 2026-11-15 2026-12-25 2027-01-01 2027-03-26 2027-04-21 2027-05-01 2027-09-07"
    " 2027-10-12 2027-11-02"
)
_UNITED_STATES = _dates("2026-11-26 2026-12-25 2027-01-01 2027-05-31 2027-07-05 2027-09-06")

#: What the sync "own" writes into its configuration: see people.py.
OWN_CLOSED = ("2026-12-31", "2027-03-29", "2027-06-24")

LAWS: Mapping[str, Law] = {
    # 47 CFR 64.1200(c)(1): not before 8 and not after 21.
    "us": Law(_every("08:00-21:00")),
    # Fla. Stat. 501.616(6): 8 to 20, three calls in 24 hours.
    "us-fl": Law(_every("08:00-20:00"), caps={1: 3}),
    "us-wa": Law(_every("08:00-20:00")),
    # Tex. Bus. & Com. Code: 9 to 21, on Sundays from noon.
    "us-tx": Law((("09:00-21:00",),) * 6 + (("12:00-21:00",),)),
    "us-ky": Law(_every("10:00-21:00")),
    "us-in": Law(_every("08:00-21:00")),
    "us-ri": Law(_week(("09:00-18:00",), ("10:00-17:00",)), _UNITED_STATES),
    # CRTC, Unsolicited Telecommunications Rules.
    "ca": Law(_week(("09:00-21:30",), ("10:00-18:00",), ("10:00-18:00",))),
    "gb": Law(_week(("08:00-21:00",), ("09:00-21:00",)), _BRITAIN),
    "de": Law(_week(("08:00-20:00",), ("09:00-18:00",)), _GERMANY),
    "es": Law(_week(("09:00-21:00",)), _SPAIN),
    "br": Law(_week(("09:00-21:00",), ("10:00-16:00",)), _BRAZIL, caps={1: 2}),
    "in": Law(_every("09:00-21:00")),
    # Code de la consommation, D.223-9: 10 to 13 and 14 to 20, four calls in 30 days.
    "fr": Law(_week(("10:00-13:00", "14:00-20:00")), _FRANCE, caps={30: 4}),
    # Telemarketing and Research Calls Industry Standard 2017.
    "au": Law(_week(("09:00-20:00",), ("09:00-17:00",)), _AUSTRALIA),
    # 230-FZ, article 7: 8 to 22, on days off 9 to 20; one call a day, two a week, eight a month.
    "ru-debt": Law(
        _week(("08:00-22:00",), ("09:00-20:00",), ("09:00-20:00",)),
        _RUSSIA,
        ("09:00-20:00",),
        workdays=_dates("2027-02-20"),
        caps={1: 1, 7: 2, 31: 8},
    ),
    "decent": Law(_every("09:00-21:00")),
    "own": Law(
        _week(("10:00-13:00", "14:00-20:00"), ("11:00-16:30",)),
        closed=_dates(" ".join(OWN_CLOSED)),
    ),
    "night": Law(_every("00:00-04:15", "21:30-24:00")),
    "us-own": Law(_week(("10:00-12:30", "14:00-19:00"))),
}
