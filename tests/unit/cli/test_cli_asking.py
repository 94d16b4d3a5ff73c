"""Confirmations: only a person at a terminal can give them."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
import typer

from syncd.cli import asking
from syncd.errors import ConfigError

ASK: list[Callable[[], None]] = [
    lambda: asking.confirm_by_name("welcome"),
    lambda: asking.confirm("Cancel 1 call?"),
]


@pytest.mark.parametrize("ask", ASK)
def test_a_program_must_say_yes(ask: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal the command ends with a usage error and the hint --yes."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    with pytest.raises(ConfigError) as caught:
        ask()
    assert "--yes" in caught.value.hint


@pytest.mark.parametrize(
    ("ask", "typed", "goes_on"),
    [
        (ASK[0], "welcome", True),
        (ASK[0], "yes", False),
        (ASK[1], "y", True),
        (ASK[1], "n", False),
    ],
)
def test_only_the_right_answer_goes_on(
    ask: Callable[[], None], typed: str, goes_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of the campaign, or a yes; any other answer ends with 1."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda *_: typed)
    monkeypatch.setattr("typer._click.termui.visible_prompt_func", lambda *_: typed, raising=False)
    if goes_on:
        ask()
    else:
        with pytest.raises(typer.Exit) as caught:
            ask()
        assert caught.value.exit_code == 1
