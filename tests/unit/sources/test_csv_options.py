"""The options of the kind "csv": strict, frozen, described."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from syncd.sources.csv_options import CsvOptions


def test_only_the_path_is_needed() -> None:
    """Everything else has a default."""
    assert CsvOptions(path="x.csv").page_records == 1000


def test_every_option_is_described() -> None:
    """The reference is made from the descriptions: none may be missing."""
    for name, about in CsvOptions.model_fields.items():
        assert about.description, name
    assert CsvOptions.model_json_schema()["additionalProperties"] is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30s", 30), ("5m", 300), ("1h", 3600), ("1d", 86400), ("250ms", 0.25), ("1.5h", 5400)],
)
def test_durations_are_read_with_their_unit(text: str, expected: float) -> None:
    """A number with a unit is a duration; a timedelta is taken as it is."""
    options = CsvOptions.model_validate({"path": "x", "settle": text})
    assert options.settle.total_seconds() == expected
    assert CsvOptions(path="x", settle=timedelta(seconds=9)).settle.total_seconds() == 9


@pytest.mark.parametrize(
    "wrong",
    [
        {"settle": 30},
        {"settle": "30"},
        {"settle": "-1s"},
        {"settle": "soon"},
        {"delimiter": ""},
        {"delimiter": ";;"},
        {"delimiter": "\n"},
        {"quote": "''"},
        {"quote": "\r"},
        {"delimiter": "|", "quote": "|"},
        {"encoding": "klingon"},
        {"encoding": "rot13"},
        {"encoding": "hex"},
        {"header": 0},
        {"header": True},
        {"header": False},
        {"header": "1"},
        {"columns": ["a", "a"]},
        {"columns": [""]},
        {"compression": "rar"},
        {"page_records": 0},
        {"delimeter": ";"},
        {"path": ""},
    ],
)
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    """Each mistake is refused, and the message does not show the value."""
    with pytest.raises(ValidationError):
        CsvOptions.model_validate({"path": "x"} | wrong)


def test_digest_follows_what_decides_a_record() -> None:
    """Options that change records change the digest; pace and patience do not."""
    plain = CsvOptions(path="x").digest
    assert CsvOptions(path="y", page_records=9, settle=timedelta(0)).digest == plain
    for option in ({"delimiter": ";"}, {"columns": ["a"]}, {"field_bytes_max": 9}, {"quote": ""}):
        assert CsvOptions.model_validate({"path": "x"} | option).digest != plain
