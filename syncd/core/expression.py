"""The `filter` of a sync: a small expression over columns, `stage == "new" and consent == "yes"`.

It owns what the operators mean. It must never run code of the configuration, never raise on a
record, and never take long: text and depth are bounded, and there are no loops.

Values: a blank is null. Text is compared without the spaces around it.

- `==`, `!=`, `in`: text equals the same text; a number equals text that reads as that number
  ("7" == 7.0); true and false equal text such as yes and да; null equals null only.
- `<`, `<=`, `>`, `>=`: by number when both sides read as numbers ("7" < 10), else both as text
  (ISO dates come out right); with null on a side the answer is false.
- `contains`: text within text, case kept; `lower(x) contains "vip"` folds it.
- A value alone is a condition: null, 0 and words such as no and нет are false, all else true.
- `not` turns any answer round, so `not (age > 18)` holds where age is blank.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from syncd.core.columns import Columns
from syncd.core.expression_parser import Node, parse
from syncd.core.refusal import BadValue
from syncd.core.values import is_blank, to_bool, to_float
from syncd.errors import ConfigError

Row = Sequence[object]
Evaluator = Callable[[Row], object]


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled filter: `test` says whether a record passes."""

    test: Callable[[Row], bool]
    positions: tuple[int, ...]  #: of the columns that it reads


def compile_expression(text: str, columns: Columns) -> Expression:
    """The filter that `text` spells; raises `ConfigError` with the position of what is wrong."""
    read: list[int] = []
    evaluate = _compile(parse(text), columns, read)
    return Expression(test=lambda row: _truth(evaluate(row)), positions=tuple(sorted(set(read))))


def _compile(node: Node, columns: Columns, read: list[int]) -> Evaluator:
    if node.kind == "literal":
        constant = node.value
        return lambda _: constant
    if node.kind == "column":
        return _column(node, columns, read)
    parts = [_compile(part, columns, read) for part in node.parts]
    return _COMPILERS[node.kind](parts, node)


def _column(node: Node, columns: Columns, read: list[int]) -> Evaluator:
    try:
        position = columns.position(str(node.value))
    except BadValue as bad:
        raise ConfigError(
            bad.why,
            where=f"filter, character {node.at + 1}",
            hint="text stands in quotes, a column with spaces in `backticks`",
        ) from None
    read.append(position)
    return lambda row: _plain(row[position])


def _plain(value: object) -> object:
    """A value of a record as null, text, a number, true or false."""
    if value.__class__ is str:
        return str.strip(value) or None
    if is_blank(value):
        return None
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return to_bool(value)
        except BadValue:
            return True
    return bool(value)


def _number(value: object) -> float | None:
    """The number that a value is or reads as."""
    if isinstance(value, float):
        return value
    if isinstance(value, bool):
        return None
    try:
        return to_float(value)
    except BadValue:
        return None


def _equal(left: object, right: object) -> bool:
    if left is None or right is None:
        return left is right
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if isinstance(left, bool) or isinstance(right, bool):
        try:
            return to_bool(left) == to_bool(right)
        except BadValue:
            return False
    left, right = _number(left), _number(right)
    return left is not None and left == right


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
    def compare(left: object, right: object) -> bool:
        if left is None or right is None:
            return False
        numbers = _number(left), _number(right)
        if numbers[0] is not None and numbers[1] is not None:
            return test(*numbers)
        return isinstance(left, str) and isinstance(right, str) and test(left, right)

    return compare


def _contains(left: object, right: object) -> bool:
    return left is not None and right is not None and _text(right) in _text(left)


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)


_RELATIONS: Final[dict[str, Callable[[object, object], bool]]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "contains": _contains,
}
_FUNCTIONS: Final[dict[str, Callable[[object], object]]] = {
    "blank": lambda value: value is None,
    "lower": lambda value: None if value is None else _text(value).lower(),
    "upper": lambda value: None if value is None else _text(value).upper(),
    "length": lambda value: 0 if value is None else len(_text(value)),
    "number": _number,
}


def _relation(parts: Sequence[Evaluator], node: Node) -> Evaluator:
    relation = _RELATIONS[str(node.value)]
    left, right = parts
    return lambda row: relation(left(row), right(row))


def _function(parts: Sequence[Evaluator], node: Node) -> Evaluator:
    function = _FUNCTIONS[str(node.value)]
    (argument,) = parts
    return lambda row: function(argument(row))


def _in(parts: Sequence[Evaluator], _node: Node) -> Evaluator:
    needle, *choices = parts

    def test(row: Row) -> bool:
        value = needle(row)
        return any(_equal(value, choice(row)) for choice in choices)

    return test


_COMPILERS: Final[dict[str, Callable[[Sequence[Evaluator], Node], Evaluator]]] = {
    "and": lambda parts, _: lambda row: all(_truth(part(row)) for part in parts),
    "or": lambda parts, _: lambda row: any(_truth(part(row)) for part in parts),
    "not": lambda parts, _: lambda row: not _truth(parts[0](row)),
    "relation": _relation,
    "function": _function,
    "in": _in,
}
