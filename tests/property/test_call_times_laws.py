"""Laws of the whole way from a record to what is sent, for any number, zone, hours and dates.

What is sent is read by a reader of its own, and what may be is worked out from the texts of the
presets, the `holidays` package and `zoneinfo`: no code of core/hours judges here.
"""

from __future__ import annotations

import random
import re
import tomllib
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

import holidays
import orjson
import phonenumbers
from hypothesis import event, given, settings
from hypothesis import strategies as st

from syncd.core import zone
from syncd.core.call_times import NO_BOUNDS, Bounds
from syncd.core.call_window import CallWindow
from syncd.core.columns import Columns
from syncd.core.spec import HoursSpec, MappingSpec, ZoneSpec
from syncd.core.sync_times import times_at
from syncd.core.window import DAYS, Interval
from syncd.core.zones.registry import Registry, compiled
from syncd.core.zones.registry_csv import read
from tests.registries import HEADER, TERRITORIES, made_row

HELD = {"no_zone", "no_common_window", "no_preset", "start_too_far", "window_missed"}
FIRST = datetime(2026, 11, 2, tzinfo=UTC)
QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
HORIZON = timedelta(weeks=54)
SURELY = timedelta(days=14)  #: a finish so near is known to be met or missed
CODES = {"RU": "RU", "Spain": "ES", "Mongolia": "MN", "US": "US", "CL": "CL"}
COLUMNS = ("id", "phone", "tz", "region", "country")
PLACES = {
    line.split("\t")[2]
    for line in resources.files("tzdata")
    .joinpath("zoneinfo/zone.tab")
    .read_text("utf-8")
    .split("\n")
    if line and line[0] != "#"
}
SENT_ZONE = re.compile(r"[+-][01][0-9]:[0-5][0-9]")
SINGLE = ("decent", "us-tcpa", "us-tx", "us-ri", "ru-debt", "fr-d223-9", "au-2017", "it-codice")


@cache
def preset_rows() -> Mapping[str, Mapping[str, Any]]:
    """The presets as they are written."""
    folder = resources.files("syncd").joinpath("data/presets")
    rows: dict[str, Mapping[str, Any]] = {}
    for file in folder.iterdir():
        if file.name.endswith(".toml"):
            rows |= tomllib.loads(file.read_text("utf-8"))
    return rows


@cache
def calendar(country: str, region: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country, subdiv=region or None, years=range(2026, 2030))


@cache
def clock(name: str) -> zoneinfo.ZoneInfo | timedelta:
    if name[0] in "+-":
        minutes = int(name[1:3]) * 60 + int(name[4:])
        return timedelta(minutes=-minutes if name[0] == "-" else minutes)
    zoneinfo.reset_tzpath(to=())
    return zoneinfo.ZoneInfo(name)


def wall(name: str, at: datetime) -> datetime:
    """What the clocks of a zone show."""
    known = clock(name)
    return at + known if isinstance(known, timedelta) else at.astimezone(known)


def spans(told: Mapping[str, Sequence[str]], weekday: int) -> Iterator[tuple[str, str]]:
    """The spans of a weekday in texts such as `mon-fri = ["10:00-13:00"]`."""
    for key, texts in told.items():
        first, _, last = key.partition("-")
        if DAYS.index(first) <= weekday <= DAYS.index(last or first):
            yield from ((text[:5], text[6:]) for text in texts)


def within(told: Mapping[str, Sequence[str]], weekday: int, local: datetime) -> bool:
    return any(begin <= f"{local:%H:%M}" < end for begin, end in spans(told, weekday))


def basic(name: str) -> tuple[Mapping[str, Any], ...]:
    """The rows that a preset is made of."""
    rows = preset_rows()
    if " + " in name:
        return tuple(row for part in name.split(" + ") for row in basic(part))
    if "intersection" not in rows[name]:
        return (rows[name],)
    return tuple(row for row in rows.values() if row.get("country") == rows[name]["intersection"])


@dataclass(frozen=True, slots=True)
class Case:
    """A record, and the hours of its sync."""

    hours: HoursSpec
    zones: ZoneSpec
    row: tuple[str, ...]
    number: int
    bounds: Bounds
    now: datetime

    def window(self) -> CallWindow:
        """What syncd makes of it."""
        spec = MappingSpec(("id",), ("phone",), None, {}, {}, None, self.zones, self.hours)
        made = times_at(spec, registry())(self.now)(Columns(COLUMNS))
        return made.window(self.row, self.number, self.bounds)


