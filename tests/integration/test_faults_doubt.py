"""Doubts that may not be sent again: looked up in the reports, adopted, staged anew, or parked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.app import App
from syncd.campaign.client import CampaignClient
from syncd.clock import to_ms
from syncd.core.doubt import RESEND_WINDOW
from syncd.core.look_up import LOOK_AGAIN, SETTLE
from syncd.core.report import JobReport
from syncd.engine import reconcile, submit
from syncd.engine.passes import PassResult
from syncd.errors import Transient, Unsupported
from syncd.ledger.look_ups import LookUps
from syncd.ledger.moves import By
from syncd.sandbox.faults import Fault
from tests.running import phone_of
from tests.worlds import LONG_S, World, new_world, poll_all, refuse, settle

LEADS = 25
WINDOW_S = RESEND_WINDOW.total_seconds()


@pytest.fixture(params=["by date", "by phone"])
def world(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """25 leads in batches of 10; with and without reports by date."""
    with new_world(tmp_path) as made:
        made.write_leads(LEADS)
        if request.param == "by phone":

            def lacking(*_args: object, **_named: object) -> list[JobReport]:
                message = "no such method here"
                raise Unsupported(message)

            monkeypatch.setattr(CampaignClient, "job_reports_by_date", lacking)
        yield made


def doubt(world: World, app: App, fault: str = "answer_lost", count: int = 3, **named: Any) -> None:
    """Send everything once, with this fault."""
    world.box.faults.add(Fault(fault, count=count, path="addPhones", **named))
    poll_all(app)
    submit.run_once(app.campaign("welcome"), app.tools)


def say(world: World, *lines: str) -> None:
    """More settings of the campaign."""
    text = (world.path / "syncd.toml").read_text()
    told = "\n".join(['quiet_time = "2m"', *lines])
    (world.path / "syncd.toml").write_text(text.replace('quiet_time = "2m"', told))


def look(app: App) -> PassResult:
    return reconcile.run_once(app.campaign("welcome"), app.tools)


def test_n15_a_doubt_past_its_keys_life_is_adopted(world: World) -> None:
    """After an outage of 20 h nothing is sent; the reports tell which calls are whose."""
    with world.open(alone=True) as app:
        doubt(world, app)
        world.pass_time(WINDOW_S)
        sent = len(world.sendings)
        assert look(app).counts == {"adopted": LEADS}
        assert len(world.sendings) == sent
    world.assert_each_once(LEADS)


def test_n15_what_surely_was_not_created_goes_again_as_a_new_generation(world: World) -> None:
    """Two whole looks after the settle time show none of it: other keys, and each called once."""
    with world.open(alone=True) as app:
        doubt(world, app, "reset")
        first = {sending.key for sending in world.sendings}
        world.pass_time(WINDOW_S)
        assert look(app).counts == {"in_doubt": LEADS}
        world.pass_time(LOOK_AGAIN.total_seconds() - 1)
        assert look(app).counts == {"waiting": LEADS}
        world.pass_time(1)
        assert look(app).counts == {"restaged": LEADS}
        assert world.states() == {"staged": LEADS}
        settle(world, app)
        assert not first & {sending.key for sending in world.sendings[3:]}
    world.assert_each_once(LEADS)
    assert world.sql("SELECT DISTINCT generation FROM call_jobs") == [(2,)]


def test_n11_a_refusal_of_a_retry_proves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first sending created the calls: a 400 to the second one ends in a look."""
    world.configure(batch_size=LEADS)
    with world.open(alone=True) as app:
        doubt(world, app, count=1)
        world.pass_time(LONG_S)
        with monkeypatch.context() as patch:
            refuse(world, patch, "phone.bad.format", where="phone", phone=phone_of(1))
            assert look(app).counts["in_doubt"] == LEADS
        sent = len(world.sendings)
        world.pass_time(LONG_S)
        assert look(app).counts == {"adopted": LEADS}
        assert len(world.sendings) == sent
    world.assert_each_once(LEADS)


