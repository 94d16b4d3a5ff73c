"""The mapper: a row to a call job, a rejection, or nothing."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from syncd.core.mapping import (
    MAX_BODY_BYTES,
    MappedJob,
    Mapper,
    MappingSpec,
    Rejected,
    ValueSpec,
    check_spec,
)
from syncd.errors import ConfigError

COLUMNS = ("id", "first", "last", "phone", "phone2", "city", "x", "tz")
LONDON = "+44 20 7946 0123"
FINISH = datetime(2026, 12, 31, 15, 30, tzinfo=UTC)
SPEC = MappingSpec(
    key=("id",), phone=("phone",), default_region=None, payload={}, fields={}, filter=None
)


def spec(**parts: Any) -> MappingSpec:
    """The least mapping, with these parts replaced."""
    known = {name: getattr(SPEC, name) for name in MappingSpec.__slots__}
    return MappingSpec(**{**known, **parts})


def row(**values: object) -> list[object]:
    """A row with these values; a valid phone and an id unless told otherwise."""
    return [{"id": "1", "phone": LONDON, **values}.get(name) for name in COLUMNS]


def mapped(parts: Mapping[str, Any], **values: object) -> MappedJob | Rejected | None:
    """What a row with these values becomes."""
    return Mapper(spec(**parts), COLUMNS).map(row(**values))


def body(parts: Mapping[str, Any], **values: object) -> dict[str, Any]:
    """The JSON that is sent for such a row."""
    job = mapped(parts, **values)
    assert isinstance(job, MappedJob)
    data: dict[str, Any] = json.loads(job.body)
    return data


def problems(parts: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a mapping, by key."""
    with pytest.raises(ConfigError) as caught:
        Mapper(spec(**parts), COLUMNS)
    return {problem.key: f"{problem.what} {problem.hint}" for problem in caught.value.problems}


def test_the_least_job() -> None:
    """A phone alone is sent as digits without +, with the one zone of the number."""
    job = mapped({})
    assert job == MappedJob(
        phone=442079460123,
        body=b'{"phone":"442079460123","gmtZone":"Europe/London"}',
        zone="Europe/London",
        held=None,
        finish_at=None,
    )


def test_no_zone_is_held() -> None:
    """A number of several zones makes a job that waits, without a gmtZone."""
    job = mapped({}, phone="+61 491 570 006")
    assert isinstance(job, MappedJob)
    assert (job.zone, job.held) == (None, "no_zone")
    assert b"gmtZone" not in job.body


@pytest.mark.parametrize(
    ("tz", "zone"),
    [("UTC+3", "+03:00"), (" Europe/Moscow ", "Europe/Moscow"), ("", "Europe/London")],
)
def test_zone_of_the_record_comes_first(tz: str, zone: str) -> None:
    """The zone comes from the record; a blank one falls back to the number."""
    assert body({"fields": {"gmtZone": ValueSpec(template="{tz}")}}, tz=tz)["gmtZone"] == zone


def test_constant_zone() -> None:
    """A constant zone holds for all, and releases what had none."""
    job = mapped({"fields": {"gmtZone": ValueSpec(value="UTC+3")}}, phone="+61 491 570 006")
    assert isinstance(job, MappedJob)
    assert (job.zone, job.held) == ("+03:00", None)


def test_payload_values() -> None:
    """Columns, templates and literals, typed; what is missing is left out or has its default."""
    payload = {
        "name": ValueSpec(template="{first} {last}"),
        "city": ValueSpec(column="city"),
        "n": ValueSpec(column="x", type="int"),
        "list": ValueSpec(value=[1, {"a": None}]),
        "plain": ValueSpec(template="{{hello}}"),
        "default": ValueSpec(column="tz", default="none"),
        "typed": ValueSpec(column="tz", type="int", default="7"),
        "one": ValueSpec(template="{last}!", default="nobody"),
    }
    full = body({"payload": payload}, first=" Ann ", last="Lee", city="London", x="1 234")
    assert full["payload"] == {
        "name": "Ann Lee",
        "city": "London",
        "n": 1234,
        "list": [1, {"a": None}],
        "plain": "{hello}",
        "default": "none",
        "typed": 7,
        "one": "Lee!",
    }
    least = body({"payload": payload}, last=" ")["payload"]
    assert set(least) == {"list", "plain", "default", "typed", "one"}
    assert least["one"] == "nobody"


def test_text_of_a_number() -> None:
    """A column of a database that is no text is written as text."""
    assert body({"payload": {"x": ValueSpec(column="x")}}, x=7.0)["payload"] == {"x": "7"}
    assert body({"payload": {"x": ValueSpec(column="x")}}, x="a\x00b")["payload"] == {"x": "ab"}


