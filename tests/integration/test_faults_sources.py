"""Faults of sources and of the configuration beside a whole campaign: they cost what is theirs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from syncd.errors import ConfigError
from tests.running import phone_of
from tests.worlds import MAPPING, new_world, poll_all, settle, work

LEADS = 6
#: The start and end of calls, as a CRM may have them, and what becomes of the record.
DATES = (
    ("2099-01-01T00:00:00Z", "", "staged"),
    ("9999-12-31T23:59:59+14:00", "", "staged"),
    ("1970-01-01T00:00:00Z", "", "staged"),
    ("0001-01-01T00:00:00-14:00", "", "staged"),
    ("", "2199-01-01T00:00:00Z", "staged"),
    ("", "1970-01-01T00:00:00Z", "expired"),
    ("", "0001-01-01T00:00:00+14:00", "rejected"),
    ("10000-01-01", "", "rejected"),
    ("tomorrow", "", "rejected"),
)


def test_s3_a_source_with_other_columns_holds_up_nobody(tmp_path: Path) -> None:
    """S3: its poll ends with the missing name and its cursor stays; the sync beside it goes on."""
    with new_world(tmp_path) as world:
        world.syncs["others"] = {"campaign": "welcome", "mapping": MAPPING}
        world.configure()
        with world.open() as app:
            world.write_leads(LEADS)
            world.write([(50, phone_of(50), "Late")], columns="id,telephone,name", name="others")
            told = {result.target: result for result in poll_all(app)}
            assert (told["leads"].outcome, told["others"].outcome) == ("done", "config")
            assert '"phone"' in str(told["others"].error)
            assert app.ledger.position("others").cursor is None
            settle(world, app)
            world.assert_each_once(LEADS)
            # More columns, and in another order, are no fault at all.
            mended = [("x", "Late", phone_of(50), 50)]
            world.write(mended, columns="new,name,phone,id", name="others")
            assert poll_all(app)[1].counts["staged"] == 1


def test_s7_one_phone_in_many_spellings_is_called_once(tmp_path: Path) -> None:
    """S7: five rows of one person: one call; the others are duplicates of it."""
    spellings = (
        "+442079460101",
        "00 44 20 7946 0101",
        "+44 (0)20 7946-0101",
        "tel:+44-20-7946-0101",
    )
    with new_world(tmp_path) as world, world.open() as app:
        world.write([(n, phone, "Ann") for n, phone in enumerate([*spellings, spellings[0]])])
        poll_all(app)
        settle(world, app)
        assert world.states() == {"accepted": 1, "duplicate": len(spellings)}
        assert world.called() == {"442079460101": 1}


def test_s8_a_date_far_away_costs_its_own_record(tmp_path: Path) -> None:
    """S8: before the first and after the last year, or no date: the others of the page are sent."""
    mapping = f'{MAPPING}\nstartDateTime = "{{from}}"\nfinishDateTime = "{{until}}"'
    with new_world(tmp_path, mapping=mapping) as world, world.open() as app:
        rows = [(n, phone_of(n), "Ann", *dates[:2]) for n, dates in enumerate(DATES)]
        world.write(rows, columns="id,phone,name,from,until")
        (polled,) = poll_all(app)
        settle(world, app)
        states = Counter(world.states())
        states["rejected"] = polled.counts["rejected"]
        assert states["accepted"] == sum(became == "staged" for *_, became in DATES)
        assert +Counter({name: states[name] for name in ("expired", "rejected")}) == Counter(
            became for *_, became in DATES if became != "staged"
        )


def test_g2_a_configuration_that_changes_is_read_at_the_next_start(tmp_path: Path) -> None:
    """G2: who runs goes on with what it read; a broken one is refused, and the ledger stays."""
    with new_world(tmp_path) as world:
        world.write_leads(LEADS)
        with world.open() as app:
            poll_all(app)
            world.configure(base_url="http://127.0.0.1:9", batch_size=1)
            assert work(app)["submit"].counts["answered"] == LEADS
            assert len(world.sendings) == 1
        world.configure(batch_size='"many"')
        with pytest.raises(ConfigError, match="configuration"):
            world.open()
        world.configure(base_url=world.box.base_url, batch_size=1)
        world.write_leads(LEADS + 2)
        with world.open() as app:
            poll_all(app)
            assert work(app)["submit"].counts["answered"] == 2
        world.assert_each_once(LEADS + 2)
        assert len(world.sendings) == 3


def test_k2_another_zone_in_the_configuration_moves_no_known_lead(tmp_path: Path) -> None:
    """K2: jobs that wait, and those that are open, keep theirs; new leads get the new one."""
    with new_world(tmp_path) as world:
        world.write_leads(2)
        with world.open() as app:
            poll_all(app)
            settle(world, app)
        world.write_leads(4)
        with world.open() as app:
            poll_all(app)
        world.syncs["leads"]["mapping"] = MAPPING.replace("+00:00", "+03:00")
        world.configure()
        world.write_leads(LEADS)
        with world.open() as app:
            poll_all(app)
            settle(world, app)
        world.assert_each_once(LEADS)
        zones = world.sql("SELECT zone FROM call_jobs ORDER BY phone")
        assert [zone for (zone,) in zones] == ["+00:00"] * 4 + ["+03:00"] * 2
        assert b'"gmtZone":"+03:00"' in world.sendings[-1].body
