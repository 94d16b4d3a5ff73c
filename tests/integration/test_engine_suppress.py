"""Do-not-call lists: who is on one is not called, or no more, and the proof is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from syncd.app import App
from syncd.campaign.client import CampaignClient
from syncd.cli.explaining import look_up
from syncd.engine import plan, pull_reports, suppress, withdraw
from syncd.engine.once import work_campaign
from syncd.engine.passes import PassResult
from syncd.errors import Transient
from syncd.sandbox.faults import Fault
from tests.running import phone_of
from tests.worlds import MAPPING, World, new_world, poll_all, settle, work

LIST = """
[sources.dnc]
kind = "csv"
path = "dnc.csv"
renamed = true

[suppressions.robinson]
source = "dnc"
phone = "number"
default_region = "US"
{more}
"""


@contextmanager
def a_world(path: Path, *, more: str = "", leads: int = 6) -> Iterator[tuple[World, App]]:
    """Six leads to come, a list that holds the second, and a dialer that stands still."""
    mapping = f"{MAPPING}\n{LIST.format(more=more)}"
    with new_world(path, mapping=mapping) as world, world.open() as app:
        world.box.book.campaign(world.box.token).dialer.paused = True
        world.write_leads(leads)
        list_of(world, 1)
        yield world, app


def list_of(world: World, *numbers: int, others: Sequence[str] = ()) -> None:
    """The list with the phones of these leads, spelt in another way."""
    told = [f"({phone_of(n)[2:5]}) {phone_of(n)[5:8]}-{phone_of(n)[8:]}" for n in numbers]
    rows = [(text, f"k{i}") for i, text in enumerate([*told, *others])]
    world.write(rows, columns="number,id", name="dnc")


def read(app: App) -> PassResult:
    return counted(suppress.run_once(app.suppression("robinson"), app.tools))


def withdrawn(app: App) -> PassResult:
    return counted(withdraw.run_once(app.campaign("welcome"), app.tools))


def counted(result: PassResult) -> PassResult:
    """The same, with 0 for what was not counted."""
    return replace(result, counts=Counter(result.counts))


def test_who_is_listed_is_never_staged(tmp_path: Path) -> None:
    """The lead is kept, with the reason; nothing of it is sent."""
    with a_world(tmp_path) as (world, app):
        read(app)
        (polled,) = poll_all(app)
        assert (polled.counts["suppressed"], polled.counts["staged"]) == (1, 5)
        settle(world, app)
        assert phone_of(1).lstrip("+") not in world.called()
        ((job,),) = [lead["jobs"] for lead in look_up("1", app).leads]
        assert (job["state"], job["reason"]) == ("cancelled", "suppressed")


def test_a_sync_waits_for_its_lists(tmp_path: Path) -> None:
    """Before the first reading nobody knows whom the list bars: nothing is polled."""
    with a_world(tmp_path) as (world, app):
        (polled,) = poll_all(app)
        assert (polled.outcome, world.states()) == ("retry", {})
        (tmp_path / "dnc.csv").unlink()
        assert read(app).outcome == "retry"
        assert poll_all(app)[0].outcome == "retry"
        list_of(world, 1)
        assert read(app).outcome == "done"
        assert poll_all(app)[0].outcome == "done"


def test_a_list_without_anybody_bars_nobody(tmp_path: Path) -> None:
    """An empty list that was read is a list that was read."""
    with a_world(tmp_path) as (world, app):
        list_of(world)
        read(app)
        assert poll_all(app)[0].counts["staged"] == 6


def test_what_was_not_sent_is_withdrawn_here(tmp_path: Path) -> None:
    """A number that appears later: its staged job ends without a request."""
    with a_world(tmp_path) as (world, app):
        read(app)
        poll_all(app)
        list_of(world, 1, 2)
        assert read(app).counts["withdrawn"] == 1
        settle(world, app)
        assert len(world.called()) == 4
        assert world.states() == {"accepted": 4, "cancelled": 2}


def test_what_was_sent_is_cancelled_at_the_vendor(tmp_path: Path) -> None:
    """The vendor's answer is kept as the proof, with its times, and is asked for once."""
    with a_world(tmp_path) as (world, app):
        read(app)
        poll_all(app)
        settle(world, app)
        list_of(world, 1, 2)
        assert read(app).counts["to_cancel"] == 1
        assert withdrawn(app).counts["cancelled"] == 1
        assert not withdraw.has_work(app.campaign("welcome"), app.tools)
        ((job,),) = [lead["jobs"] for lead in look_up("2", app).leads]
        proof = job["cancellation"]
        assert (proof["why"], proof["answer"], job["state"]) == (
            "suppressed",
            "cancelled",
            "closed",
        )
        assert proof["wanted_at"] <= proof["asked_at"] <= proof["answered_at"]
        assert read(app).counts["to_cancel"] == 0


