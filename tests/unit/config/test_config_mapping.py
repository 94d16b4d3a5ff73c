"""How values of the mapping are written, and what the core gets of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time

import pytest
from pydantic_core import PydanticCustomError

from syncd.config.load import Loaded
from syncd.config.mapping import read_value
from syncd.core.spec import MappingSpec, ValueSpec
from syncd.errors import Problem

Load = Callable[..., Loaded]
Refused = Callable[..., dict[str, Problem]]


@pytest.mark.parametrize(
    ("written", "spec"),
    [
        ("{city}", ValueSpec(column="city")),
        ("{first} {last}", ValueSpec(template="{first} {last}")),
        ("{{city}}", ValueSpec(template="{{city}}")),
        ("crm", ValueSpec(value="crm")),
        (3, ValueSpec(value=3)),
        (1.5, ValueSpec(value=1.5)),
        (True, ValueSpec(value=True)),
        (["mon", "tue"], ValueSpec(value=["mon", "tue"])),
        ({"unit": "kg", "value": 5}, ValueSpec(value={"unit": "kg", "value": 5})),
        ({"a": {"b": 1}}, ValueSpec(value={"a": {"b": 1}})),
        ({}, ValueSpec(value={})),
        ({"value": {"column": "x"}}, ValueSpec(value={"column": "x"})),
        (
            {"column": "age", "type": "int", "required": True},
            ValueSpec(column="age", type="int", required=True),
        ),
        ({"template": "{a}", "default": "?"}, ValueSpec(template="{a}", default="?")),
        (date(2026, 12, 31), ValueSpec(value="2026-12-31")),
        (time(9, 30), ValueSpec(value="09:30:00")),
        (datetime(2026, 12, 31, tzinfo=UTC), ValueSpec(value="2026-12-31T00:00:00+00:00")),
    ],
)
def test_values_are_read_as_written(written: object, spec: ValueSpec) -> None:
    """Short form, long form and constants."""
    assert read_value(written) == spec


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"column": "a", "template": "{b}"}, "more than one"),
        ({"column": "a", "requird": True}, "a key that a mapped value does not have"),
        ({"column": ""}, "column that is no text"),
        ({"column": 5}, "column that is no text"),
        ({"template": 5}, "template that is no text"),
        ({"column": "a", "type": "integer"}, "unknown type"),
        ({"column": "a", "type": ["int"]}, "unknown type"),
        ({"column": "a", "required": 1}, "neither true nor false"),
        ({"column": "a", "required": True, "default": 1}, "is required and has a default"),
        ({"template": "{a"}, "without its partner"),
        ("{a", "without its partner"),
        ("a}", "without its partner"),
        ("{}", "names no column"),
        (float("nan"), "finite"),
        ([1, {"a": float("inf")}], "finite"),
        (2**70, "64 bits"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(written: object, said: str) -> None:
    """A near miss of the long form is an error, not a constant."""
    with pytest.raises(PydanticCustomError, match=said):
        read_value(written)


def test_a_constant_that_is_nested_too_deeply_is_refused() -> None:
    """Depth is bounded."""
    value: object = 1
    for _ in range(40):
        value = [value]
    with pytest.raises(PydanticCustomError, match="too deeply"):
        read_value(value)


def test_a_mapping_becomes_the_spec_of_the_core(load_text: Load) -> None:
    """Vendor fields by their own names; what was not given is left out."""
    spec = load_text().settings.syncs["crm-leads"].map.to_spec()
    assert spec == MappingSpec(
        key=("id",),
        phone=("mobile", "phone"),
        default_region="GB",
        payload={"name": ValueSpec(template="{first} {last}"), "city": ValueSpec(column="city")},
        fields={"gmtZone": ValueSpec(column="tz")},
        filter=None,
    )


@pytest.mark.parametrize(
    ("line", "key", "said"),
    [
        ("maxAttempts = 51", "maxAttempts", "not between 0 and 50"),
        ('gmtZone = "Mars/Olympus"', "gmtZone", "not a zone"),
        ('gmtZone = { column = "tz", default = "Mars" }', "gmtZone", "not a zone"),
        ("startDateTime = 2026-01-01T00:00:00", "startDateTime", "needs its zone"),
        ('allowedDays = ["xxx"]', "allowedDays", ""),
        ('filter = "a = 1"', "filter", "filter, character"),
        ('default_region = "UK"', "default_region", "is no region"),
        ('default_region = "gb"', "default_region", "is no region"),
    ],
)
def test_constants_are_checked_by_the_rules_of_the_vendor(
    refused: Refused, valid: str, line: str, key: str, said: str
) -> None:
    """A wrong constant is told now, not at the first record."""
    text = valid.replace('default_region = "GB"\ngmtZone = "{tz}"', line)
    problem = refused(text)[f"syncs.crm-leads.map.{key}"]
    assert said in problem.what


def test_constants_that_are_right_are_taken(load_text: Load, valid: str) -> None:
    """The contract's own shapes."""
    lines = """
startDateTime = 2026-01-01T00:00:00Z
finishDateTime = "{until}"
allowedDays = ["mon", "tue"]
allowedTime = { default = [{ localTimeFrom = "10:00", localTimeTo = "19:00" }] }
retryIntervalInMinutes = 60
maxAttempts = 0
dialerPriority = 5
filter = "stage == 'new'"
"""
    text = valid.replace('gmtZone = "{tz}"', f'gmtZone = "+03:00"{lines}')
    spec = load_text(text).settings.syncs["crm-leads"].map.to_spec()
    assert len(spec.fields) == 8
    assert spec.filter == "stage == 'new'"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("key = []", "names no column"),
        ('key = ""', "names no column"),
        ('key = ["a", "a"]', "twice"),
        ("key = 5", "must be a text or a list of texts"),
        ("key = [5]", "must be a text in quotes"),
    ],
)
def test_columns_are_names(refused: Refused, valid: str, line: str, said: str) -> None:
    """One name or several, each once."""
    problems = refused(valid.replace('key = "id"', line))
    assert any(said in problem.what for problem in problems.values())


def test_key_and_phone_have_to_be_given(refused: Refused, valid: str) -> None:
    """Without a key nobody can be called once."""
    text = valid.replace('key = "id"\n', "").replace('phone = ["mobile", "phone"]\n', "")
    problems = refused(text)
    assert problems["syncs.crm-leads.map.key"].what == "is missing"
    assert problems["syncs.crm-leads.map.phone"].what == "is missing"
