"""Every way in which an answer can fail to come: each lead ends with one call, under one key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.campaign.client import CampaignClient
from syncd.core.doubt import QUIET, RESEND_WINDOW
from syncd.engine.breaker import FAILURES_IN_A_ROW_MAX
from syncd.errors import Transient
from syncd.sandbox.faults import Fault
from tests.worlds import LONG_S, World, new_world, poll_all, settle, work

LEADS = 25
FAULTS: dict[str, dict[str, Any]] = {
    "answer lost": {"name": "answer_lost"},
    "reset before": {"name": "reset"},
    "reset after": {"name": "reset", "done": True},
    "500 before": {"name": "http_500"},
    "500 after": {"name": "http_500_after"},
    "429": {"name": "http_429", "retry_after": 300},
    "429 although done": {"name": "http_429", "retry_after": 300, "done": True},
    "cut short": {"name": "truncated"},
    "too slow": {"name": "slow", "seconds": 8},
    "fewer IDs": {"name": "short_answer"},
    "a proxy's page": {"name": "html_502"},
    "a proxy's page after": {"name": "html_502", "done": True},
    "an empty 200": {"name": "empty_200"},
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """25 leads in lists of 10; an answer has to come within a fifth of a second."""
    with new_world(tmp_path, read_s=0.2) as made:
        made.write_leads(LEADS)
        yield made


@pytest.mark.parametrize("kind", FAULTS)
def test_each_lead_is_called_once_whatever_befalls_its_answer(world: World, kind: str) -> None:
    """When the fault has ended and time has passed, all is accepted: one job for each lead."""
    world.box.faults.add(Fault(count=2, path="addPhones", **FAULTS[kind]))
    with world.open(alone=True) as app:
        poll_all(app)
        settle(world, app)
        if kind == "fewer IDs":
            # The vendor knows these jobs, and told two IDs too few: it says it ignored duplicates.
            assert world.states() == {"accepted": LEADS - 2, "duplicate": 2}
            assert set(world.called().values()) == {1}
            return
        assert world.states() == {"accepted": LEADS}
        world.assert_each_once(LEADS)
        world.assert_one_body_a_key()
        sent = Counter(sending.key for sending in world.sendings)
        assert sorted(sent.values()) == [1, 2, 2]
        first: dict[str, timedelta] = {}
        for sending in world.sendings:
            since = sending.at - world.clock.now()
            assert since - first.setdefault(sending.key, since) == timedelta() or (
                since - first[sending.key] >= QUIET
            )


def test_nothing_is_sent_in_the_quiet_time(world: World) -> None:
    """Until two minutes after a sending without an answer nothing of the batch leaves us."""
    world.box.faults.add(Fault("http_500_after", count=3, path="addPhones"))
    with world.open(alone=True) as app:
        poll_all(app)
        assert work(app)["submit"].counts["in_doubt"] == LEADS
        sent = len(world.sendings)
        for _ in range(2):
            world.pass_time(QUIET.total_seconds() / 2 - 1)
            told = work(app)["reconcile"]
            assert len(world.sendings) == sent
            assert told.counts == {"waiting": LEADS}
            assert told.exit_code == 1
        world.pass_time(LONG_S)
        assert work(app)["reconcile"].counts["answered"] == LEADS
        world.assert_each_once(LEADS)


def test_n14_a_request_that_is_still_at_work_is_waited_for(tmp_path: Path) -> None:
    """A 409 says that the first request with this key is in progress: the same key, later."""
    with new_world(tmp_path, sandbox={"key_busy_seconds": 900}) as world:
        world.write_leads(LEADS)
        world.box.faults.add(Fault("answer_lost", count=3, path="addPhones"))
        with world.open(alone=True) as app:
            poll_all(app)
            work(app)
            world.pass_time(QUIET.total_seconds())
            assert work(app)["reconcile"].counts["in_doubt"] > 0
            statuses = [entry["status"] for entry in world.box.requests.entries()]
            assert statuses.count(409) > 0
            assert world.states() == {"sealed": LEADS}
            settle(world, app)
        world.assert_each_once(LEADS)
        world.assert_one_body_a_key()


def test_resending_goes_on_until_the_last_moment_of_the_window(world: World) -> None:
    """One second before the 20 h are over the stored bytes still go with the stored key."""
    world.box.faults.add(Fault("answer_lost", count=3, path="addPhones"))
    with world.open(alone=True) as app:
        poll_all(app)
        work(app)
        world.pass_time(RESEND_WINDOW.total_seconds() - 1)
        assert work(app)["reconcile"].counts["answered"] == LEADS
        world.assert_each_once(LEADS)
        world.assert_one_body_a_key()


def test_what_never_left_goes_to_another_endpoint(world: World) -> None:
    """A wrong base URL that refused every connection costs nothing: its mending sends all."""
    right = world.box.base_url
    world.configure(base_url="http://127.0.0.1:9")
    with world.open(alone=True) as app:
        poll_all(app)
        told = work(app)["submit"]
        assert (told.counts["not_sent"], told.exit_code) == (LEADS, 1)
    world.pass_time(LONG_S)
    world.configure(base_url=right)
    with world.open(alone=True) as app:
        settle(world, app)
    world.assert_each_once(LEADS)


def test_what_never_left_is_sent_after_days_without_a_network(world: World) -> None:
    """A key that the vendor never saw grows no older: after a long outage all is sent."""
    right = world.box.base_url
    world.configure(base_url="http://127.0.0.1:9")
    with world.open(alone=True) as app:
        poll_all(app)
        work(app)
        world.pass_time(50 * 3600)
        work(app)
    world.pass_time(LONG_S)
    world.configure(base_url=right)
    with world.open(alone=True) as app:
        settle(world, app)
    world.assert_each_once(LEADS)


def test_retry_after_outlives_the_process(world: World) -> None:
    """The vendor's wait is in the ledger: neither this process nor the next one sends before."""
    world.box.faults.add(Fault("http_429", path="addPhones", retry_after=600))
    world.configure(max_in_flight=1)
    with world.open(alone=True) as app:
        poll_all(app)
        told = work(app)["submit"]
        assert told.counts["in_doubt"] == 10
        assert len(world.sendings) == 1, "the pass goes on while the vendor asks for patience"
    with world.open(alone=True) as app:
        world.pass_time(598)
        for told in (work(app)["submit"], work(app)["reconcile"]):
            assert (told.outcome, told.exit_code) == ("retry", 1)
            assert "asked to wait until" in str(told.error)
        assert len(world.sendings) == 1
        world.pass_time(3)
        settle(world, app)
    world.assert_each_once(LEADS)