def test_a_template_takes_numbers_and_text_that_needs_repair() -> None:
    """A spreadsheet's 7.0 is 7, and a control character is left out."""
    payload = {"t": ValueSpec(template="{first}-{last}")}
    assert body({"payload": payload}, first=7.0, last="a\x00b")["payload"] == {"t": "7-ab"}


def test_payload_is_left_out_when_empty() -> None:
    """No payload at all is sent as none."""
    assert "payload" not in body({"payload": {"city": ValueSpec(column="city")}})


def test_gaps_in_a_template_close() -> None:
    """A blank middle part leaves no double space; text of the record itself is kept as it is."""
    payload = {"name": ValueSpec(template="{first} {city} {last}")}
    assert body({"payload": payload}, first="Ann", last="Lee")["payload"]["name"] == "Ann Lee"


def test_text_is_data_and_never_pasted() -> None:
    """Quotes and braces in a record stay text."""
    evil = '"}],"phone":"1'
    sent = body({"payload": {"t": ValueSpec(template="<{first}>")}}, first=evil)
    assert sent["payload"] == {"t": f"<{evil}>"}


def test_vendor_fields() -> None:
    """Every field of the contract can be mapped; times are sent in UTC, hours as the contract's."""
    fields = {
        "startDateTime": ValueSpec(value="2026-12-01T00:00:00Z"),
        "finishDateTime": ValueSpec(column="x"),
        "allowedDays": ValueSpec(value=["mon", "tue"]),
        "allowedTime": ValueSpec(template="{city}"),
        "retryIntervalInMinutes": ValueSpec(value=2880),
        "maxAttempts": ValueSpec(value=0),
        "dialerPriority": ValueSpec(column="last", default=3),
    }
    job = mapped({"fields": fields}, x="31.12.2026 18:30:00+03:00", city="09:00-21:00")
    assert isinstance(job, MappedJob)
    assert job.finish_at == FINISH
    assert json.loads(job.body) == {
        "phone": "442079460123",
        "gmtZone": "Europe/London",
        "startDateTime": "2026-12-01T00:00:00Z",
        "finishDateTime": "2026-12-31T15:30:00Z",
        "allowedDays": ["mon", "tue"],
        "allowedTime": {"default": [{"localTimeFrom": "09:00", "localTimeTo": "21:00"}]},
        "retryIntervalInMinutes": 2880,
        "maxAttempts": 0,
        "dialerPriority": 3,
    }


def test_vendor_fields_as_json_text() -> None:
    """Hours and days may stand in a column as JSON."""
    fields = {"allowedTime": ValueSpec(column="x"), "allowedDays": ValueSpec(column="city")}
    hours = '{"mon": [{"localTimeFrom": "09:00", "localTimeTo": "21:00"}]}'
    sent = body({"fields": fields}, x=hours, city='["mon"]')
    assert sent["allowedTime"] == json.loads(hours)
    assert sent["allowedDays"] == ["mon"]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("finishDateTime", "2026-12-31 18:30", "time_without_zone"),
        ("finishDateTime", "soon", "value_invalid"),
        ("finishDateTime", "0001-01-01T00:00:00+14:00", "value_invalid"),
        ("allowedDays", "monday", "value_invalid"),
        ("allowedDays", "[mon]", "value_invalid"),
        ("allowedDays", "[" + " " * 10_000, "value_too_long"),
        ("allowedTime", "{", "value_invalid"),
        ("allowedTime", "21:00-09:00", "value_invalid"),
        ("retryIntervalInMinutes", "0", "value_out_of_range"),
        ("retryIntervalInMinutes", "2881", "value_out_of_range"),
        ("maxAttempts", "-1", "value_out_of_range"),
        ("maxAttempts", "51", "value_out_of_range"),
        ("maxAttempts", "many", "value_invalid"),
        ("dialerPriority", "6", "value_out_of_range"),
        ("gmtZone", "MSK", "zone_invalid"),
    ],
)
def test_a_bad_field_rejects_its_record_only(name: str, value: str, reason: str) -> None:
    """What the vendor would refuse a batch for never gets into one."""
    rejected = mapped({"fields": {name: ValueSpec(column="x")}}, x=value)
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, rejected.column) == (reason, "x")
    assert len(value) <= 4 or value not in rejected.masked
    assert f"fields.{name}" in problems({"fields": {name: ValueSpec(value=value)}})