class Judge:
    """Whether all that limits a record permits a call, in the local time of one zone."""

    def __init__(self, case: Case, names: Sequence[str]) -> None:
        """`names` are the presets in force."""
        self._case = case
        self._rows = [row for name in names for row in basic(name)]
        self._own_policy = case.hours.holidays or next(
            (each for each in ("closed", "weekend") if each in self._policies()), "none"
        )
        self.calendars = list(self._calendars())

    def _policies(self) -> list[str]:
        return [row["holidays"] for row in self._rows]

    def _calendars(self) -> Iterator[holidays.HolidayBase]:
        told = self._case.hours.holidays
        places = [
            (row["country"], region)
            for row in self._rows
            if row["holidays"] != "none"
            for region in row.get("holiday_regions", [row.get("region", "")])
        ]
        if told == "none":
            return
        if told and not places:
            number = phonenumbers.parse(f"+{self._case.number}")
            of_number = phonenumbers.region_code_for_number(number) or ""
            places = [(CODES.get(self._case.row[-1], of_number), "")]
        for country, region in places:
            with suppress(NotImplementedError):
                yield calendar(country, region)

    def permits(self, local: datetime) -> bool:
        case, day = self._case, local.date()
        if day.isoformat() in case.hours.closed:
            return False
        own = case.bounds.hours
        if own is not None:
            record = {each: [str(one) for one in all_] for each, all_ in own.items()}
            if not within(record, local.weekday(), local):
                return False
        if case.hours.week and not self._rule(case.hours.week, self._own_policy, local):
            return False
        told = case.hours.holidays
        return all(
            self._rule(row["hours"], told or row["holidays"], local, row.get("eves") and not told)
            for row in self._rows
        )

    def _rule(
        self, hours: Mapping[str, Any], policy: str, local: datetime, eves: object = False
    ) -> bool:
        """Whether one week permits it, with what its holidays do."""
        day, weekday = local.date(), local.weekday()
        if any(day in each for each in self.calendars) and policy != "none":
            return policy == "weekend" and within(hours, 6, local)
        working = self.calendars and all(day in each.weekend_workdays for each in self.calendars)
        if working and policy != "none":
            days = range(5) if weekday > 4 else [weekday]
            return all(within(hours, each, local) for each in days)
        if eves and any(day + DAY in each for each in self.calendars):
            return within(hours, weekday, local) and within(hours, 5, local)
        return within(hours, weekday, local)


@cache
def registry() -> Registry:
    rows = (
        made_row(900, n * 100, n * 100 + 99, TERRITORIES[n % len(TERRITORIES)]) for n in range(300)
    )
    return compiled(read([HEADER, *rows], "made.csv").blocks, {})


@cache
def numbers() -> tuple[int, ...]:
    """Valid numbers of every region, of the types that are called, and Russian ones of blocks."""
    chance, found = random.Random(20261122), [7900 * 10**7 + n for n in range(0, 30_000, 997)]
    kind = phonenumbers.PhoneNumberType
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for each in (kind.MOBILE, kind.FIXED_LINE, kind.TOLL_FREE):
            example = phonenumbers.example_number_for_type(region, each)
            if example is not None:
                digits = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
                found.append(int(digits[:-3]) * 1000 + chance.randrange(1000))
    return tuple(found)


quarters = st.integers(0, 96).map(lambda n: n * 15)
spans_ = st.one_of(
    st.tuples(st.integers(0, 48).map(lambda n: n * 15), st.integers(60, 96).map(lambda n: n * 15)),
    st.tuples(quarters, quarters).filter(lambda two: two[0] != two[1]).map(sorted),
)
texts = st.lists(spans_, min_size=1, max_size=2).map(
    lambda all_: tuple(f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in all_)
)
weeks = st.one_of(
    st.just({}),
    texts.map(lambda one: {"mon-sun": one}),
    st.dictionaries(st.sampled_from(DAYS), texts, min_size=1),
)
own_hours = st.one_of(
    st.none(),
    st.dictionaries(
        st.sampled_from(DAYS),
        spans_.map(lambda two: (Interval(two[0], min(two[1], 1439)),)),
        min_size=1,
    ),
)
minutes = st.integers(0, 370 * 1440).map(lambda n: timedelta(minutes=n))
presets = st.one_of(
    st.sampled_from(SINGLE).map(lambda one: (one,)),
    st.just(("auto",)),
    st.just(()),
    st.tuples(st.sampled_from(SINGLE), st.sampled_from(SINGLE)),
)
cells = st.one_of(
    st.just(""), st.sampled_from(sorted(PLACES)), st.sampled_from(("МСК+2", "+05:45", "US/Eastern"))
)
regions = st.sampled_from(("", "", "", "Florida", "TX", "Приморский край", "Queensland", "Acre"))
countries = st.sampled_from(("", "", "", "Nowhere", *CODES))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    now = FIRST + draw(minutes)
    near = st.integers(-2, 30).map(lambda n: (now + n * DAY).date().isoformat())
    hours = HoursSpec(
        presets=draw(presets),
        scope=draw(st.sampled_from(("telemarketing", "debt"))),
        guard_min=draw(st.sampled_from((None, None, 0, 5))),
        holidays=draw(st.sampled_from((None, None, None, "closed", "weekend", "none"))),
        closed=tuple(draw(st.sets(near, max_size=2))),
        on_ambiguous=draw(st.sampled_from(("hold", "likely", "campaign"))),
        week=draw(weeks),
    )
    steps = ("column", "region", "country", "registry", "phone")
    zones = ZoneSpec(
        steps,
        columns={"column": "tz", "region": "region", "country": "country"},
        overrides=draw(st.sampled_from(({}, {"+7 900": ("Asia/Omsk", "Europe/Moscow")}))),
    )
    number = draw(st.sampled_from(numbers()))
    row = ("1", str(number), draw(cells), draw(regions), draw(countries))
    start = now + draw(minutes) if draw(st.booleans()) else None
    length = draw(st.one_of(st.integers(1, 3 * 1440), st.integers(1, 500 * 1440)))
    finish = (start or now) + timedelta(minutes=length) if draw(st.booleans()) else None
    offset = st.sampled_from(("+05:30", "-03:00"))
    zone_ = draw(st.one_of(st.none(), st.none(), st.sampled_from(sorted(PLACES)), offset))
    bounds = Bounds(zone_, draw(own_hours), start, finish)
    return Case(hours, zones, row, number, NO_BOUNDS if bounds == NO_BOUNDS else bounds, now)


