"""Keys, duplicates, cancel and control: what a client must survive."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from syncd.sandbox.keys import Owner
from syncd.sandbox.knobs import Knobs
from syncd.sandbox.naming import named
from syncd.sandbox.refusals import RefusalError

ONE = {"phone": "12125550110"}
TWO = {"phone": "12125550111"}
NAMED = {**ONE, "payload": {"name": "A", "age": 3}}
DAY_H = 24
TOKEN = "1.2.made-for-a-test"


def refusal(verb: Any, *args: Any, **named: Any) -> dict[str, object]:
    """The body of the error that a verb ends in."""
    with pytest.raises(RefusalError) as caught:
        verb(*args, **named)
    return caught.value.body


def add_one(desk: Any, phone: str, *, key: str | None = None, **fields: Any) -> str:
    """The ID of addPhone."""
    payload, zone = fields.get("payload"), fields.get("zone")
    test = fields.get("test", False)
    answer = desk.book.add_phone(TOKEN, phone, payload, zone, key, test=test).answer
    return str(orjson.loads(answer))


def test_ids_are_growing_decimal_texts(desk: Any) -> None:
    """IDs come in request order, two apart, as the vendor's do."""
    assert desk.add(ONE, TWO) == ["5665334669", "5665334671"]
    assert desk.add({"phone": "12125550112"}) == ["5665334673"]


def test_an_empty_batch_makes_nothing(desk: Any) -> None:
    """No phones, no IDs."""
    assert desk.add() == []


def test_an_unknown_token_is_404(desk: Any) -> None:
    """`invalid.token` with status 404, for every verb."""
    with pytest.raises(RefusalError) as caught:
        desk.book.add_phones("wrong", b"[]", None)
    assert caught.value.status == 404
    assert caught.value.body["type"] == "invalid.token"


def test_one_fault_refuses_the_whole_batch(desk: Any) -> None:
    """All or nothing: a bad phone at the end leaves no job."""
    assert refusal(desk.add, ONE, TWO, {"phone": "1"})["type"] == "phone.bad.format"
    assert desk.campaign.jobs == {}


def test_a_key_gives_the_first_answer_whatever_the_body_says(desk: Any) -> None:
    """Within 24 hours other content under the same key is lost without a word."""
    first = desk.add(ONE, key="k")
    assert desk.add(TWO, {"phone": "12125550112"}, key="k") == first
    desk.wait(hours=DAY_H, minutes=-1)
    assert desk.book.add_phones(TOKEN, b"not even JSON", "k").answer == orjson.dumps(first)
    assert len(desk.campaign.jobs) == 1


def test_a_key_is_forgotten_after_24_hours(desk: Any) -> None:
    """A repeat after a day makes new jobs: the person is called twice."""
    first = desk.add(ONE, key="k")
    desk.wait(hours=DAY_H)
    second = desk.add(ONE, key="k")
    assert second != first
    assert desk.add(TWO, key="k") == second


def test_many_keys_are_forgotten_in_their_order(desk: Any) -> None:
    """The memory of keys holds a day and no more."""
    for number in range(5):
        desk.add({"phone": f"1212555013{number}"}, key=f"k{number}")
        desk.wait(hours=10)
    owner, book = Owner(TOKEN, desk.campaign.id), desk.book
    assert book.keys.find("k2", owner, book.now_ms(), book.knobs) is None
    assert book.keys.find("k3", owner, book.now_ms(), book.knobs) is not None


def test_a_refused_request_leaves_its_key_free(desk: Any) -> None:
    """Only successful answers are remembered."""
    refusal(desk.add, {"phone": "1"}, key="k")
    assert len(desk.add(ONE, key="k")) == 1


def test_an_empty_key_is_no_key(desk: Any) -> None:
    """Requests with an empty key are separate."""
    assert desk.add(ONE, key="") != desk.add(TWO, key="")


def test_keys_belong_to_a_token(make_desk: Any) -> None:
    """Two campaigns may use one key for different things."""
    book = make_desk().book
    other = type(book)(book.clock, ["a", "b"])
    first = other.add_phones("a", orjson.dumps([ONE]), "k").answer
    assert other.add_phones("b", orjson.dumps([ONE]), "k").answer != first