def test_start_must_be_before_finish() -> None:
    """Of a record it is a rejection, of constants a configuration error."""
    early, late = ValueSpec(value="2026-01-01T00:00:00Z"), ValueSpec(value="2026-01-02T00:00:00Z")
    column = ValueSpec(column="x")
    rejected = mapped(
        {"fields": {"startDateTime": late, "finishDateTime": column}}, x="2026-01-02T00:00:00Z"
    )
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, rejected.column) == ("start_not_before_finish", "finishDateTime")
    assert "fields.finishDateTime" in problems(
        {"fields": {"startDateTime": late, "finishDateTime": early}}
    )
    assert body({"fields": {"startDateTime": early, "finishDateTime": late}})
    assert mapped({"fields": {"finishDateTime": late}})


@pytest.mark.parametrize(
    ("value", "values", "expected"),
    [
        (ValueSpec(column="x", required=True), {}, Rejected("value_missing", "x", "")),
        (
            ValueSpec(column="x", type="int"),
            {"x": "seven"},
            Rejected("value_invalid", "x", "se…(5 characters)"),
        ),
        (
            ValueSpec(column="x", type="int"),
            {"x": 0.5},
            Rejected("value_invalid", "x", "…(3 characters)"),
        ),
        (
            ValueSpec(template="{first}{last}", type="int", required=True),
            {"first": "12", "last": "3x"},
            Rejected("value_invalid", "first, last", "12…(5 characters)"),
        ),
        (
            ValueSpec(template="{first}{last}", required=True),
            {},
            Rejected("value_missing", "first, last", "No…(9 characters)"),
        ),
    ],
)
def test_rejections_name_the_column_and_mask_the_value(
    value: ValueSpec, values: dict[str, object], expected: Rejected
) -> None:
    """A rejection is found again without showing what it holds."""
    assert mapped({"payload": {"v": value}}, **values) == expected


def test_body_is_bounded() -> None:
    """A job that is too long for a batch is rejected."""
    payload = {f"v{n}": ValueSpec(column="x") for n in range(10)}
    rejected = mapped({"payload": payload}, x="x" * 9_000)
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "body_too_long"
    assert str(MAX_BODY_BYTES) not in rejected.masked


def test_first_valid_phone_is_taken() -> None:
    """Phone columns are tried in order; when none is valid the first that is filled tells why."""
    two = {"phone": ("phone", "phone2")}
    taken = mapped(two, phone="n/a", phone2="+1 212 555 0123")
    assert isinstance(taken, MappedJob)
    assert taken.phone == 12125550123
    assert mapped(two, phone="+44 7700 900123", phone2="x") == Rejected(
        "phone_invalid", "phone", "+4477***0123"
    )
    assert mapped(two, phone="", phone2="7.9E+10") == Rejected(
        "phone_rounded", "phone2", "***(4 digits)"
    )
    assert mapped(two, phone=None, phone2=" ") == Rejected("phone_missing", "phone", "")


def test_filter_says_no() -> None:
    """A record that the filter leaves out is neither a job nor a rejection."""
    assert mapped({"filter": 'city == "London"'}, city="Leeds", phone="x") is None
    assert isinstance(mapped({"filter": 'city == "London"'}, city="London"), MappedJob)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("7", "7"),
        (" 7 ", "7"),
        (7, "7"),
        (7.0, "7"),
        (7.5, "7.5"),
        (Decimal("7.10"), "7.10"),
        (date(2026, 1, 2), "2026-01-02"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("a/b", "a/b"),
        ("a\u00a0b", "a\u00a0b"),
        ("", Rejected("key_missing", "id", "…(0 characters)")),
        (None, Rejected("key_missing", "id", "")),
        ("a\x00b", Rejected("key_invalid", "id", "…(3 characters)")),
        ("\ud800long", Rejected("key_invalid", "id", "?l…(5 characters)")),
        ([1], Rejected("key_invalid", "id", "…(3 characters)")),
        ("x" * 513, Rejected("key_invalid", "id", "xx…(513 characters)")),
    ],
)
def test_key(value: object, key: str | Rejected) -> None:
    """The same key from a file, a spreadsheet and a database; no key is a rejection."""
    assert Mapper(SPEC, COLUMNS).key(row(id=value)) == key


def test_key_of_several_columns() -> None:
    """Parts are kept apart, and the blank one is named."""
    mapper = Mapper(spec(key=("id", "city")), COLUMNS)
    assert mapper.key(row(id="a/b", city="c")) == "a\\/b/c"
    assert mapper.key(row(id="a", city="b/c")) == "a/b\\/c"
    assert mapper.key(row(id="a\\", city="c")) == "a\\\\/c"
    assert mapper.key(row(id="a")) == Rejected("key_missing", "city", "")


