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
from syncd.engine import sweep
from syncd.engine.breaker import FAILURES_IN_A_ROW_MAX
from syncd.errors import Transient
from syncd.sandbox.faults import Fault
from syncd.sandbox.testing import running_sandbox
from tests.worlds import LONG_S, World, new_world, poll_all, settle, work

LEADS = 25
#: A response as large as that is no answer, packed or not; the product takes 8 MiB.
FLOOD_MB = 9
HOUR_S = 3_600


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """25 leads in batches of 10; an answer has to come within a fifth of a second."""
    with new_world(tmp_path, read_s=0.2) as made:
        made.write_leads(LEADS)
        yield made


def assert_called_once_in_spite_of(world: World, name: str, **fields: Any) -> None:
    """The fault befalls the first two of three batches; each goes again, and each lead once."""
    world.box.faults.add(Fault(name, count=2, path="addPhones", **fields))
    with world.open(alone=True) as app:
        poll_all(app)
        settle(world, app)
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


def test_n1_a_request_that_is_lost_goes_again(world: World) -> None:
    """N1: the vendor never saw it, which nobody here can know: the same bytes make the calls."""
    assert_called_once_in_spite_of(world, "request_lost")


def test_n2_an_answer_that_is_lost_comes_to_the_same_key(world: World) -> None:
    """N2: the calls are made; the resend is told their IDs, and makes none."""
    assert_called_once_in_spite_of(world, "answer_lost")


@pytest.mark.parametrize(
    ("name", "fields"), [("reset", {}), ("reset", {"done": True}), ("reset_mid_answer", {})]
)
def test_n3_a_reset_is_a_doubt_before_and_in_an_answer(
    world: World, name: str, fields: dict[str, Any]
) -> None:
    """N3: an RST with the work done or not, and half-way through the IDs."""
    assert_called_once_in_spite_of(world, name, **fields)


@pytest.mark.parametrize("name", ["truncated", "half_json"])
def test_n4_half_a_list_of_ids_is_no_list(world: World, name: str) -> None:
    """N4: whether Content-Length tells that the body is cut, or only its JSON does."""
    assert_called_once_in_spite_of(world, name)


@pytest.mark.parametrize("name", ["empty_200", "html_200", "null_200"])
def test_n5_a_200_without_a_list_is_no_answer(world: World, name: str) -> None:
    """N5: nothing, a captive portal's page, `null`: no job moves until the resend is answered."""
    assert_called_once_in_spite_of(world, name)


def test_n5_an_empty_list_that_lied_loses_no_call(world: World) -> None:
    """N5: it says "I had them all"; nobody is called again, and the sweep finds their calls."""
    world.box.faults.add(Fault("list_200", count=3, path="addPhones"))
    with world.open(alone=True) as app:
        poll_all(app)
        settle(world, app)
        assert world.states() == {"duplicate": LEADS}
        world.pass_time(HOUR_S)
        assert sweep.run_once(app.campaign("welcome"), app.tools).counts == {"found": LEADS}
    world.assert_each_once(LEADS)


@pytest.mark.parametrize(
    ("name", "fields"),
    [("http_500", {}), ("http_500_after", {}), ("html_502", {}), ("html_502", {"done": True})],
)
def test_n7_a_5xx_says_nothing_about_the_calls(
    world: World, name: str, fields: dict[str, Any]
) -> None:
    """N7: before the work and after it, from the vendor and from a proxy: the same key again."""
    assert_called_once_in_spite_of(world, name, **fields)


def test_n9_a_request_that_arrives_an_hour_late_makes_no_second_call(world: World) -> None:
    """N9: it comes after its own resend was answered, under the same key."""
    assert_called_once_in_spite_of(world, "late", delay_seconds=HOUR_S)
    world.pass_time(HOUR_S)
    world.assert_each_once(LEADS)


def test_n12_a_400_that_breaks_off_refuses_nobody(world: World) -> None:
    """N12: a body that cannot be read names no guilty lead: a doubt, not a refusal."""
    assert_called_once_in_spite_of(world, "http_400_unreadable")


@pytest.mark.parametrize("status", [301, 307])
def test_n19_a_redirect_is_not_followed(world: World, status: int) -> None:
    """N19: another host is not asked, so it sees no token; the batch is in doubt."""
    with running_sandbox() as elsewhere:
        assert_called_once_in_spite_of(
            world, "redirect", status=status, location=elsewhere.base_url
        )
        assert elsewhere.requests.entries() == []


@pytest.mark.parametrize("name", ["gzip_bomb", "huge_answer"])
def test_n21_an_answer_without_end_is_a_doubt(world: World, name: str) -> None:
    """N21: read up to a limit, packed and plain; the resend tells the IDs."""
    world.configure(read_s=5.0)
    assert_called_once_in_spite_of(world, name, megabytes=FLOOD_MB)


@pytest.mark.parametrize("wait_s", [0, 300])
@pytest.mark.parametrize("done", [False, True])
def test_a_429_says_nothing_about_the_calls(world: World, done: bool, wait_s: int) -> None:
    """A server that is busy may have done the work all the same."""
    assert_called_once_in_spite_of(world, "http_429", retry_after=wait_s, done=done)


def test_an_answer_that_is_too_slow_is_a_doubt(world: World) -> None:
    """It has to come within the time of the configuration."""
    assert_called_once_in_spite_of(world, "slow", seconds=8)


def test_fewer_ids_than_leads_are_matched(world: World) -> None:
    """The vendor knows these jobs, and told two IDs too few: it says it ignored duplicates."""
    world.box.faults.add(Fault("short_answer", count=2, path="addPhones"))
    with world.open(alone=True) as app:
        poll_all(app)
        settle(world, app)
    assert world.states() == {"accepted": LEADS - 2, "duplicate": 2}
    assert set(world.called().values()) == {1}


def test_n22_an_idle_connection_that_is_reset_is_a_doubt(world: World) -> None:
    """N22: reset as the request arrives on it: nothing is sent again in one go, but a doubt."""
    world.configure(max_in_flight=1)
    world.box.faults.add(Fault("keep_alive_closed", path="addPhones"))
    with world.open(alone=True) as app:
        poll_all(app)
        told = work(app)["submit"]
        assert told.counts["in_doubt"] == 10
        settle(world, app)
    world.assert_each_once(LEADS)
    world.assert_one_body_a_key()


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