@pytest.mark.parametrize(
    ("first", "second", "again"),
    [
        (ONE, ONE, True),
        (NAMED, {**ONE, "payload": {"age": 3, "name": "A"}}, True),
        (NAMED, {**ONE, "payload": {"name": "B"}}, False),
        (NAMED, ONE, False),
        (ONE, {**ONE, "gmtZone": "UTC"}, True),
        (NAMED, {**NAMED, "gmtZone": "UTC"}, False),
        (ONE, {"phone": "+12125550110"}, True),
        (ONE, TWO, False),
    ],
)
def test_duplicates_of_a_day_are_ignored(desk: Any, first: Any, second: Any, again: bool) -> None:
    """Same phone, settings and payload, or the same phone without payload: a shorter answer."""
    desk.add(first)
    other = {"phone": "12125550119"}
    assert len(desk.add(other, second)) == (1 if again else 2)


def test_a_duplicate_of_yesterday_is_a_new_job(desk: Any) -> None:
    """The rule holds for 24 hours."""
    desk.add(ONE)
    desk.wait(hours=DAY_H)
    assert len(desk.add(ONE)) == 1


def test_duplicates_can_be_refused(make_desk: Any) -> None:
    """With duplicates="error" the batch is refused and all duplicates are named."""
    desk = make_desk(knobs=Knobs(duplicates="error"))
    desk.add(ONE, TWO)
    error = refusal(desk.add, {"phone": "12125550112"}, TWO, ONE)
    assert error["type"] == "phone.duplicated"
    assert error["phonesDuplicates"] == [TWO["phone"], ONE["phone"]]
    assert len(desk.campaign.jobs) == 2


def test_a_single_duplicate_without_key_is_refused(desk: Any) -> None:
    """The second addPhone without a key is a 400, with a new key it is a new job."""
    first = add_one(desk, "12125550110")
    error = refusal(add_one, desk, "12125550110")
    assert (error["type"], error["phone"]) == ("phone.duplicated", "12125550110")
    assert add_one(desk, "12125550110", key="new") != first


def test_a_single_add_with_a_key_is_made_once(desk: Any) -> None:
    """The same key gives the same ID, whatever the parameters say."""
    first = add_one(desk, "12125550110", key="k")
    assert add_one(desk, "12125550111", key="k") == first


def test_test_calls_are_exempt(desk: Any) -> None:
    """test/addPhone takes duplicates, and makes none of what comes after it."""
    add_one(desk, "12125550110", test=True)
    add_one(desk, "12125550110", test=True)
    assert len(desk.add(ONE)) == 1


def test_the_parameters_of_a_single_add_are_kept(desk: Any) -> None:
    """Payload and zone reach the job."""
    id_ = add_one(desk, "12125550110", payload={"name": "A"}, zone="+03:00")
    job = desk.campaign.jobs[int(id_)]
    assert (job.payload, job.hours.zone_name) == ('{"name":"A"}', "+03:00")


def test_a_single_add_needs_a_phone(desk: Any) -> None:
    """Without a phone it is a bad request."""
    assert refusal(desk.book.add_phone, TOKEN, None, {}, None, None)["type"] == "bad.request"


def test_cancel_answers_what_it_cancelled(desk: Any) -> None:
    """Open jobs are cancelled at once; those that are over are left out of the answer."""
    ids = desk.add({**ONE, "startDateTime": "2026-11-24T00:00:00Z"}, {"phone": "12125550192"})
    desk.wait(minutes=5)
    named = orjson.dumps({"ids": ids, "phones": [ONE["phone"], 12125550192]})
    assert orjson.loads(desk.book.cancel(TOKEN, named)) == [ids[0]]
    assert desk.report(ids[0])["jobStatus"] == "canceled"
    assert desk.report(ids[0])["finishedAt"] == desk.book.now_ms()
    assert orjson.loads(desk.book.cancel(TOKEN, named)) == []


def test_a_call_in_progress_is_finished_and_not_repeated(desk: Any) -> None:
    """Cancelled during a call that nobody answers: no further attempt is made."""
    ids = desk.add({"phone": "12125550191"})
    cancelled = orjson.loads(desk.book.cancel(TOKEN, orjson.dumps({"ids": ids})))
    assert cancelled == ids
    assert orjson.loads(desk.book.cancel(TOKEN, orjson.dumps({"ids": ids}))) == []
    assert desk.report(ids[0])["jobStatus"] == "inProcess"
    desk.wait(hours=5)
    report = desk.report(ids[0])
    assert (report["jobStatus"], report["attemptsCount"]) == ("canceled", 1)


