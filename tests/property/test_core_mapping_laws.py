"""Laws of the core that hold for any record."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncd.core import phone, window, zone
from syncd.core.columns import Columns
from syncd.core.expression import compile_expression
from syncd.core.mapping import MappedJob, Mapper, MappingSpec, Rejected, ValueSpec
from syncd.core.masking import mask_phone, mask_text
from syncd.core.refusal import BadValue
from syncd.core.values import READERS
from syncd.errors import ConfigError

COLUMNS = ("id", "phone", "a", "b")

texts = st.text(st.characters(exclude_categories=()), max_size=30)  # half surrogates too
phones = st.one_of(
    st.from_regex(r"(\+|00|8)?[ (]{0,2}[0-9][0-9 ().\-]{6,18}(ext\. ?[0-9]{1,3})?", fullmatch=True),
    st.integers(0, 99).map(lambda n: f"+1 212 555 01{n:02d}"),
)
cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(allow_nan=True),
    st.dates(),
    st.datetimes(timezones=st.sampled_from([None, UTC])),
    st.binary(max_size=5),
    st.lists(st.integers(), max_size=3),
    texts,
    phones,
    st.sampled_from(
        ["1 234,5", "да", "31.12.2026 18:30", "2026-12-31T00:00:00Z", '{"a": 1}', "+3"]
    ),
)
rows = st.lists(cells, min_size=len(COLUMNS), max_size=len(COLUMNS))
MAPPER = Mapper(
    MappingSpec(
        key=("id",),
        phone=("phone", "b"),
        default_region="RU",
        payload={
            "text": ValueSpec(template="<{a} {b}>"),
            **{name: ValueSpec(column="a", type=name) for name in ("str", "json")},
        },
        fields={"gmtZone": ValueSpec(column="b")},
        filter=None,
    ),
    COLUMNS,
)
FIELDS = {
    name: Mapper(
        MappingSpec(
            key=("id",),
            phone=("phone",),
            default_region=None,
            payload={},
            fields={name: ValueSpec(column="a")},
            filter=None,
        ),
        COLUMNS,
    )
    for name in ("startDateTime", "allowedDays", "allowedTime", "maxAttempts", "gmtZone")
}


@given(phones | texts, st.sampled_from([None, "RU", "GB", "US", "DE", "IT", "AR"]))
def test_normalising_twice_changes_nothing(text: str, region: str | None) -> None:
    """A number that was read reads as itself, with "+" and as the vendor writes it."""
    number = phone.normalise(text, region)
    if isinstance(number, int):
        assert phone.normalise(f"+{number}", region) == number
        assert phone.normalise(f"+{number}") == number
        assert len(str(number)) <= 15


@given(rows)
def test_every_row_is_a_job_or_a_rejection(row: list[object]) -> None:
    """Mapping never raises; a job is JSON with the phone as digits; a rejection has a reason."""
    key = MAPPER.key(row)
    assert key if isinstance(key, str) else key.reason
    assert len(MAPPER.revision(row)) == 8
    result = MAPPER.map(row)
    if isinstance(result, Rejected):
        assert result.reason
        assert result.column
    else:
        check_job(result)


def check_job(job: MappedJob | None) -> None:
    """What holds for every job."""
    assert job is not None
    sent: dict[str, Any] = json.loads(job.body)
    assert sent["phone"] == str(job.phone)
    assert sent["phone"].isdecimal()
    assert sent.get("gmtZone") == job.zone
    assert (job.zone is None) == (job.held == "no_zone")
    assert job.zone is None or zone.parse(job.zone) is not None


@given(st.sampled_from(sorted(FIELDS)), cells)
def test_a_field_is_sent_right_or_not_at_all(name: str, value: object) -> None:
    """Whatever a column holds, what is sent obeys the contract."""
    result = FIELDS[name].map(["1", "+12125550123", value, None])
    if isinstance(result, MappedJob) and name in (sent := json.loads(result.body)):
        if name == "maxAttempts":
            assert 0 <= sent[name] <= 50
        elif name == "startDateTime":
            assert datetime.fromisoformat(sent[name]).tzinfo is not None
        elif name == "allowedDays":
            assert 1 <= len(set(sent[name]) & set(window.DAYS)) == len(sent[name])
        elif name == "allowedTime":
            assert window.hours_to_wire(window.parse_hours(sent[name])) == sent[name]
        else:
            assert zone.canonical(sent[name]) == sent[name]


@given(rows, st.text(max_size=5))
def test_revision_follows_the_values(row: list[object], more: str) -> None:
    """The same values give the same revision, and another text another."""
    assert MAPPER.revision(row) == MAPPER.revision(list(row))
    changed = [f"{more}1", *row[1:]], [f"{more}2", *row[1:]]
    assert MAPPER.revision(changed[0]) != MAPPER.revision(changed[1])


@given(
    rows,
    st.sampled_from(
        [
            "a == b",
            "a < b or not b >= 5",
            'a in ("1", 2, true, null)',
            'lower(a) contains b and upper(b) != "X"',
            "number(a) > length(b)",
            "a",
            "a is blank or not blank(b)",
        ]
    ),
)
def test_a_filter_never_raises_on_a_row(row: list[object], text: str) -> None:
    """A filter answers yes or no to any record."""
    assert compile_expression(text, Columns(COLUMNS)).test(row) in (True, False)


@given(st.text(max_size=40) | st.from_regex(r"[ab!=<>()'\"` 1notrd]{1,25}", fullmatch=True))
def test_a_filter_is_read_or_refused(text: str) -> None:
    """Any text is a filter or a configuration error, and nothing else happens."""
    try:
        expression = compile_expression(text, Columns(COLUMNS))
    except ConfigError as error:
        assert error.where.startswith("filter")  # noqa: PT017 - most texts are no filter
    else:
        assert expression.test(["1", "2", "3", None]) in (True, False)


@given(st.sampled_from(sorted(READERS)), cells)
def test_readers_give_json_or_refuse(kind: str, value: object) -> None:
    """Every typed value can be written as JSON; the rest is refused with a reason."""
    reader = READERS[kind]  # type: ignore[index]  # the keys are the kinds
    try:
        data = reader(value)
    except BadValue as bad:
        assert bad.reason  # noqa: PT017 - many cells are refused
    else:
        json.dumps(data, default=lambda other: float(other) if not isinstance(other, date) else "")


@given(texts)
def test_zones_are_read_or_refused(text: str) -> None:
    """What is accepted reads as itself in its canonical form."""
    canonical = zone.canonical(text)
    assert canonical is None or zone.canonical(canonical) == canonical


@given(st.integers(10**6, 10**15 - 1), texts)
def test_masks_hide(number: int, text: str) -> None:
    """A mask never shows a whole phone, nor more than two characters of a text."""
    assert str(number) not in mask_phone(number)
    assert len(mask_text(text).split("…")[0]) <= 2
