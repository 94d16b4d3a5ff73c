"""`syncd status` shows who works on a ledger, and who holds what."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from syncd.cli import status_view
from syncd.engine import poll
from syncd.ledger.instance import hold_instance, is_held
from tests.worlds import new_world


def test_on_sqlite_the_one_instance_is_shown(tmp_path: Path) -> None:
    """While a process runs passes it is alive; a killed one is not; one that ended is gone."""
    with new_world(tmp_path) as world, world.open() as looking:
        with world.open(alone=True):
            (told,) = status_view.gather(looking).instances
            assert (told.host, told.pid, told.alive) == (socket.gethostname(), os.getpid(), True)
        assert status_view.gather(looking).instances == []
        with world.open(alone=True) as killed:
            (me,) = killed.ledger.leases.instances(now=world.clock.now())
        now = world.clock.now()
        looking.ledger.leases.beat(replace(me, pid=1), life=looking.settings.ledger.lease, now=now)
        assert [one.alive for one in status_view.gather(looking).instances] == [False]
        with world.open(alone=True):
            assert [one.pid for one in status_view.gather(looking).instances] == [os.getpid()]


def test_a_look_never_keeps_the_ledger_from_anybody(tmp_path: Path) -> None:
    """Whether a ledger is held is asked without holding it; another database is never held so."""
    with new_world(tmp_path) as world:
        assert not is_held(world.ledger_url)
        held = hold_instance(world.ledger_url)
        assert is_held(world.ledger_url)
        held.release()
        assert not is_held(world.ledger_url)
    assert not is_held("postgresql://localhost/syncd")


def test_on_postgresql_leases_are_shown(
    tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two instances are there, and the sync that one of them keeps between two polls is its own."""
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(3)
        with world.open(alone=True) as one, world.open(alone=True):
            one.tools.holding.stay()
            poll.run_once(one.sync("leads"), one.tools)
            told = status_view.gather(one)
            assert [row.alive for row in told.instances] == [True, True]
            (lease,) = told.leases
            assert (lease.lease, lease.pid, lease.busy) == ("sync:leads", os.getpid(), False)
            status_view.print_status(told, as_json=False)
            shown = capsys.readouterr().out
            assert "sync:leads" in shown
            assert socket.gethostname() in shown
        with world.open() as looking:
            told = status_view.gather(looking)
            assert (told.instances, told.leases) == ([], [])