def test_revision_follows_the_columns_that_are_read() -> None:
    """Another value in a column of the mapping is another revision; elsewhere it is not."""
    mapper = Mapper(
        spec(payload={"c": ValueSpec(template="{city}.")}, filter="x is blank"), COLUMNS
    )
    first = mapper.revision(row(city="London"))
    assert len(first) == 8
    assert mapper.revision(row(city="London", first="Ann")) == first
    assert mapper.revision(row(city="London ")) != first
    assert mapper.revision(row(city="London", x=1)) != first
    assert mapper.revision(row(city="London", id="2")) != first
    assert mapper.revision(row(city="\ud800")) != first
    one = Mapper(spec(key=("phone",)), COLUMNS)
    assert one.revision(row()) == one.revision(row(id=2))


def test_digest_follows_the_spec() -> None:
    """Everything that decides what a record becomes is in the digest; the order of names is not."""
    a, b = ValueSpec(column="city"), ValueSpec(value=FINISH)
    base = spec(payload={"a": a, "b": b})
    assert base.digest == spec(payload={"b": b, "a": a}).digest
    assert len(base.digest) == 64
    others = [
        spec(payload={"a": a}),
        spec(payload={"a": a, "b": ValueSpec(value=FINISH + timedelta(1))}),
        spec(payload={"a": ValueSpec(column="city", required=True), "b": b}),
        spec(payload={"a": a, "b": b}, key=("first",)),
        spec(payload={"a": a, "b": b}, phone=("phone2",)),
        spec(payload={"a": a, "b": b}, default_region="GB"),
        spec(payload={"a": a, "b": b}, fields={"maxAttempts": ValueSpec(value=3)}),
        spec(payload={"a": a, "b": b}, filter="city is blank"),
    ]
    assert len({base.digest, *(other.digest for other in others)}) == len(others) + 1


def test_all_problems_at_once() -> None:
    """A person sees all that is wrong, each with its key and the name that was meant."""
    found = problems(
        {
            "key": ("idd",),
            "phone": (),
            "default_region": "uk",
            "payload": {
                "a": ValueSpec(template="{cty}"),
                "b": ValueSpec(column="city", value=2),
                "c": ValueSpec(),
                "d": ValueSpec(template="{city"),
                "e": ValueSpec(template="}city"),
                "f": ValueSpec(template="{ }"),
                "g": ValueSpec(template='{{"a": {city}}}', type="json"),
                "h": ValueSpec(column="city", type="integer"),  # type: ignore[arg-type]
                "i": ValueSpec(value=object()),
                "j": ValueSpec(value="x", type="int"),
                "k": ValueSpec(column="city", type="int", default="x"),
            },
            "fields": {
                "maxAttempt": ValueSpec(value=1),
                "gmtZone": ValueSpec(value="MSK"),
                "startDateTime": ValueSpec(value=datetime(2026, 1, 1)),  # noqa: DTZ001
            },
            "filter": "city = 1",
        }
    )
    assert 'did you mean "id"' in found["key"]
    assert "no column" in found["phone"]
    assert "ISO 3166" in found["default_region"]
    assert 'did you mean "city"' in found["payload.a"]
    assert all("exactly one" in found[f"payload.{name}"] for name in "bc")
    assert all("partner" in found[f"payload.{name}"] for name in "de")
    assert "names no column" in found["payload.f"]
    assert "never pasted" in found["payload.g"]
    assert 'did you mean "int"' in found["payload.h.type"]
    assert all(f"payload.{name}" in found for name in "ijk")
    assert 'did you mean "maxAttempts"' in found["fields.maxAttempt"]
    assert "+03:00" in found["fields.gmtZone"]
    assert "zone" in found["fields.startDateTime"]
    assert "write ==" in found["filter"]


def test_number_of_payload_names_is_bounded() -> None:
    """A payload of very many names is a mistake."""
    assert "payload" in problems({"payload": {f"v{n}": ValueSpec(value=1) for n in range(201)}})


def test_a_column_that_stands_twice_is_refused() -> None:
    """Which of two columns of one name is meant can't be known."""
    with pytest.raises(ConfigError, match="more than one"):
        Mapper(SPEC, ("id", "phone", "phone"))


def test_spec_can_be_checked_without_columns() -> None:
    """Constants, templates and filter are checked before a source is opened."""
    check_spec(spec(payload={"a": ValueSpec(template="{any} {any}")}, filter="other > 1"))
    with pytest.raises(ConfigError, match="maxAttempts"):
        check_spec(spec(fields={"maxAttempts": ValueSpec(value=51)}))