@dataclass(frozen=True, slots=True)
class Sent:
    """What the vendor reads of a call job."""

    zone: str
    days: tuple[str, ...] | None
    spans: Mapping[str, list[tuple[str, str]]]
    start: datetime
    finish: datetime

    def permits(self, at: datetime) -> bool:
        local = wall(self.zone, at)
        if not self.start <= at < self.finish:
            return False
        day = DAYS[local.weekday()]
        if self.days is None:
            return True
        return day in self.days and any(a <= f"{local:%H:%M}" < b for a, b in self.spans[day])


def sent_of(case: Case, fields: Mapping[str, Any]) -> Sent:
    """The fields as the vendor reads them, with the record's own start and finish."""
    told = {
        name: datetime.fromisoformat(fields[name]) if name in fields else own
        for name, own in (
            ("startDateTime", case.bounds.start),
            ("finishDateTime", case.bounds.finish),
        )
    }
    start = max(case.now, told["startDateTime"] or case.now)
    finish = told["finishDateTime"] or start + HORIZON
    if case.bounds.finish is not None:
        assert finish <= case.bounds.finish
    spans_sent = {
        day: [(one["localTimeFrom"], one["localTimeTo"]) for one in all_]
        for day, all_ in fields.get("allowedTime", {}).items()
    }
    days = tuple(fields["allowedDays"]) if "allowedDays" in fields else None
    assert days is None or set(days) == set(spans_sent)
    return Sent(fields["gmtZone"], days, spans_sent, start, min(finish, start + HORIZON))


def instants(case: Case, sent: Sent, names: Sequence[str]) -> Iterator[datetime]:
    """Each quarter of an hour of the days that matter, and the edges of what is sent on them."""
    whole = range((sent.finish - sent.start) // DAY + 1)
    days = {
        0,
        1,
        2,
        3,
        len(whole) - 1,
        *random.Random(len(whole)).sample(whole, min(5, len(whole))),
    }
    for name in (sent.zone, *names):
        offsets = [wall(name, sent.start + n * DAY).replace(tzinfo=UTC) - n * DAY for n in whole]
        days |= {n + m for n in whole[1:] if offsets[n] != offsets[n - 1] for m in (-2, -1, 0)}
    for day in sorted(days):
        first = (sent.start + day * DAY).replace(minute=0, second=0, microsecond=0)
        for quarter in range(97):
            yield first + quarter * QUARTER
            yield first + quarter * QUARTER - timedelta(minutes=1)


@settings(max_examples=120)
@given(cases())
def test_what_is_sent_is_permitted_in_each_zone_and_what_is_held_says_why(case: Case) -> None:
    """The zone and hours that the vendor reads permit nothing that any rule forbids anywhere."""
    made = case.window()
    basis, fields = orjson.loads(made.basis), orjson.loads(b"{" + made.fields + b"}")
    names = [name.rpartition(" ")[0] for name in basis["hours"] if name != "own"]
    legal = any(name != "decent" for name in names)
    settled = basis.get("settled_for")
    if settled is not None:
        assert not legal, "legal hours are never given up"
        assert case.hours.on_ambiguous == ("campaign" if settled == "campaign" else "likely")
    event(made.held or ("campaign" if settled == "campaign" else "sent"))
    if made.held is not None:
        assert made.held in HELD
        assert fields == {}
        assert made.held != "no_preset" or basis["missing"]
        assert (made.held == "no_zone") == (basis["zones"] == [])
        assert basis["evidence"]
        return
    if settled == "campaign":
        assert fields == {}
        return
    assert fields["gmtZone"] == made.gmt_zone
    assert fields["gmtZone"] in PLACES or SENT_ZONE.fullmatch(fields["gmtZone"])
    assert zone.parse(fields["gmtZone"]) is not None
    sent, zones, judge = sent_of(case, fields), settled or basis["zones"], Judge(case, names)
    for at in instants(case, sent, zones):
        if sent.permits(at):
            for name in zones:
                assert judge.permits(wall(name, at)), f"{at} is {wall(name, at)} in {name}"
    if case.bounds.finish and sent.start < sent.finish <= sent.start + SURELY:
        every = range((sent.finish - sent.start) // timedelta(minutes=1))
        assert any(sent.permits(sent.start + n * timedelta(minutes=1)) for n in every)