@pytest.mark.parametrize(
    ("named", "type_"),
    [
        ({"ids": ["5665334669", "1"]}, "id.not.found"),
        ({"ids": ["five"]}, "id.not.found"),
        ({"ids": [5665334669], "phones": ["12125550119"]}, "phone.not.found"),
        ({"phones": ["?"]}, "phone.not.found"),
        ({"ids": "5665334669"}, "bad.request"),
        ({}, "bad.request"),
        ([], "bad.request"),
    ],
)
def test_one_unknown_name_fails_the_whole_request(desk: Any, named: Any, type_: str) -> None:
    """Nothing is cancelled when an ID or a phone is unknown."""
    ids = desk.add({**ONE, "startDateTime": "2026-11-24T00:00:00Z"})
    assert refusal(desk.book.cancel, TOKEN, orjson.dumps(named))["type"] == type_
    assert desk.report(ids[0])["jobStatus"] == "planned"


def test_a_null_batch_names_nothing(desk: Any) -> None:
    """`ids: null` beside phones is as good as absent."""
    ids = desk.add(ONE)
    body = orjson.dumps({"ids": None, "phones": [ONE["phone"]]})
    assert [str(job.id) for job in named(desk.campaign, body)] == ids


def test_states_of_a_campaign(desk: Any) -> None:
    """new, planned, inProcess, paused, resumed, finished."""
    assert desk.campaign.status == "new"
    desk.add({**ONE, "startDateTime": "2026-11-23T10:00:00Z"})
    assert desk.campaign.status == "planned"
    desk.book.control(TOKEN, "pause")
    assert desk.campaign.status == "paused"
    desk.book.control(TOKEN, "resume")
    desk.wait(hours=3)
    assert desk.campaign.status == "inProcess"
    desk.book.control(TOKEN, "stop")
    assert desk.campaign.status == "finished"


@pytest.mark.parametrize(
    ("before", "action"),
    [
        ([], "pause"),
        ([], "resume"),
        (["stop"], "stop"),
        (["stop"], "resume"),
        (["stop"], "pause"),
    ],
)
def test_control_in_a_wrong_state_has_its_own_body(
    desk: Any, before: list[Any], action: Any
) -> None:
    """`error`, `message` and `args` instead of `type`."""
    for earlier in before:
        desk.book.control(TOKEN, earlier)
    error = refusal(desk.book.control, TOKEN, action)
    assert set(error) == {"error", "message", "args"}


def test_a_finished_campaign_takes_no_batch(desk: Any) -> None:
    """`invalid.call.task.state` with the state, for any new phone; a known key answers."""
    first = desk.add(ONE, key="k")
    desk.book.control(TOKEN, "stop")
    for error in (refusal(desk.add, TWO), refusal(add_one, desk, "12125550112")):
        assert (error["type"], error["state"]) == ("invalid.call.task.state", "FINISHED")
    assert desk.add(TWO, key="k") == first


def test_what_the_log_is_told(desk: Any) -> None:
    """Phones of the request, jobs made, whether the key was known, and unknown fields."""
    body = orjson.dumps([ONE, {**TWO, "speed": 1}])
    assert desk.book.add_phones(TOKEN, body, "k")[1:] == (2, 2, False, ("speed",))
    assert desk.book.add_phones(TOKEN, body, "k")[1:] == (2, 0, True, ())
    assert desk.book.add_phones(TOKEN, b"{}", "k")[1:] == (0, 0, True, ())


def test_reset_forgets_all_but_tokens_and_time(desk: Any) -> None:
    """After a reset IDs begin anew and keys are free."""
    first = desk.add(ONE, key="k")
    desk.wait(hours=1)
    now_ms = desk.book.now_ms()
    desk.book.reset()
    assert desk.book.now_ms() == now_ms
    assert orjson.loads(desk.book.add_phones(TOKEN, orjson.dumps([TWO]), "k").answer) == first
    assert len(desk.book.campaign(TOKEN).jobs) == 1
