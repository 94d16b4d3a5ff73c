"""The dialer: when whom is called, and what comes of it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from syncd.sandbox.clock import iso_ms, parse_ms
from syncd.sandbox.naming import named
from syncd.sandbox.outcomes import MAGIC, outcome
from syncd.sandbox.verdict import verdict

TOKEN = "1.2.made-for-a-test"
NOBODY = "12125550191"
TALKS = "12125550190"
BACK = "12125550194"
NINE_TO_SIX = {"default": [{"localTimeFrom": "09:00", "localTimeTo": "18:00"}]}


def starts(desk: Any) -> list[str]:
    """The virtual times of the calls, to the second."""
    desk.book.now_ms()
    return [iso_ms(call.started_ms)[:19] for call in desk.campaign.dialled]


def test_a_job_without_hours_is_called_at_once(desk: Any) -> None:
    """It is in process while the call lasts, then it has its outcome."""
    (id_,) = desk.add({"phone": TALKS})
    report = desk.report(id_)
    assert (report["jobStatus"], report["finishedAt"], report["callDuration"]) == (
        "inProcess",
        None,
        0,
    )
    desk.wait(minutes=5)
    report = desk.report(id_)
    assert report["jobStatus"] == "longCallWithResult"
    assert report["finishedAt"] == report["startedAt"] + report["callDuration"] * 1000
    assert report["reportData"] == {"answer": report["callResult"]}


def test_calls_wait_for_the_hours_of_the_numbers_zone(desk: Any) -> None:
    """Nine to six in New York begins at 14:00 UTC."""
    job = {"phone": TALKS, "gmtZone": "America/New_York", "allowedTime": NINE_TO_SIX}
    (id_,) = desk.add(job)
    desk.wait(hours=5, minutes=59)
    assert desk.report(id_)["jobStatus"] == "planned"
    desk.wait(hours=1)
    assert starts(desk) == ["2026-11-23T14:00:00"]
    assert desk.campaign.dialled[0].inside


def test_nobody_answers_until_the_attempts_are_used_up(desk: Any) -> None:
    """Attempts come after the retry interval, counted from the end of the call; then noAnswer."""
    (id_,) = desk.add({"phone": NOBODY, "retryIntervalInMinutes": 60, "maxAttempts": 2})
    desk.wait(minutes=30)
    assert desk.report(id_)["jobStatus"] == "onRetry"
    assert desk.campaign.info()["shortReport"]["retryCalls"] == 1
    desk.wait(hours=5)
    assert starts(desk) == ["2026-11-23T08:00:00", "2026-11-23T09:00:25"]
    report = desk.report(id_)
    assert (report["jobStatus"], report["attemptsCount"]) == ("noAnswer", 2)
    assert desk.campaign.info()["shortReport"]["retryCalls"] == 0


@pytest.mark.parametrize("attempts", [{}, {"maxAttempts": 0}])
def test_the_campaign_gives_attempts_that_are_not_given(desk: Any, attempts: Any) -> None:
    """Absent and 0 both mean the campaign's three attempts, half an hour apart."""
    (id_,) = desk.add({"phone": NOBODY, **attempts})
    desk.wait(hours=10)
    assert desk.report(id_)["attemptsCount"] == 3
    assert starts(desk)[1] == "2026-11-23T08:30:25"


def test_a_retry_waits_for_the_hours(desk: Any) -> None:
    """A retry that falls behind the end of the hours is made on the next day."""
    hours = {"default": [{"localTimeFrom": "08:00", "localTimeTo": "08:20"}]}
    desk.add({"phone": NOBODY, "gmtZone": "UTC", "allowedTime": hours, "maxAttempts": 2})
    desk.wait(hours=48)
    assert starts(desk) == ["2026-11-23T08:00:00", "2026-11-24T08:00:00"]


def test_past_the_finish_an_uncalled_job_is_not_done(desk: Any) -> None:
    """It ends at the finish exactly, whenever the clock is read."""
    late = {"default": [{"localTimeFrom": "20:00", "localTimeTo": "21:00"}]}
    finish = "2026-11-23T10:00:00Z"
    (id_,) = desk.add(
        {"phone": TALKS, "gmtZone": "UTC", "allowedTime": late, "finishDateTime": finish}
    )
    desk.wait(hours=1)
    assert desk.report(id_)["jobStatus"] == "planned"
    desk.wait(hours=30)
    assert desk.report(id_)["jobStatus"] == "notDone"
    assert desk.report(id_)["finishedAt"] == parse_ms(finish)