def test_n11_a_refusal_of_a_retry_is_an_answer_of_the_campaign(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It settles no doubt, but who answers is not left alone: the breaker does not open."""
    world.configure(batch_size=1)
    with world.open(alone=True) as app:
        doubt(world, app, count=4)
        world.pass_time(LONG_S)
        with monkeypatch.context() as patch:
            refuse(world, patch, "phone.bad.format", where="phone", phone=phone_of(99))
            look(app)
        assert world.sql("SELECT failures FROM campaigns") == [(0,)]


def hold(world: World, app: App, *, held: bool) -> None:
    """A person has to look at the campaign; or, not `held`, it has ended at the vendor."""
    by = By("test", to_ms(world.clock.now()))
    if held:
        app.ledger.halt("welcome", "nobody knows why", by=by)
        world.execute("UPDATE campaigns SET held = 1")
    else:
        app.campaign("welcome").client.stop()
        app.ledger.halt("welcome", "stopped", by=by)


@pytest.mark.parametrize("held", [True, False])
def test_a_doubt_of_a_campaign_that_takes_nothing_is_looked_up(world: World, held: bool) -> None:
    """Held, or ended: what is wholly in the reports is adopted, and nothing is sent."""
    with world.open(alone=True) as app:
        doubt(world, app)
        hold(world, app, held=held)
        world.pass_time(LONG_S)
        sent = len(world.sendings)
        told = look(app)
        assert (told.outcome, told.counts) == ("halted", {"adopted": LEADS})
        assert len(world.sendings) == sent
    world.assert_each_once(LEADS)


def test_what_is_not_in_the_reports_of_a_held_campaign_waits_for_its_key(world: World) -> None:
    """Absence decides nothing while the key is alive: released, it is sent again with it."""
    with world.open(alone=True) as app:
        doubt(world, app, "reset")
        hold(world, app, held=True)
        keys = {sending.key for sending in world.sendings}
        for _ in range(12):
            world.pass_time(LONG_S)
            look(app)
        assert world.states() == {"sealed": LEADS}
        app.ledger.brake.release("welcome", by=By("test", to_ms(world.clock.now())))
        world.pass_time(LONG_S)
        settle(world, app)
        assert {sending.key for sending in world.sendings} == keys
    world.assert_each_once(LEADS)


def test_what_a_held_campaign_surely_never_got_is_staged_and_stays(world: World) -> None:
    """Past its key's life the look decides as ever; the submit is what the hold keeps back."""
    with world.open(alone=True) as app:
        doubt(world, app, "reset")
        hold(world, app, held=True)
        world.pass_time(WINDOW_S)
        for _ in range(2):
            assert look(app).outcome == "halted"
            world.pass_time(LOOK_AGAIN.total_seconds())
        assert world.states() == {"staged": LEADS}
        submit.run_once(app.campaign("welcome"), app.tools)
        assert len(world.sendings) == 3


def test_what_never_left_waits_with_its_campaign(world: World) -> None:
    """A batch whose sender was killed before the sending is neither sent nor looked up."""
    with world.open(alone=True) as app:
        poll_all(app)
        app.ledger.seal_batch("welcome", phones_max=99, now=world.clock.now(), by=By("test", 1))
        world.execute("UPDATE batches SET leased_until = NULL")
        hold(world, app, held=True)
        told = look(app)
        assert (told.outcome, told.counts) == ("halted", {"waiting": LEADS})


def test_n16_the_resend_window_is_the_configurations(world: World) -> None:
    """Where keys live twelve hours, a window of ten sends nothing after ten."""
    world.configure(read_s=5.0)
    say(world, 'resend_window = "10h"')
    with world.open(alone=True) as app:
        doubt(world, app)
        world.pass_time(10 * 3600)
        sent = len(world.sendings)
        assert look(app).counts == {"adopted": LEADS}
        assert len(world.sendings) == sent


def test_n17_a_look_that_is_not_whole_says_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reports that cannot be had leave the doubt; the first whole look begins to count."""

    def down(*_args: object, **_named: object) -> list[JobReport]:
        message = "getReport: HTTP 503"
        raise Transient(message)

    with world.open(alone=True) as app:
        doubt(world, app, "reset")
        world.pass_time(WINDOW_S)
        with monkeypatch.context() as patch:
            patch.setattr(CampaignClient, "job_reports_by_date", down)
            patch.setattr(CampaignClient, "job_reports", down)
            for _ in range(3):
                assert look(app).outcome == "retry"
                world.pass_time(LOOK_AGAIN.total_seconds())
        assert look(app).counts == {"in_doubt": LEADS}
        assert world.states() == {"sealed": LEADS}


def test_n17_reports_that_lag_are_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that show only at the second look are adopted, and nothing is staged again."""
    shown: dict[str, Any] = {"calls": False}
    by_date, by_phone = CampaignClient.job_reports_by_date, CampaignClient.job_reports

    def lagging(method: Any) -> Any:
        def ask(self: CampaignClient, *args: Any, **named: Any) -> list[JobReport]:
            told: list[JobReport] = method(self, *args, **named)
            return told if shown["calls"] else []

        return ask

    with world.open(alone=True) as app:
        doubt(world, app)
        monkeypatch.setattr(CampaignClient, "job_reports_by_date", lagging(by_date))
        monkeypatch.setattr(CampaignClient, "job_reports", lagging(by_phone))
        world.pass_time(WINDOW_S)
        assert look(app).counts == {"in_doubt": LEADS}
        shown["calls"] = True
        world.pass_time(LOOK_AGAIN.total_seconds())
        assert look(app).counts == {"adopted": LEADS}
    world.assert_each_once(LEADS)


@pytest.mark.parametrize("minutes", [-50, 50])
def test_k1_a_sender_with_a_wrong_clock_has_its_calls_found(world: World, minutes: int) -> None:
    """It dates its sendings; the vendor dates the calls. Not finding them would call them again."""
    with world.open(alone=True) as app:
        right = world.clock.now()
        world.clock.set(right + timedelta(minutes=minutes))
        doubt(world, app)
        world.clock.set(right)
        world.pass_time(WINDOW_S + 3600)
        assert look(app).counts == {"adopted": LEADS}
    world.assert_each_once(LEADS)


def test_n9_a_longer_settle_time_finds_what_came_as_late(world: World) -> None:
    """Requests live four hours there: a look reaches as far as the settle time waits."""
    say(world, 'resend_window = "1h"', 'settle_time = "6h"')
    with world.open(alone=True) as app:
        doubt(world, app, "late", delay_seconds=4 * 3600)
        for _ in range(9):
            world.pass_time(3600)
            look(app)
        assert world.states() == {"accepted": LEADS}
    world.assert_each_once(LEADS)


def test_n18_a_call_that_an_operator_made_counts(world: World) -> None:
    """The phone was called meanwhile by hand: it is not called again."""
    with world.open(alone=True) as app:
        doubt(world, app, "reset")
        operator_calls(app, [1])
        world.pass_time(WINDOW_S)
        look(app)
        world.pass_time(LOOK_AGAIN.total_seconds())
        told = look(app)
        assert told.counts == {"adopted": 1, "parked": 9, "restaged": 15}
        assert told.exit_code == 1
        settle(world, app)
    assert world.called()[phone_of(1).lstrip("+")] == 1
    assert world.states() == {"accepted": 16, "parked": 9}


def operator_calls(app: App, numbers: list[int]) -> None:
    """Calls to these leads that the ledger knows nothing of."""
    for n in numbers:
        app.campaign("welcome").client.add_phone(phone_of(n).lstrip("+"), key=f"operator-{n}")


def test_two_calls_to_one_phone_are_nobodys(world: World) -> None:
    """Which of them is the batch's own cannot be told: the job is parked, the rest are adopted."""
    with world.open(alone=True) as app:
        doubt(world, app)
        operator_calls(app, [1])
        world.pass_time(WINDOW_S)
        look(app)
        world.pass_time(LOOK_AGAIN.total_seconds())
        look(app)
    assert world.states() == {"accepted": LEADS - 1, "parked": 1}
    reasons = world.sql("SELECT reason FROM call_jobs WHERE state = 'parked'")
    assert reasons == [("not_in_reports",)]


@pytest.mark.parametrize("what", ["token", "base_url"])
def test_g3_a_doubt_is_never_sent_to_another_endpoint(world: World, what: str) -> None:
    """With another token or base URL a key proves nothing: it is only looked up."""
    with world.open(alone=True) as app:
        doubt(world, app)
    if what == "token":
        world.campaigns["welcome"] = "1.2.anotherTokenOfTheSameCampaign"
    else:
        world.values["base_url"] = world.box.base_url.replace("127.0.0.1", "localhost")
    world.configure()
    world.pass_time(LONG_S)
    sent = len(world.sendings)
    with world.open(alone=True) as app:
        told = look(app)
    assert len(world.sendings) == sent
    if what == "token":
        assert told.outcome == "halted"
        assert world.states() == {"sealed": LEADS}
    else:
        assert told.counts == {"adopted": LEADS}


def test_what_another_endpoint_does_not_show_is_parked(world: World) -> None:
    """Perhaps it is another campaign: absence there proves nothing, so a person decides."""
    with world.open(alone=True) as app:
        doubt(world, app, "reset")
    world.values["base_url"] = world.box.base_url.replace("127.0.0.1", "localhost")
    world.configure()
    with world.open(alone=True) as app:
        for wait in (SETTLE, LOOK_AGAIN, LOOK_AGAIN):
            world.pass_time(wait.total_seconds())
            look(app)
    assert world.states() == {"parked": LEADS}
    assert world.sql("SELECT DISTINCT state FROM batches") == [("parked",)]


def test_a_look_that_was_overtaken_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another claimer took the batch while the reports were read."""
    with world.open(alone=True) as app:
        doubt(world, app)
        world.pass_time(WINDOW_S)
        used = LookUps.used_call_job_ids

        def overtaken(self: Any, *args: Any) -> set[str]:
            world.execute("UPDATE batches SET epoch = epoch + 1")
            return used(self, *args)

        with monkeypatch.context() as patch:
            patch.setattr(LookUps, "used_call_job_ids", overtaken)
            look(app)
        assert world.states() == {"sealed": LEADS}


def test_k3_a_finish_that_passed_ends_the_resending(tmp_path: Path) -> None:
    """What may not be called any more is not sent again, only looked up."""
    mapping = 'gmtZone = "+00:00"\nfinishDateTime = "{finish}"'
    with new_world(tmp_path, mapping=mapping) as world:
        finish = (world.clock.now() + timedelta(minutes=10)).isoformat()
        world.write([(n, phone_of(n), finish) for n in range(LEADS)], columns="id,phone,finish")
        with world.open(alone=True) as app:
            doubt(world, app)
            sent = len(world.sendings)
            world.pass_time(LONG_S)
            assert look(app).counts == {"adopted": LEADS}
            assert len(world.sendings) == sent
