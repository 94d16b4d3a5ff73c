"""What the vendor refuses: who is out, who goes again under another key, and what halts."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.campaign.client import CampaignClient
from syncd.core.report import JobReport
from syncd.engine import reconcile, submit
from syncd.engine.passes import worst_exit_code
from syncd.observe import events, logs
from syncd.observe.redact import Redactor
from syncd.sandbox.book import Book
from syncd.sandbox.campaign import SandboxCampaign
from syncd.sandbox.faults import Fault
from syncd.sandbox.refusals import RefusalError
from tests.running import phone_of
from tests.worlds import LONG_S, World, new_world, poll_all, refuse, settle, work

LEADS = 8
BAD = phone_of(3).lstrip("+")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """8 leads in one batch."""
    with new_world(tmp_path) as made:
        made.write_leads(LEADS)
        yield made


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Every line of the log, as JSON."""
    stream = io.StringIO()
    logs.configure("debug", "json", Redactor([]), stream)
    yield stream
    logs.configure("warning", "json", Redactor([]), io.StringIO())


@pytest.mark.parametrize("spelling", [BAD, f"+{BAD}"])
def test_the_named_phone_is_refused_and_the_rest_goes_again(
    world: World, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    """One bad phone costs one lead: the others go as a new generation under another key."""
    refuse(world, monkeypatch, "phone.bad.format", where=f'"{BAD}"', phone=spelling)
    with world.open(alone=True) as app:
        poll_all(app)
        told = work(app)["submit"]
    assert told.counts == {"sealed": 15, "refused": 1, "restaged": 7, "answered": 7}
    assert (told.outcome, told.exit_code) == ("done", 1)
    first, second = world.sendings
    assert first.key != second.key
    assert world.sql("SELECT phone, reason FROM call_jobs WHERE state = 'refused'") == [
        (int(BAD), "phone.bad.format")
    ]
    assert world.sql("SELECT DISTINCT generation FROM call_jobs WHERE state = 'accepted'") == [(2,)]
    assert sum(world.called().values()) == LEADS - 1


def test_phones_that_the_campaign_had_from_elsewhere_are_duplicates(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """phone.duplicated names calls that are not ours: these leads end, the others are called."""
    monkeypatch.setattr(
        SandboxCampaign, "is_duplicate", lambda self, draft, _: draft.phone in self._latest
    )
    world.box.turn(duplicates="error")
    with world.open(alone=True) as app:
        client = app.campaign("welcome").client
        for lead in (2, 5):
            client.add_phones(
                b'[{"phone":"%s"}]' % phone_of(lead).lstrip("+").encode(), key=f"k{lead}"
            )
        world.sendings.clear()
        poll_all(app)
        told = work(app)["submit"]
    assert told.counts == {"sealed": 14, "duplicate": 2, "restaged": 6, "answered": 6}
    assert told.exit_code == 0
    assert world.states() == {"duplicate": 2, "accepted": 6}
    assert set(world.called().values()) == {1}


def test_a_phone_of_the_payload_is_not_a_phone_of_the_batch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal that names a number of some payload ends no lead with another number."""
    world.write([(1, phone_of(1), BAD), (2, phone_of(2), "Lead 2")])
    refuse(world, monkeypatch, "phone.bad.format", phone=BAD)
    with world.open(alone=True) as app:
        poll_all(app)
        told = work(app)["submit"]
    assert told.counts == {"sealed": 4, "restaged": 2, "refused": 1, "answered": 1}
    assert set(world.called()) == {phone_of(2).lstrip("+")}


@pytest.mark.parametrize("type_", ["phone.bad.format", "invalid.call.task.state", "bad.request"])
def test_a_refusal_after_a_doubt_proves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, type_: str
) -> None:
    """The first sending may have made the calls, so a 400 to the second one ends nothing."""
    world.box.faults.add(Fault("answer_lost", path="addPhones"))
    with world.open(alone=True) as app:
        poll_all(app)
        work(app)
        refuse(world, monkeypatch, type_, where='"phone"', phone=BAD)
        world.pass_time(LONG_S)
        told = work(app)["reconcile"]
        assert told.counts == {"resent": LEADS, "in_doubt": LEADS}
        assert told.exit_code == (3 if type_ == "invalid.call.task.state" else 1)
        assert world.states() == {"sealed": LEADS}
        monkeypatch.undo()
        settle(world, app)
    world.assert_each_once(LEADS)
    world.assert_one_body_a_key()


def test_an_unknown_token_halts_one_campaign_until_it_is_known(world: World) -> None:
    """Its jobs stay staged, the other campaign goes on, and it resumes without a command."""
    world.campaigns["other"] = "1.2.tokenThatNobodyKnowsYet"
    world.syncs["others"] = {"campaign": "other", "mapping": world.syncs["leads"]["mapping"]}
    world.configure()
    world.write_leads(5, first=20, name="others")
    with world.open(alone=True) as app:
        poll_all(app)
        results = [*work(app, "other").values(), *work(app).values()]
        halted = {result.kind: result for result in results[:3]}
        assert halted["submit"].outcome == "halted"
        assert halted["submit"].counts == {"sealed": 5, "restaged": 5}
        assert halted["submit"].exit_code == worst_exit_code(results) == 3
        assert world.states() == {"accepted": LEADS, "staged": 5}
        for told in list(work(app, "other").values())[:2]:
            assert told.outcome == "halted"
        assert len(world.sendings) == 2, "a halted campaign is asked, and sent nothing"
        with world.box.book.lock:
            book: Book = world.box.book
            book.open_campaign(world.campaigns["other"], book.clock.now_ms())
        told = work(app, "other")["submit"]
        assert (told.outcome, told.counts["answered"]) == ("done", 5)
    assert world.states() == {"accepted": LEADS + 5}
    assert set(world.called().values()) == {1}


def test_a_finished_campaign_halts_and_keeps_its_jobs(world: World) -> None:
    """A stop is final: nothing is sent, all stays staged, and every pass says why."""
    with world.open(alone=True) as app:
        app.campaign("welcome").client.stop()
        poll_all(app)
        told = work(app)["submit"]
        assert (told.outcome, told.exit_code) == ("halted", 3)
        assert "takes no more batches" in str(told.error)
        again = work(app)
        assert "is finished" in str(again["submit"].error)
        assert again["reconcile"].outcome == "halted"
        assert again["submit"].error is not None
        assert again["submit"].error.hint == "point the sync to another campaign"
    assert len(world.sendings) == 1
    assert world.states() == {"staged": LEADS}


def test_every_batch_in_flight_is_counted_when_one_halts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What other senders brought home stands in the pass that a halt ended."""
    world.configure(batch_size=2, max_in_flight=4)
    refuse(world, monkeypatch, "invalid.call.task.state", where=f'"{BAD}"', state="FINISHED")
    with world.open(alone=True) as app:
        poll_all(app)
        told = work(app)["submit"]
    assert told.outcome == "halted"
    jobs = world.states()
    assert told.counts["answered"] == jobs["accepted"]
    assert told.counts["restaged"] in (2, 4)  # staged again, they may have been sealed again
    assert told.counts["sealed"] == told.counts["answered"] + told.counts["restaged"]


def test_short_answers_are_matched_by_phone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor ignores two duplicates: each ID finds its own phone, and two leads end."""
    known = {phone_of(0).lstrip("+"), phone_of(4).lstrip("+")}
    monkeypatch.setattr(
        SandboxCampaign, "is_duplicate", lambda _self, draft, _now: draft.phone in known
    )
    with world.open(alone=True) as app:
        poll_all(app)
        told = work(app)["submit"]
        assert told.counts == {"sealed": LEADS, "unmatched": LEADS}
        assert world.states() == {"sealed": LEADS}
        told = work(app)["reconcile"]
        assert told.counts == {"matched": LEADS - 2, "duplicate": 2}
    assert len(world.sendings) == 1
    truth = {(int(job.phone), str(job.id)) for job in world.box.jobs()}
    told_ids = world.sql("SELECT phone, call_job_id FROM call_jobs WHERE call_job_id NOT NULL")
    assert set(told_ids) == truth
    ended = world.sql("SELECT phone FROM call_jobs WHERE state = 'duplicate'")
    assert {str(phone) for (phone,) in ended} == known


def test_an_answer_of_nobody_makes_all_duplicates(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty list of IDs is an answer: the vendor had all of them already."""
    monkeypatch.setattr(SandboxCampaign, "is_duplicate", lambda *_: True)
    with world.open(alone=True) as app:
        poll_all(app)
        settle(world, app)
    assert world.states() == {"duplicate": LEADS}


def test_n8_an_id_too_many_strands_no_batch(world: World) -> None:
    """The reports name the phone of every job, so each gets its ID; the surplus one is nobody's."""
    world.box.faults.add(Fault("long_answer", count=1, path="addPhones"))
    with world.open(alone=True) as app:
        poll_all(app)
        assert work(app)["submit"].counts == {"sealed": LEADS, "unmatched": LEADS}
        assert work(app)["reconcile"].counts == {"matched": LEADS, "duplicate": 0}
    assert world.states() == {"accepted": LEADS}
    assert len(world.sendings) == 1


def test_n8_an_id_that_never_shows_does_not_keep_the_others_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the settle time what the reports name is accepted, and the rest is a person's."""
    known = phone_of(0).lstrip("+")
    monkeypatch.setattr(
        SandboxCampaign, "is_duplicate", lambda _self, draft, _now: draft.phone == known
    )
    real = CampaignClient.job_reports

    def without_newest(self: CampaignClient, *, ids: list[str]) -> list[JobReport]:
        lost = str(world.box.jobs()[-1].id)
        return [report for report in real(self, ids=ids) if report.call_job_id != lost]

    monkeypatch.setattr(CampaignClient, "job_reports", without_newest)
    with world.open(alone=True) as app:
        poll_all(app)
        work(app)
        assert work(app)["reconcile"].counts == {"unmatched": LEADS - 1}
        world.clock.set(world.clock.now() + app.campaign("welcome").settle)
        told = work(app)["reconcile"].counts
        assert told == {"matched": LEADS - 2, "duplicate": 0, "parked": 2}
    assert world.states() == {"accepted": LEADS - 2, "parked": 2}
    assert len(world.sendings) == 1


@pytest.mark.parametrize("gap", ["absent", "unknown", "no phone"])
def test_a_short_answer_waits_until_every_id_has_its_phone(
    world: World, monkeypatch: pytest.MonkeyPatch, gap: str
) -> None:
    """A report that lags makes no duplicate of a job that the vendor took."""
    real = CampaignClient.job_reports

    def lagging(self: CampaignClient, *, ids: list[str]) -> list[JobReport]:
        if gap == "unknown" and len(ids) > 1:
            return real(self, ids=[*ids, "1"])
        if gap == "unknown":
            return real(self, ids=["1"] if ids == [newest()] else ids)
        found = {report.call_job_id: report for report in real(self, ids=ids)}
        late = found.pop(newest(), None)
        return [
            *found.values(),
            *([JobReport(call_job_id=newest())] if late and gap == "no phone" else []),
        ]

    def newest() -> str:
        return str(world.box.jobs()[-1].id)

    world.box.faults.add(Fault("short_answer", path="addPhones"))
    with world.open(alone=True) as app:
        poll_all(app)
        work(app)
        with monkeypatch.context() as patch:
            patch.setattr(CampaignClient, "job_reports", lagging)
            told = work(app)["reconcile"]
            assert told.counts == {"unmatched": LEADS - 1}
            assert world.states() == {"sealed": LEADS}
        told = work(app)["reconcile"]
    assert told.counts == {"matched": LEADS - 1, "duplicate": 1}


def test_a_refusal_that_is_not_about_the_batch_is_a_doubt(world: World) -> None:
    """Only the contract's own errors prove that nothing was created."""

    def no_vendor(token: str, body: bytes, key: str | None) -> object:
        raise RefusalError("some.gateway", "no", status=403)

    real, world.box.book.add_phones = world.box.book.add_phones, no_vendor  # type: ignore[method-assign,assignment]
    with world.open(alone=True) as app:
        poll_all(app)
        assert work(app)["submit"].counts == {"sealed": LEADS, "in_doubt": LEADS}
        world.box.book.add_phones = real  # type: ignore[method-assign]
        settle(world, app)
    world.assert_each_once(LEADS)


def test_a_halt_is_told_once(world: World, out: io.StringIO) -> None:
    """`campaign.halted` has the reason; the line of its pass does not repeat it."""
    with world.open(alone=True) as app:
        app.campaign("welcome").client.stop()
        poll_all(app)
        work(app)
        work(app)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    halts = [line for line in lines if line["event"] == events.CAMPAIGN_HALTED]
    passes = [line for line in lines if line.get("outcome") == "halted"]
    assert ["takes no more batches" in line["reason"] for line in halts] == [True]
    assert [line["kind"] for line in passes] == ["submit", "reconcile", "submit"]
    assert ["error" in line for line in passes] == [False, True, True]


def test_jobs_with_ids_of_other_jobs_are_parked_and_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second batch gets the IDs of the first: nobody can know, so the exit code is not 0."""
    world.configure(batch_size=LEADS // 2, max_in_flight=1)
    answers: list[list[str]] = []
    real = CampaignClient.add_phones

    def repeating(client: CampaignClient, body: bytes, **named: Any) -> list[str]:
        answers.append(answers[0] if answers else real(client, body, **named))
        return answers[-1]

    def of_the_second(_client: CampaignClient, *, ids: list[str]) -> list[JobReport]:
        phones = [phone_of(n).lstrip("+") for n in range(LEADS // 2, LEADS)]
        return [
            JobReport(call_job_id=id_, phone=phone) for id_, phone in zip(ids, phones, strict=True)
        ]

    monkeypatch.setattr(CampaignClient, "add_phones", repeating)
    with world.open(alone=True) as app:
        poll_all(app)
        submit.run_once(app.campaign("welcome"), app.tools)
        monkeypatch.setattr(CampaignClient, "job_reports", of_the_second)
        told = reconcile.run_once(app.campaign("welcome"), app.tools)
    assert told.counts == {"matched": 0, "duplicate": 0, "parked": LEADS // 2}
    assert told.exit_code == 1
    assert world.states() == {"accepted": LEADS // 2, "parked": LEADS // 2}