def test_a_job_that_waits_for_a_line_ends_at_its_finish(make_desk: Any) -> None:
    """A finish that passes while all lines are busy ends the job there."""
    desk = make_desk(lines=1)
    finish = "2026-11-23T08:10:00Z"
    ids = desk.add({"phone": "12125550198"}, {"phone": "447700900001", "finishDateTime": finish})
    desk.book.now_ms()
    desk.add({"phone": "447700900002"})
    desk.wait(hours=1)
    # Own parameters go first, so the finish job is called and the long call waits its turn.
    assert desk.dialled()[0] == "447700900001"
    (blocked,) = desk.add(
        {"phone": "447700900003", "startDateTime": "2026-11-23T09:01:00Z",
         "finishDateTime": "2026-11-23T09:05:00Z"}
    )  # fmt: skip
    long = {"phone": "447700900098", "dialerPriority": 1}
    desk.add(long)
    desk.wait(minutes=10)
    assert desk.report(ids[1])["jobStatus"] != "planned"
    assert desk.report(blocked)["jobStatus"] == "notDone"
    assert desk.report(blocked)["finishedAt"] == parse_ms("2026-11-23T09:05:00Z")


def test_no_retry_is_planned_past_the_finish(desk: Any) -> None:
    """When no permitted hour is left for the retry, the job ends with the call."""
    (id_,) = desk.add({"phone": NOBODY, "finishDateTime": "2026-11-23T08:20:00Z", "maxAttempts": 3})
    desk.wait(minutes=1)
    assert desk.report(id_)["jobStatus"] == "noAnswer"


def test_a_retry_that_waits_ends_at_the_finish(make_desk: Any) -> None:
    """A job on retry whose finish passes while the lines are busy ends as noAnswer."""
    desk = make_desk(lines=1)
    (id_,) = desk.add(
        {"phone": NOBODY, "finishDateTime": "2026-11-23T08:10:00Z", "retryIntervalInMinutes": 5}
    )
    desk.wait(minutes=1)
    desk.add({"phone": "12125550198"})
    desk.wait(minutes=60)
    report = desk.report(id_)
    assert (report["jobStatus"], report["attemptsCount"]) == ("noAnswer", 1)
    assert report["finishedAt"] == parse_ms("2026-11-23T08:10:00Z")


def test_a_job_whose_finish_has_passed_is_not_done_at_once(desk: Any) -> None:
    """A finish in the past is accepted, and the job ends uncalled."""
    (id_,) = desk.add({"phone": TALKS, "finishDateTime": "2020-03-24T00:00:00Z"})
    assert desk.report(id_)["jobStatus"] == "notDone"


def test_the_interval_that_ends_first_goes_first(make_desk: Any) -> None:
    """Then priority before all, own parameters before none, and the order of adding."""
    desk = make_desk(lines=1)
    early = {"default": [{"localTimeFrom": "08:00", "localTimeTo": "12:00"}]}
    desk.add(
        {"phone": "447700900001"},
        {"phone": "447700900002"},
        {"phone": "447700900003", "retryIntervalInMinutes": 5},
        {"phone": "447700900004", "gmtZone": "UTC", "allowedTime": NINE_TO_SIX},
        {"phone": "447700900005", "gmtZone": "UTC", "allowedTime": early},
        {"phone": "447700900006", "dialerPriority": 1},
    )
    desk.wait(minutes=0.1)
    assert desk.dialled() == ["447700900006"]
    desk.wait(minutes=50)
    order = list(dict.fromkeys(desk.dialled()))
    assert order == [f"44770090000{number}" for number in (6, 5, 3, 1, 2)]
    desk.wait(minutes=30)
    assert desk.dialled()[-1] != "447700900005"
    assert "447700900004" in desk.dialled()


def test_no_more_calls_at_once_than_lines(make_desk: Any) -> None:
    """The fourth call starts when the first of three has ended."""
    desk = make_desk(lines=3)
    desk.add(*[{"phone": f"4477009000{number:02}"} for number in range(10)])
    desk.wait(minutes=0.01)
    assert desk.campaign.dialer.calls_in_progress == 3
    desk.wait(hours=3)
    calls = desk.campaign.dialled
    for call in calls:
        at = call.started_ms
        assert sum(other.started_ms <= at < other.ended_ms for other in calls) <= 3


def test_a_window_that_closes_while_waiting_is_kept(make_desk: Any) -> None:
    """What found no line until its hours closed is called when they open again."""
    desk = make_desk(lines=1)
    minute = {"default": [{"localTimeFrom": "08:00", "localTimeTo": "08:01"}]}
    jobs = [
        {"phone": f"4477009000{number:02}", "gmtZone": "UTC", "allowedTime": minute}
        for number in range(90, 96)
    ]
    desk.add(*jobs)
    desk.wait(hours=10 * 24)
    assert len(set(desk.dialled())) == len(jobs)
    assert all(call.inside for call in desk.campaign.dialled)


def test_a_pause_lets_calls_end_and_starts_none(desk: Any) -> None:
    """The call in progress is finished; the rest waits for resume."""
    first, second = desk.add(
        {"phone": TALKS}, {"phone": NOBODY, "startDateTime": "2026-11-23T08:01:00Z"}
    )
    desk.book.control(TOKEN, "pause")
    desk.wait(hours=1)
    assert desk.report(first)["jobStatus"] == "longCallWithResult"
    assert desk.report(second)["jobStatus"] == "planned"
    desk.book.control(TOKEN, "resume")
    assert starts(desk)[1] == "2026-11-23T09:00:00"


