"""The kinds of sources by name."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from syncd.errors import ConfigError
from syncd.sources import registry
from syncd.sources.csv_file import CsvSource


def _install(monkeypatch: pytest.MonkeyPatch, **kinds: str) -> None:
    points = [EntryPoint(name, value, registry.GROUP) for name, value in kinds.items()]

    def found(*, group: str) -> list[EntryPoint]:
        return points if group == registry.GROUP else []

    monkeypatch.setattr(registry, "entry_points", found)


def test_csv_is_there_without_an_installed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source checkout, where no entry point exists, still has the kinds of this package."""
    _install(monkeypatch)
    assert registry.names() == ("csv",)
    assert registry.kind_of("csv") is CsvSource


def test_kinds_of_other_packages_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point adds a kind, and cannot take the name of ours."""
    _install(monkeypatch, sheet="syncd.sources.csv_file:CsvSource", csv="other:Csv")
    assert registry.names() == ("csv", "sheet")
    assert registry.kind_of("csv") is CsvSource
    assert registry.kind_of("sheet") is CsvSource


def test_unknown_kind_is_refused_with_the_nearest_name() -> None:
    """A typo is answered with the right name; a name like no other with the list of all."""
    with pytest.raises(ConfigError, match="unknown kind") as caught:
        registry.kind_of("cvs", where="sources.crm.kind")
    assert 'did you mean "csv"?' in caught.value.hint
    assert caught.value.where == "sources.crm.kind"
    with pytest.raises(ConfigError) as other:
        registry.kind_of("mainframe")
    assert "did you mean" not in other.value.hint
    assert "csv" in other.value.hint


@pytest.mark.parametrize("value", ["nowhere_to_be_found:Kind", "syncd.sources.csv_file:Missing"])
def test_kind_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A broken package is a matter for a person, named by its entry point."""
    _install(monkeypatch, sheet=value)
    with pytest.raises(ConfigError, match="cannot be loaded") as caught:
        registry.kind_of("sheet")
    assert value in caught.value.hint


def test_opening_reads_nothing(tmp_path: Any) -> None:
    """A source opens though its file is not there: only reading looks."""
    kind = registry.kind_of("csv")
    options = kind.Options.model_validate({"path": str(tmp_path / "absent.csv")})
    assert kind.open("crm", options) is not None
