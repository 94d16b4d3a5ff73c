"""The reference of the JSON output is true: each command prints what its example shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from syncd.sandbox.testing import running_sandbox
from tests.commands import LEADS, Desk, Told, new_desk

PAGE = Path(__file__).parents[2] / "docs/reference/json.md"
BLOCK = re.compile(
    r"^```console\n\$ syncd (?P<command>[^\n]+)\n(?P<json>.*?)^```$", re.MULTILINE | re.DOTALL
)
#: Objects whose keys are names or reasons of the day, not part of the shape.
FREE = re.compile(
    r"(\.counts|\.rejected|\.skipped|\.rejections|\.held|\.examples|\.syncs|\.campaigns|\.raw"
    r"|\.allowedTime|\.by_zone|\.summary\.why)$"
)
#: Told on the page by the words of another command.
ALIKE = {
    "parked release",
    "parked drop",
    "parked adopt",
    "campaign pause",
    "campaign resume",
    "campaign stop",
    "db upgrade",
    "numbering import",
    "windows list",
}
TWO_DAYS_S = 2 * 86_400


def shown() -> dict[str, Any]:
    """Command ▶ the JSON of its example."""
    found = BLOCK.finditer(PAGE.read_text(encoding="utf-8"))
    return {m["command"]: json.loads(m["json"]) for m in found}


EXAMPLES = shown()
PLAN = "plan crm-leads --limit 1 --json"
#: These act, so they run last.
ACTS = ("backfill", "test-call", "cancel", "erase", "purge", "campaign pause")


@dataclass(frozen=True)
class Story:
    """A desk at which leads were sent and outcomes are back, and what was printed on the way."""

    desk: Desk
    told: dict[str, Told]

    def tell(self, command: str) -> Told:
        """What the command prints, or printed when it had something to say."""
        known = self.told.get(command)
        return known or self.desk(*command.split(), code=None)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A plan, a poll that sends, two days, and the reports."""
    with running_sandbox() as box:
        desk = new_desk(tmp_path_factory.mktemp("json"), box)
        desk("init")
        told = {one: desk(*one.split(), code=None) for one in (PLAN, "once --json")}
        box.advance(TWO_DAYS_S)
        desk("once")
        told |= held_by_a_guard(desk)
        yield Story(desk, told)


def held_by_a_guard(desk: Desk) -> dict[str, Told]:
    """Two more leads, of which the guard allows one; and what is told of their approval."""
    more = [f"{n},Cid,+1212555012{n},America/New_York,new\n" for n in (8, 9)]
    desk.write_leads(LEADS + "".join(more).replace("8,Cid", "18,Cid"))
    desk("once", code=4, SYNCD_SYNCS__CRM_LEADS__POLICY__MAX_NEW_PER_POLL="1")
    approvals = ("approve crm-leads --dry-run --json", "approve crm-leads --json")
    return {one: desk(*one.split()) for one in approvals}


def paths(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Each place in a document with the kind of what stands there; null fits every kind."""
    if isinstance(value, dict):
        yield at, "object"
        free = FREE.search(at)
        for name, inner in list(value.items())[: 1 if free else None]:
            yield from paths(inner, f"{at}.NAME" if free else f"{at}.{name}")
    elif isinstance(value, list):
        yield at, "array"
        for inner in value[:1]:
            yield from paths(inner, f"{at}[]")
    else:
        yield at, "null" if value is None else type(value).__name__.replace("float", "int")


def differences(real: Any, example: Any) -> list[str]:
    """What is printed and not shown, or shown and not printed, or of another kind."""
    mine, other = dict(paths(real)), dict(paths(example))
    blank = {at for told in (mine, other) for at, kind in told.items() if kind == "null"}
    empty = blank | {at for told in (mine, other) for at in told if _is_leaf(at, told)}
    found = [
        f"{at}: {mine.get(at)} is printed, {other.get(at)} is shown"
        for at in sorted({*mine, *other})
        if mine.get(at) != other.get(at) and at not in blank
    ]
    return [one for one in found if not any(one.startswith((f"{at}.", f"{at}[")) for at in empty)]


def _is_leaf(at: str, told: dict[str, str]) -> bool:
    """An empty array or object, which shows nothing of what is in it."""
    within = (f"{at}.", f"{at}[")
    return told[at] in ("array", "object") and not any(one.startswith(within) for one in told)


@pytest.mark.parametrize("command", sorted(EXAMPLES, key=lambda one: one.startswith(ACTS)))
def test_a_command_prints_what_the_page_shows(story: Story, command: str) -> None:
    """The same keys with the same kinds of values; names and reasons are the day's."""
    told = story.tell(command)
    assert told.code in (0, 1), told
    assert differences(told.json, EXAMPLES[command]) == []


@pytest.mark.parametrize(
    ("real", "example"),
    [
        ({"a": 1}, {"b": 1}),
        ({"a": [{"b": 1}]}, {"a": [{"b": "1"}]}),
        ({"a": {"b": 1}}, {"a": 1}),
        ([{"a": 1}], {"a": 1}),
    ],
)
def test_another_shape_is_seen(real: Any, example: Any) -> None:
    """The comparison has teeth: another name, kind or nesting is a difference."""
    assert differences(real, example) != []
    assert differences(real, real) == []


def test_every_command_with_json_is_on_the_page() -> None:
    """A new command with --json needs its example here."""
    pages = (PAGE.parent / "cli.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", pages, flags=re.MULTILINE)[1:]
    names = {part.split("`")[1].removeprefix("syncd ") for part in sections if "`--json`" in part}
    shown_names = {name for name in names for one in EXAMPLES if one.startswith(f"{name} ")}
    assert names - shown_names - ALIKE == set()
