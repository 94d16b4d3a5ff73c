"""The parts of the soak that can be looked at without soaking."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from syncd.sandbox.testing import direct_sandbox
from tests.soak.cluster import LEADS_MAX, Cluster, Instance, phone_of
from tests.soak.meter import RSS_GROWTH_MAX_MIB, Life, Look
from tests.soak.weather import FAULTS, WAITING_MAX, Weather


def life(*rss_mib: float, files: int = 10, more_files: int = 0) -> Life:
    """A life with these looks, a minute apart."""
    made = Life("one", os.getpid())
    for minute, mib in enumerate(rss_mib, 1):
        grown = more_files if minute > len(rss_mib) / 2 else 0
        made.looks.append(Look(60.0 * minute, mib, files + grown, 5))
    return made


@pytest.mark.parametrize(
    ("seen", "flat"),
    [
        (life(*[90.0] * 9), True),
        (life(*[90.0] * 3), True),
        (life(*[90.0, 120.0, 80.0] * 3), True),
        (life(*(90.0 + RSS_GROWTH_MAX_MIB / 3 * n for n in range(9))), False),
        (life(*[90.0] * 9, more_files=20), False),
    ],
    ids=["flat", "too short", "up and down", "memory grows", "files grow"],
)
def test_growth_is_seen(seen: Life, flat: bool) -> None:
    """Up and down is flat; a last third above the first is not; a short life is not judged."""
    assert seen.is_flat() is flat
    assert seen.told().startswith("one: ")


def test_a_process_is_looked_at() -> None:
    """Memory, files and threads of a process that lives; nothing of one that has ended."""
    mine = Life("mine", os.getpid())
    mine.look(1.0)
    assert mine.looks[0].rss_mib > 10
    assert mine.looks[0].files > 2
    gone = Life("gone", 2**22 + 1)
    gone.look(1.0)
    assert gone.looks == []


def test_each_lead_of_the_soak_has_a_phone_of_its_own(tmp_path: Path) -> None:
    """Exports follow one another, and end where the phones end."""
    assert LEADS_MAX > 40_000
    assert len({phone_of(n) for n in range(LEADS_MAX)}) == LEADS_MAX
    cluster = Cluster(tmp_path, "", direct_sandbox(), [], leads=LEADS_MAX - 3)
    (tmp_path / "exports").mkdir()
    for _ in range(2):
        cluster.add_leads(2)
    cluster.add_leads(2)
    assert cluster.leads == LEADS_MAX
    assert len(list((tmp_path / "exports").iterdir())) == 2


def test_every_fault_of_the_weather_is_one_of_the_sandbox(tmp_path: Path) -> None:
    """Each kind can be asked for, and good weather takes them all back."""
    cluster = Cluster(tmp_path, "", direct_sandbox(), [])
    weather = Weather(cluster, random.Random(1))
    for _ in range(20 * len(FAULTS)):
        weather._fault()
        assert len(cluster.box.faults.waiting()) == 1
        cluster.box.faults.clear()
    for _ in range(9):
        weather._fault()
    assert len(cluster.box.faults.waiting()) == WAITING_MAX
    assert len(weather.happened) == len({fault["name"] for fault in FAULTS})
    weather.clear()
    assert cluster.box.faults.waiting() == []


def test_who_is_spared_is_not_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill takes the other instance only, and notes it."""
    killed: list[str] = []
    one, two = Instance("one"), Instance("two")
    cluster = Cluster(tmp_path, "", direct_sandbox(), [one, two])
    monkeypatch.setattr(Cluster, "kill", lambda _, victim: killed.append(victim.name))
    for instance in (one, two):
        monkeypatch.setattr(instance, "running", object(), raising=False)
    weather = Weather(cluster, random.Random(1))
    weather._kill(one)
    assert killed == ["two"]
    assert weather.happened["SIGKILL"] == 1
