"""Every form that the reference tells for a value of a mapping is read; what it excludes is not."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable

import pytest

from syncd.config import document_values
from syncd.config.load import Loaded
from syncd.core.columns import Columns
from syncd.core.expression import compile_expression
from syncd.core.fields import READERS as FIELD_READERS
from syncd.core.refusal import BadValue
from syncd.core.values import READERS as TYPE_READERS
from syncd.core.values import ValueType

Load = Callable[..., Loaded]

CODE = re.compile(r"`([^`]+)`")


def rows(page: str) -> list[tuple[str, str]]:
    """First and second cell of each row of the page's table."""
    cells = [line.split("|")[1:3] for line in page.splitlines() if line.startswith("|")]
    return [(left, right) for left, right in cells[2:]]


def is_toml(code: str) -> bool:
    """Whether it can stand behind an equals sign; words such as `mon` cannot."""
    try:
        tomllib.loads(f"value = {code}")
    except tomllib.TOMLDecodeError:
        return False
    return True


FORMS = [
    (field, code)
    for fields, forms in rows(document_values.FIELDS)
    for field in CODE.findall(fields)
    for code in CODE.findall(forms)
    if is_toml(code)
]
TYPES = [
    (name, code, mark == "")
    for (cell, reads) in rows(document_values.TYPES)
    for name in CODE.findall(cell)
    for mark, code in re.findall(r"(not )?`([^`]+)`", reads)
]
FILTERS = [code for cell, _ in rows(document_values.FILTER) for code in CODE.findall(cell)]


def test_the_tables_are_read() -> None:
    """Each vendor field and each type has its row, so the tests below are not empty."""
    assert {field for field, _ in FORMS} == set(FIELD_READERS)
    assert {name for name, _, _ in TYPES} | {"str"} == set(TYPE_READERS)
    assert ("allowedTime", '"10:00-19:00"') in FORMS
    assert ("int", "5,5", False) in TYPES
    assert len(FILTERS) > 10


@pytest.mark.parametrize(("field", "code"), FORMS)
def test_a_form_of_a_vendor_field_loads(load_text: Load, valid: str, field: str, code: str) -> None:
    """It stands in a configuration as the page has it."""
    kept = "\n".join(line for line in valid.splitlines() if not line.startswith("gmtZone"))
    text = kept.replace('key = "id"', f'key = "id"\n{field} = {code}')
    spec = load_text(text).settings.syncs["crm-leads"].map.to_spec()
    assert set(spec.fields) == {field}


@pytest.mark.parametrize(("name", "code", "is_read"), TYPES)
def test_a_type_reads_what_it_says(name: ValueType, code: str, is_read: bool) -> None:
    """And what the page excludes is a rejection."""
    if is_read:
        TYPE_READERS[name](code)
        return
    with pytest.raises(BadValue):
        TYPE_READERS[name](code)


@pytest.mark.parametrize("code", FILTERS)
def test_a_filter_is_understood(code: str) -> None:
    """Each line of the page is a filter by itself."""
    assert compile_expression(code, Columns(None)).positions