def test_what_never_left_is_withdrawn_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that no network took does not go with a listed phone in it: the others go alone."""

    def down(*_args: object, **_named: object) -> list[str]:
        raise Transient("addPhones: connection refused; nothing was sent")

    with a_world(tmp_path) as (world, app):
        read(app)
        poll_all(app)
        with monkeypatch.context() as patch:
            patch.setattr(CampaignClient, "add_phones", down)
            assert work(app)["submit"].counts["not_sent"] == 5
        list_of(world, 1, 2)
        assert read(app).counts["to_cancel"] == 1
        world.pass_time(3600)
        settle(world, app)
        assert not {phone_of(1).lstrip("+"), phone_of(2).lstrip("+")} & world.called().keys()
        assert world.states() == {"accepted": 4, "cancelled": 2}
        assert len(world.sendings) == 1


def test_a_job_in_doubt_is_cancelled_when_its_id_is_known(tmp_path: Path) -> None:
    """Nobody can cancel what has no ID: the wish waits for it."""
    with a_world(tmp_path) as (world, app):
        read(app)
        poll_all(app)
        world.box.faults.add(Fault("answer_lost", count=1, path="addPhones"))
        work(app)
        list_of(world, 1, 2)
        assert read(app).counts["to_cancel"] == 1
        assert withdrawn(app).counts["cancelled"] == 0
        settle(world, app)
        assert withdrawn(app).counts["cancelled"] == 1


def test_a_call_that_was_made_is_told(tmp_path: Path) -> None:
    """Too late: the report ends the job, and the proof says that."""
    with a_world(tmp_path) as (world, app):
        read(app)
        poll_all(app)
        settle(world, app)
        world.box.book.campaign(world.box.token).dialer.paused = False
        world.pass_time(24 * 3600)
        list_of(world, 1, 2)
        read(app)
        assert withdrawn(app).counts["not_cancelled"] == 1
        pull_reports.run_once(app.campaign("welcome"), app.tools)
        assert world.sql("SELECT answer FROM cancellations") == [("not_cancelled",)]


def test_unknown_ids_are_told_apart_in_bounded_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One ID that the vendor lacks keeps none of the others back."""
    with a_world(tmp_path) as (world, app):
        read(app)
        poll_all(app)
        settle(world, app)
        monkeypatch.setattr(withdraw, "REQUESTS_MAX", 16)
        bad = world.sql("SELECT call_job_id FROM call_jobs WHERE lead_id = 5")[0][0]
        unknown = {"type": "id.not.found", "message": "no"}
        world.box.faults.add(
            Fault("refused", count=None, path="cancel", where=f'"{bad}"', error=unknown)
        )
        list_of(world, 0, 1, 2, 3, 4, 5)
        read(app)
        assert withdrawn(app).counts["cancelled"] == 4
        for _ in range(4):
            world.pass_time(900)
            withdrawn(app)
        assert world.sql("SELECT answer, count(*) FROM cancellations GROUP BY 1") == [
            ("cancelled", 4),
            ("unknown_id", 1),
        ]
        assert not withdraw.has_work(app.campaign("welcome"), app.tools)


def test_a_number_that_left_its_list_may_be_called(tmp_path: Path) -> None:
    """From the next whole reading on; the entry keeps its dates."""
    with a_world(tmp_path) as (world, app):
        list_of(world, 1, 2, 3, 4, 5)
        read(app)
        list_of(world, 1, 2, 3, 4)
        assert read(app).counts["gone"] == 1
        (polled,) = poll_all(app)
        assert polled.counts["suppressed"] == 4
        assert world.sql("SELECT count(*) FROM suppressions WHERE gone_at NOT NULL") == [(1,)]


def test_a_list_that_was_cut_short_stays_in_force(tmp_path: Path) -> None:
    """More than a fifth missing at once is no change of mind."""
    with a_world(tmp_path) as (world, app):
        list_of(world, 1, 2, 3, 4, 5)
        read(app)
        list_of(world, 1)
        assert read(app).counts["kept"] == 4
        assert poll_all(app)[0].counts["suppressed"] == 5


def test_a_row_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """It bars nobody, so a person has to look: exit code 1."""
    with a_world(tmp_path) as (world, app):
        list_of(world, 1, others=["nothing"])
        result = read(app)
        assert (result.counts["unreadable"], result.exit_code) == (1, 1)
        assert poll_all(app)[0].counts["suppressed"] == 1


def test_a_list_of_keys_for_some_syncs(tmp_path: Path) -> None:
    """The key of a lead is listed; a list for another sync bars nobody here."""
    more = 'key = "id"\nsyncs = ["leads"]'
    with a_world(tmp_path, more=more) as (world, app):
        world.write([("", "3"), ("", "9")], columns="number,id", name="dnc")
        read(app)
        (polled,) = poll_all(app)
        assert polled.counts["suppressed"] == 1
        world.write([("", "3"), ("", "9"), ("", "4")], columns="number,id", name="dnc")
        assert read(app).counts["withdrawn"] == 1


def test_a_plan_tells_who_is_listed(tmp_path: Path) -> None:
    """As the poll then counts them."""
    with a_world(tmp_path) as (_world, app):
        read(app)
        told = plan.run(
            app.sync("leads"),
            app.ledger,
            now=app.tools.clock.now(),
            whole=False,
            jobs_max=9,
            stop=app.tools.stop,
            on_page=lambda _page, _plan: None,
        )
        assert (told.counts["suppressed"], told.counts["staged"]) == (1, 5)


def test_the_passes_of_a_campaign_withdraw_before_they_send(tmp_path: Path) -> None:
    """`once` asks the vendor to cancel when there is something to cancel."""
    with a_world(tmp_path) as (world, app):
        read(app)
        poll_all(app)
        campaign = app.campaign("welcome")
        kinds = [result.kind for result in work_campaign(campaign, app.tools)]
        assert "withdraw" not in kinds
        list_of(world, 1, 2)
        read(app)
        kinds = [result.kind for result in work_campaign(campaign, app.tools)]
        assert kinds.index("withdraw") < kinds.index("submit")