def test_a_stop_ends_what_was_not_called(desk: Any) -> None:
    """Waiting jobs are notDone at once, a call in progress is finished, and nothing follows."""
    talking, failing, waiting = desk.add(
        {"phone": BACK},
        {"phone": NOBODY},
        {"phone": "447700900090", "startDateTime": "2026-11-24T00:00:00Z"},
    )
    desk.book.control(TOKEN, "stop")
    assert desk.report(waiting)["jobStatus"] == "notDone"
    assert desk.campaign.info()["endTime"] == desk.book.now_ms()
    desk.wait(hours=48)
    assert desk.report(talking)["callResult"] == "CALLBACK_REQUEST"
    assert desk.report(failing)["jobStatus"] == "noAnswer"
    assert len(desk.campaign.jobs) == 3
    assert len(desk.campaign.dialled) == 2


def test_a_call_back_makes_a_redial_job(desk: Any) -> None:
    """The first job ends, a second one of the same phone has redialNumber 1 and is called later."""
    (first,) = desk.add({"phone": BACK, "payload": {"name": "A"}})
    desk.wait(hours=2)
    again = desk.campaign.created[1]
    assert desk.report(first)["callResult"] == "CALLBACK_REQUEST"
    assert again.report()["redialNumber"] == 1
    assert again.payload == '{"name":"A"}'
    assert again.report()["jobStatus"] == "longCallWithResult"
    assert again.created_ms == desk.report(first)["finishedAt"]
    found = named(desk.campaign, orjson.dumps({"phones": [BACK]}))
    assert [job.redial for job in found] == [None, 1]
    assert verdict(desk.book)["jobs_called_twice"] == 0
    assert len(desk.add({"phone": BACK, "payload": {"name": "B"}})) == 1


@pytest.mark.parametrize(
    ("ending", "statuses"),
    [
        ("90", ["longCallWithResult"]),
        ("91", ["noAnswer"] * 3),
        ("92", ["nonexistentNumber"]),
        ("93", ["longCallWithNoResult"]),
        ("95", ["technicalError"]),
        ("96", ["noAnswer", "longCallWithResult"]),
        ("97", ["noAnswer", "noAnswer", "longCallWithResult"]),
        ("98", ["longCallWithResult"]),
        ("99", ["answeringMachine"]),
    ],
)
def test_magic_endings_always_give_their_outcome(
    make_desk: Any, ending: str, statuses: list[str]
) -> None:
    """Whatever the seed and the country, the last two digits decide."""
    for seed, prefix in ((1, "121255501"), (2, "4477009000")):
        desk = make_desk(seed=seed)
        (id_,) = desk.add({"phone": prefix + ending})
        desk.wait(hours=10)
        attempts = desk.campaign.jobs[int(id_)].attempts
        assert [attempt.report()["jobStatus"] for attempt in attempts] == statuses
        assert desk.report(id_)["jobStatus"] == statuses[-1]
        assert MAGIC[ending].status == statuses[-1]


def test_the_long_magic_call_can_be_watched(desk: Any) -> None:
    """Ending 98 talks for half an hour."""
    (id_,) = desk.add({"phone": "12125550198"})
    desk.wait(minutes=29)
    assert desk.report(id_)["jobStatus"] == "inProcess"


def test_outcomes_hang_on_seed_phone_and_attempt_only() -> None:
    """The same question has the same answer, another seed others; all ordinary outcomes occur."""
    phones = [f"4477009{number:05}" for number in range(3000) if number % 100 < 90]
    made = [outcome(1, phone, 1, None) for phone in phones]
    assert made == [outcome(1, phone, 1, None) for phone in phones]
    assert made != [outcome(2, phone, 1, None) for phone in phones]
    statuses = {how.status for how in made}
    assert statuses == {magic.status for magic in MAGIC.values()} - {"answeringMachine"}
    asked = [p for p, how in zip(phones, made, strict=True) if how.asks_for_redial]
    assert asked
    assert not any(outcome(1, phone, 1, 1).asks_for_redial for phone in asked)


def test_the_verdict_counts_who_was_called_twice(desk: Any) -> None:
    """Two jobs of one phone with other payloads are one call too many; test calls do not count."""
    desk.add({"phone": TALKS})
    desk.add({"phone": TALKS, "payload": {"other": True}})
    desk.book.add_phone(TOKEN, TALKS, None, None, None, test=True)
    desk.wait(hours=1)
    said = verdict(desk.book)
    assert (said["ok"], said["jobs_called_twice"], said["jobs_test"]) == (False, 1, 1)
    assert said["statuses"] == {"longCallWithResult": 3}
    assert said["calls_zone_unknown"] == 3
