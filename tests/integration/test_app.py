"""The wiring: names, campaigns, sources, and an app that cannot begin."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.app import App
from syncd.errors import ConfigError, LedgerError
from syncd.ledger.ledger import Ledger
from syncd.wiring import open_source, source_options, wire_campaign
from tests.worlds import World, new_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """One sync and one campaign."""
    with new_world(tmp_path) as made:
        yield made


@pytest.fixture
def app(world: World) -> Iterator[App]:
    """The app of the world."""
    with world.open() as opened:
        yield opened


def test_unknown_names_are_refused_with_the_nearest_right_one(world: World, app: App) -> None:
    """A campaign, a sync or a source that is not there."""
    for ask in (app.campaign, app.sync, lambda name: app.sync_names([name])):
        with pytest.raises(ConfigError) as refused:
            ask("wellcome" if ask == app.campaign else "lead")  # type: ignore[operator]
        assert refused.value.hint
    with pytest.raises(ConfigError, match='there is no source "nothing"'):
        open_source("nothing", app.loaded)


def test_a_campaign_is_wired_once(world: World, app: App) -> None:
    """Its client keeps its connections; one for a look beside the app has its own."""
    assert app.campaign("welcome") is app.campaign("welcome")
    assert app.sync_names() == app.sync_names(["leads"]) == ["leads"]
    assert app.campaign_names(["leads", "leads"]) == ["welcome"]
    beside = wire_campaign("welcome", app.loaded)
    assert beside.client.status() == "new"
    assert beside.endpoint == app.campaign("welcome").endpoint
    beside.client.close()


def test_every_kind_of_source_tells_its_options() -> None:
    """Docs, schema and example are made from them."""
    assert "csv" in source_options()


def test_an_app_that_cannot_begin_lets_go_of_everything(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger that fails at the start is closed, and another process may try."""
    failing = [False, True]
    real = Ledger.free_claims

    def broken(self: Ledger) -> None:
        if failing.pop():
            message = "no room"
            raise LedgerError(message)
        real(self)

    monkeypatch.setattr(Ledger, "free_claims", broken)
    with pytest.raises(LedgerError, match="no room"):
        world.open(alone=True)
    world.open(alone=True, stop=threading.Event()).close()
