"""The filter: what it accepts, what its operators mean, and what it says about mistakes."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from syncd.core.columns import Columns
from syncd.core.expression import compile_expression
from syncd.core.expression_parser import MAX_CHARS, MAX_DEPTH
from syncd.errors import ConfigError

NAMES = ("stage", "age", "consent", "Дата звонка", "limit", "note")


def passes(text: str, **values: object) -> bool:
    """Whether a row with these values, and blanks elsewhere, passes the filter."""
    row = [values.get(name, values.get("date") if " " in name else None) for name in NAMES]
    return compile_expression(text, Columns(NAMES)).test(row)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ('stage == "new" and consent == "yes"', {"stage": "new", "consent": "yes"}, True),
        ('stage == "new" and consent == "yes"', {"stage": "new", "consent": "no"}, False),
        ("stage == 'new' or stage == 'open'", {"stage": " open "}, True),
        ('stage != "new"', {"stage": "old"}, True),
        ('stage != "new"', {}, True),
        ('not (stage == "new" or age > 5)', {"stage": "x", "age": "5"}, True),
        ('NOT stage == "new"', {"stage": "new"}, False),
        ("age > 5", {"age": "7"}, True),
        ("age > 5", {"age": "07,5"}, True),
        ("age > 5", {"age": "seven"}, False),
        ("age > 5", {}, False),
        ("not age > 5", {}, True),
        ("age >= 7", {"age": 7}, True),
        ("age < 10", {"age": "9"}, True),
        ("age <= limit", {"age": "9", "limit": "10"}, True),
        ("age <= limit", {"age": "9", "limit": "1 000,5"}, True),
        ("age == 7", {"age": "7.0"}, True),
        ("age == 7", {"age": "seven"}, False),
        ("age == 7", {"age": Decimal("7.0")}, True),
        ('age == "7"', {"age": "07"}, False),
        ("age == limit", {"age": "07", "limit": "7"}, False),
        ("age == -1.5", {"age": "-1,5"}, True),
        ("age > 5", {"age": True}, False),
        ("consent == true", {"consent": "да"}, True),
        ("consent == false", {"consent": "No"}, True),
        ("consent == true", {"consent": "maybe"}, False),
        ("consent == true", {"consent": True}, True),
        ("consent", {"consent": "нет"}, False),
        ("consent", {"consent": "x"}, True),
        ("consent", {"consent": 2}, True),
        ("consent", {"consent": False}, False),
        ("consent", {}, False),
        ("stage == null", {"stage": " "}, True),
        ("stage == null", {"stage": float("nan")}, True),
        ("stage == null", {"stage": "x"}, False),
        ('stage == ""', {"stage": ""}, True),
        ("stage is blank", {"stage": "\u00a0"}, True),
        ("stage is not blank", {"stage": "x"}, True),
        ("stage is null or blank(age)", {"stage": "x", "age": ""}, True),
        ('stage in ("new", "open")', {"stage": "open"}, True),
        ('stage in ["new", "open"]', {"stage": "lost"}, False),
        ('stage not in ("new", "open")', {"stage": "lost"}, True),
        ("age in (1, 2)", {"age": "2"}, True),
        ("stage in (null)", {}, True),
        ('note contains "VIP"', {"note": "a VIP client"}, True),
        ('note contains "VIP"', {"note": "a vip client"}, False),
        ('lower(note) contains "vip"', {"note": "a VIP client"}, True),
        ('upper(note) == "VIP"', {"note": "vip"}, True),
        ('lower(note) == "x"', {}, False),
        ('upper(note) == "x"', {}, False),
        ("note contains 7", {"note": 17}, False),
        ('note contains "7"', {"note": 17}, True),
        ('note contains "x"', {}, False),
        ("length(note) > 2", {"note": "abc"}, True),
        ("length(note) == 0", {}, True),
        ('number(age) == number("7")', {"age": "7,0"}, True),
        ("number(age) is null", {"age": "x"}, True),
        ('`Дата звонка` >= "2026-01-02"', {"date": date(2026, 1, 2)}, True),
        ('`Дата звонка` >= "2026-01-02"', {"date": datetime(2026, 1, 1, 9)}, False),  # noqa: DTZ001
        ('`Дата звонка` >= "2026-01-02"', {"date": "2026-01-10"}, True),
        ('note == "say \\"hi\\""', {"note": 'say "hi"'}, True),
        ('note == "[1]"', {"note": [1]}, True),
        ("(((age == 1)))", {"age": 1}, True),
        ("stage", {"stage": type("Text", (str,), {})("x")}, True),
    ],
)
def test_meaning(text: str, values: dict[str, object], expected: bool) -> None:
    """Each operator means what its documentation says."""
    assert passes(text, **values) is expected


@pytest.mark.parametrize(
    ("text", "at", "what", "hint"),
    [
        ('stage = "new"', 7, '"="', "write =="),
        ('stage === "new"', 7, '"==="', "write =="),
        ("stage && age", 7, '"&&"', "write and"),
        ("stage || age", 7, '"||"', "write or"),
        ("!stage", 1, '"!"', "write not"),
        ("stage <> 5", 7, '"<>"', "write !="),
        ('stage == "new', 10, "cannot read", "closing quote"),
        ("stage == ;", 10, "cannot read", "quotes"),
        ("age == 5x", 8, "cannot read", "quotes"),
        ('stge == "new"', 1, 'no column "stge"', "quotes"),
        ("stage == new", 10, 'no column "new"', "quotes"),
        ("lowr(stage)", 1, 'no function "lowr"', "lower"),
        ("__import__('os')", 1, "no function", ""),
        ("stage == ", 10, "expected a column", ""),
        ("", 1, "expected a column", ""),
        ("stage and", 10, "expected a column", ""),
        ("stage == and", 10, "expected a column", ""),
        ("stage age", 7, "expected the end", ""),
        ("(stage", 7, 'expected ")"', ""),
        ("stage in 5", 10, 'expected "["', ""),
        ("stage in ()", 11, "expected a column", ""),
        ("stage not 5", 11, "expected in", ""),
        ("stage is 5", 10, "expected blank or null", "write =="),
        ("1 < age < 5", 9, "do not chain", "and"),
        ("age contains 1 contains 2", 16, "do not chain", "and"),
        ("(" * (MAX_DEPTH + 1) + "age" + ")" * (MAX_DEPTH + 1), MAX_DEPTH + 1, "brackets", ""),
        ("not " * (MAX_DEPTH + 1) + "age", 4 * MAX_DEPTH + 1, "brackets", ""),
    ],
)
def test_mistakes_are_placed_and_explained(text: str, at: int, what: str, hint: str) -> None:
    """An unreadable filter says at which character, what is wrong, and what to write."""
    with pytest.raises(ConfigError) as caught:
        compile_expression(text, Columns(NAMES))
    assert caught.value.where == f"filter, character {at}"
    assert what in caught.value.what
    assert hint in caught.value.hint


def test_length_is_bounded() -> None:
    """A filter longer than the limit is refused before it is read."""
    with pytest.raises(ConfigError, match="at most"):
        compile_expression("age" + " " * MAX_CHARS, Columns(NAMES))


def test_long_chains_need_no_depth() -> None:
    """A hundred alternatives side by side are no depth."""
    assert passes(" or ".join(f"age == {n}" for n in range(100)), age="99")


def test_columns_that_are_read_are_known() -> None:
    """The positions feed the revision: each column once."""
    expression = compile_expression('age > 1 and stage == "x" and age < 9', Columns(NAMES))
    assert expression.positions == (0, 1)
