"""`syncd windows`: what a person reads of presets."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from syncd.cli.main import app
from syncd.core.hours.presets import NO_ADVICE, presets
from syncd.errors import ConfigError

RUN = CliRunner()


def test_the_list_has_every_preset_and_the_note() -> None:
    """One row each; that it is no legal advice goes to stderr, beside the data."""
    told = RUN.invoke(app, ["windows", "list"])
    assert told.exit_code == 0
    assert [line.split()[0] for line in told.stdout.splitlines() if not line.startswith(" ")] == [
        "preset", *presets(),
    ]  # fmt: skip
    assert NO_ADVICE in told.stderr
    listed = json.loads(RUN.invoke(app, ["windows", "list", "--json"]).stdout)
    assert [one["id"] for one in listed] == list(presets())


def test_a_preset_is_shown_with_its_week_its_sources_and_the_note() -> None:
    """Hours as words and as a picture, holidays, caps, notes and sources."""
    told = RUN.invoke(app, ["windows", "show", "ru-debt"])
    assert told.exit_code == 0
    for text in (
        "mon-fri 08:00-22:00, sat-sun 09:00-20:00", "Sunday's hours; of RU", "1 a day, 2 a week",
        "230-FZ, article 7", "mon ········██████████████··", "sat ·········███████████····",
    ):  # fmt: skip
        assert text in told.stdout
    assert NO_ADVICE in told.stderr
    assert RUN.invoke(app, ["windows", "show", "decent"]).stdout.count("any") >= 2


@pytest.mark.parametrize(("name", "hint"), [("us-stricht", "is it us-strict"), ("?", "shows them")])
def test_an_unknown_preset_is_refused_with_the_nearest_name(name: str, hint: str) -> None:
    """Nothing is chosen in its place."""
    told = RUN.invoke(app, ["windows", "show", name])
    assert isinstance(told.exception, ConfigError)
    assert hint in told.exception.hint