def test_a_wait_that_comes_with_nothing_sent_is_kept_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever says "later" is heeded, also where surely nothing was done."""

    def busy(*_args: object, **_named: object) -> list[str]:
        message = "addPhones: busy; nothing was sent"
        raise Transient(message, retry_after_s=600)

    world.configure(max_in_flight=1)
    with world.open(alone=True) as app:
        poll_all(app)
        with monkeypatch.context() as patch:
            patch.setattr(CampaignClient, "add_phones", busy)
            assert work(app)["submit"].counts == {"sealed": 10, "not_sent": 10}
        world.pass_time(590)
        assert work(app)["submit"].outcome == "retry"
        settle(world, app)
    world.assert_each_once(LEADS)


def test_the_end_of_a_doubt_needs_no_new_process(world: World) -> None:
    """Submit ends after some failures in a row; reconcile resends them in the same process."""
    world.configure(batch_size=1, max_in_flight=1)
    world.box.faults.add(Fault("reset", count=7, path="addPhones"))
    with world.open(alone=True) as app:
        poll_all(app)
        told = work(app)["submit"]
        assert told.counts["in_doubt"] == FAILURES_IN_A_ROW_MAX
        settle(world, app)
    world.assert_each_once(LEADS)


def test_a_clock_that_was_set_back_sends_nothing_twice(world: World) -> None:
    """Nobody knows the key's age then, so the batches are looked up and not sent."""
    world.box.faults.add(Fault("answer_lost", count=9, path="addPhones"))
    with world.open(alone=True) as app:
        poll_all(app)
        work(app)
        right = world.clock.now()
        world.clock.set(right - timedelta(hours=48))
        world.box.faults.clear()
        sent = len(world.sendings)
        work(app)
        world.clock.set(right + timedelta(hours=1))
        work(app)
        assert len(world.sendings) == sent
    world.assert_each_once(LEADS)


def test_a_short_answer_without_reports_keeps_no_doubt_from_its_resend(world: World) -> None:
    """Matching waits for reports; doubtful batches are sent again all the same."""
    world.box.faults.add(Fault("short_answer", count=1, path="addPhones"))
    world.box.faults.add(Fault("http_500", count=1, path="addPhones"))
    world.box.faults.add(Fault("http_500", count=99, path="getReport"))
    with world.open(alone=True) as app:
        poll_all(app)
        work(app)
        world.clock.set(world.clock.now() + 2 * QUIET)
        work(app)
        view = app.ledger.campaign_view("welcome")
        assert (view.in_doubt, view.unmatched) == (0, 1)
