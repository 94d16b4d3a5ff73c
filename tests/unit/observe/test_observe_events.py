"""The table of events: each name once, in one form, with a meaning."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.observe import events

CONSTANTS = {
    name: value for name, value in vars(events).items() if name.isupper() and name != "ALL"
}
PACKAGE = Path(events.__file__).parent.parent
#: Of structlog, beside the fields of the event.
ALWAYS = {"exc_info"}
#: Written by a function that is chosen when it runs, or with fields of `**`.
CHOSEN_LEVEL = {"PASS_FINISHED"}
MORE_FIELDS = {"PASS_FINISHED"}


def lines_written() -> Iterator[tuple[str, str, ast.Call]]:
    """Each call of syncd whose first argument is an event: its place, the constant, the call."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(args=[ast.Attribute(value=ast.Name("events"), attr=name), *_]):
                    yield f"{file.relative_to(PACKAGE)}:{node.lineno}", name, node


@pytest.mark.parametrize("event", events.ALL.values())
def test_a_name_is_a_noun_and_a_verb_in_the_past(event: events.Event) -> None:
    """Lower case, one dot, a verb that says it has happened."""
    assert re.fullmatch(r"[a-z]+\.[a-z_]*(ed|ed_up|nt|t|ran|read|held|shrunk)", event)
    assert event.meaning.endswith(".")
    assert event.level in {"debug", "info", "warning", "error"}


@pytest.mark.parametrize("event", events.ALL.values())
def test_no_field_invites_a_secret(event: events.Event) -> None:
    """No event has a field for a token, a URL or a phone."""
    assert not {"token", "url", "phone", "phones", "payload", "body"} & set(event.fields)


def test_a_constant_is_called_as_its_event() -> None:
    """`BATCH_ANSWERED` is "batch.answered", and every constant is in the table."""
    assert {name: str(value) for name, value in CONSTANTS.items()} == {
        str(event).upper().replace(".", "_"): str(event) for event in events.ALL.values()
    }


def test_an_event_is_a_text() -> None:
    """It can be logged, compared and written as JSON as it is."""
    assert json.dumps(events.BATCH_ANSWERED) == '"batch.answered"'


def test_a_name_cannot_be_given_twice() -> None:
    """The table refuses a second meaning."""
    with pytest.raises(AssertionError, match="twice"):
        events._event("batch.answered", "info", "Again.")


def test_every_event_is_written_somewhere() -> None:
    """The table promises no line that syncd never writes."""
    assert set(CONSTANTS) - {name for _, name, _ in lines_written()} == set()


def test_a_line_has_the_level_of_the_table() -> None:
    """Who alarms on errors by the table misses none."""
    wrong = [
        (place, name, ast.unparse(call.func))
        for place, name, call in lines_written()
        if name not in CHOSEN_LEVEL
        and not (isinstance(call.func, ast.Attribute) and call.func.attr == CONSTANTS[name].level)
    ]
    assert wrong == []


def test_a_line_has_only_fields_of_the_table() -> None:
    """No field that the table does not know."""
    wrong = [
        (place, name, word.arg)
        for place, name, call in lines_written()
        for word in call.keywords
        if (word.arg is None and name not in MORE_FIELDS)
        or (word.arg is not None and word.arg not in {*CONSTANTS[name].fields, *ALWAYS})
    ]
    assert wrong == []


def test_every_field_of_the_table_is_written() -> None:
    """The table promises no field that no line has."""
    told: dict[str, set[str | None]] = {name: set() for name in CONSTANTS}
    for _, name, call in lines_written():
        told[name] |= {word.arg for word in call.keywords}
    assert {
        name: missing
        for name, event in CONSTANTS.items()
        if name not in MORE_FIELDS and (missing := set(event.fields) - told[name])
    } == {}
