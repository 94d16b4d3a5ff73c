"""Compiles a `ValueSpec` into a function of a record.

It owns templates, and what missing, required and default mean. It must never build text that
another reader would take for structure: a template gives text, and JSON comes from data only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from syncd.core.columns import Columns
from syncd.core.masking import mask_text
from syncd.core.refusal import BadValue
from syncd.core.spec import ValueSpec
from syncd.core.values import MAX_TEXT_CHARS, Reader, is_blank, json_text, to_text

Row = Sequence[object]
Getter = Callable[[Row], object]

#: What a getter gives for a value that is left out.
MISSING: Final = object()

_TEMPLATE_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|([^{}]+)|(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Value:
    """A compiled value. `get` gives it, or MISSING, or raises `BadValue`."""

    get: Getter
    raw: Getter  #: what the record holds, for the masked form in a rejection
    columns: tuple[str, ...]  #: that it reads; none: it is a constant
    positions: tuple[int, ...]

    @property
    def constant(self) -> bool:
        return not self.columns

    @property
    def column(self) -> str | None:
        """The columns for a rejection."""
        return ", ".join(self.columns) or None

    def masked(self, row: Row) -> str:
        return mask_text(self.raw(row))


def compile_value(
    spec: ValueSpec, columns: Columns, reader: Reader, *, read_literal: bool
) -> Value:
    """The value that `spec` describes; raises `BadValue` when the spec is wrong.

    A literal and a default go through `reader` too when `read_literal` is set.
    """
    given = [part for part in (spec.column, spec.template, spec.value) if part is not None]
    if len(given) != 1:
        raise BadValue("give exactly one of column, template and value")
    read_constant = reader if read_literal else _as_json
    default = MISSING if spec.default is None else read_constant(spec.default)
    if spec.column is not None:
        return _of_column(spec, spec.column, columns, reader, default)
    if spec.template is None:
        return _constant(read_constant(spec.value))
    parts = parse_template(spec.template)
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) == len(parts):
        return _constant(reader("".join(texts)))
    if len(parts) == 1 and isinstance(parts[0], Field):
        return _of_column(spec, parts[0].name, columns, reader, default)
    if spec.type == "json":
        raise BadValue("JSON is never pasted from text: name one column, or give a literal")
    return _of_template(spec, parts, columns, reader, default)


def _constant(constant: object) -> Value:
    return Value(get=lambda _: constant, raw=lambda _: constant, columns=(), positions=())


def _as_json(literal: object) -> object:
    json_text(literal)
    return literal


def _missing(spec: ValueSpec, default: object) -> object:
    if default is MISSING and spec.required:
        raise BadValue("required, and missing or blank", reason="value_missing")
    return default


def _clean(value: object) -> str | None:
    """The common case, text that needs no repair, at a third of the cost; None: look closer."""
    if value.__class__ is not str:
        return None
    text = str(value).strip()
    return text if text and text.isprintable() and len(text) <= MAX_TEXT_CHARS else None


def _of_column(
    spec: ValueSpec, name: str, columns: Columns, reader: Reader, default: object
) -> Value:
    position = columns.position(name)

    def get(row: Row) -> object:
        value = row[position]
        return _missing(spec, default) if is_blank(value) else reader(value)

    def get_text(row: Row) -> object:
        text = _clean(row[position])
        return get(row) if text is None else text

    return Value(
        get=get_text if reader is to_text else get,
        raw=lambda row: row[position],
        columns=(name,),
        positions=(position,),
    )


@dataclass(frozen=True, slots=True)
class Field:
    """A column's place in a template."""

    name: str


def parse_template(template: str) -> list[str | Field]:
    """Literal texts and columns, in order; raises `BadValue` at a brace without its partner."""
    parts: list[str | Field] = []
    for found in _TEMPLATE_PART.finditer(template):
        if found[3] is not None:
            raise BadValue(f'"{found[3]}" without its partner; write "{found[3] * 2}" for a brace')
        if found[1] is not None:
            if not found[1].strip():
                raise BadValue("{} names no column")
            parts.append(Field(found[1].strip()))
        else:
            parts.append(found[2] or found[0][0])
    return parts


def _of_template(
    spec: ValueSpec, parts: list[str | Field], columns: Columns, reader: Reader, default: object
) -> Value:
    names = tuple(dict.fromkeys(part.name for part in parts if isinstance(part, Field)))
    places = [columns.position(part.name) if isinstance(part, Field) else part for part in parts]

    def render(row: Row) -> str | None:
        texts: list[str] = []
        filled = gaps = False
        for place in places:
            if isinstance(place, str):
                texts.append(place)
            elif (text := _clean(value := row[place])) is not None:
                texts.append(text)
                filled = True
            elif is_blank(value):
                gaps = True
            else:
                texts.append(to_text(value))
                filled = True
        if not filled:
            return None
        text = "".join(texts)
        return " ".join(text.split()) if gaps else text  # no "Ann  Lee" without her middle name

    def get(row: Row) -> object:
        text = render(row)
        return _missing(spec, default) if text is None else reader(text)

    positions = tuple(columns.position(name) for name in names)
    return Value(
        get=get,
        raw=lambda row: " ".join(str(row[position]) for position in positions),
        columns=names,
        positions=positions,
    )
