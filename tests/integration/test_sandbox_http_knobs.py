"""Each knob, over HTTP and without a socket: the same requests have the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from syncd.sandbox.knobs import KNOBS, Knobs
from tests.sandboxes import WAYS, Way, way_to

A, B, C, D = (f"1212555011{number}" for number in range(4))
HOUR_S = 3600
FIRST = "5665334669"
SECOND = "5665334671"
OTHER = "3.4.theOtherCampaign"


@pytest.fixture(params=WAYS)
def api(request: pytest.FixtureRequest) -> Iterator[Way]:
    """Two campaigns without the rule for duplicates: whatever is made twice is seen."""
    with way_to(request.param, tokens=("1.2.mine", OTHER), duplicate_hours=0) as way:
        yield way


def made(api: Way) -> list[str]:
    """The phones of all jobs."""
    return [job.phone for job in api.box.jobs()]


def numbers(api: Way) -> list[int]:
    """The numbers of the campaigns."""
    return [campaign.id for campaign in api.box.book.campaigns.values()]


# --- the knobs themselves -------------------------------------------------------------------------


def test_knobs_are_shown_and_turned(api: Way) -> None:
    """The answer has all of them; what was not named stays as it was."""
    told = api.turn(key_hours=12.5, id_order="shuffled")
    assert told == {**Knobs(duplicate_hours=0).public(), "key_hours": 12.5, "id_order": "shuffled"}
    assert api.turn() == told


@pytest.mark.parametrize(
    "knobs",
    [
        {"key_scope": "world"},
        {"key_scope": 1},
        {"key_hours": -1},
        {"key_hours": "12"},
        {"key_hours": True},
        {"key_hours": 1e9},
        {"cache_refusals": 1},
        {"cache_refusals": "true"},
        {"report_lag_seconds": None},
        {"colour": "red"},
    ],
)
def test_a_bad_knob_is_refused_and_none_is_turned(api: Way, knobs: dict[str, Any]) -> None:
    """All of a request, or nothing."""
    assert api.turn(id_order="reversed", **knobs) is None
    assert api.turn()["id_order"] == "request"


@pytest.mark.parametrize("name", list(KNOBS))
def test_the_default_of_a_knob_is_among_its_values(name: str) -> None:
    """The table and the class say the same."""
    assert KNOBS[name].takes(Knobs().public()[name])
    assert list(KNOBS) == list(Knobs().public())


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "new_token", "other_campaign"),
    [("token", False, False), ("campaign", True, False), ("account", True, True)],
)
def test_the_scope_of_a_key(api: Way, scope: str, new_token: bool, other_campaign: bool) -> None:
    """A new token of the campaign, or another campaign, knows the key or does not."""
    api.turn(key_scope=scope)
    api.add(A, key="k")
    api.hand("tokens", {"campaign": numbers(api)[0], "tokens": ["1.2.mine", "1.2.new"]})
    assert (api.add(A, key="k", token="1.2.new").json == [FIRST]) is new_token
    jobs = len(made(api))
    assert (api.add(A, key="k", token=OTHER).json == [FIRST]) is other_campaign
    assert (len(made(api)) == jobs) is other_campaign
    assert api.add(A, key="k").json == [FIRST]


def test_a_scope_that_is_turned_looks_at_old_keys_anew(api: Way) -> None:
    """What was kept is kept with its token and campaign."""
    api.add(A, key="k")
    assert api.add(A, key="k", token=OTHER).json != [FIRST]
    api.turn(key_scope="account")
    assert api.add(A, key="k", token=OTHER).json == [FIRST]


def test_a_key_expires_early(api: Way) -> None:
    """After 12 hours instead of 24 the same request calls people twice."""
    api.turn(key_hours=12)
    api.add(A, key="k")
    api.wait(12 * HOUR_S - 1)
    assert api.add(A, key="k").json == [FIRST]
    api.wait(1)
    assert api.add(A, key="k").json == [SECOND]
    assert made(api) == [A, A]


def test_one_key_of_two_campaigns_expires_twice(api: Way) -> None:
    """Each from its own first use on."""
    api.add(A, key="k")
    api.wait(HOUR_S)
    other = api.add(B, key="k", token=OTHER).json
    api.wait(23 * HOUR_S)
    assert api.add(A, key="k").json == [SECOND]
    assert api.add(B, key="k", token=OTHER).json == other
    api.wait(HOUR_S)
    assert api.add(B, key="k", token=OTHER).json != other


def test_no_key_is_remembered_at_all(api: Way) -> None:
    """With 0 hours each request is new."""
    api.turn(key_hours=0)
    assert api.add(A, key="k").json != api.add(A, key="k").json


@pytest.mark.parametrize("check", ["before_validation", "after_validation"])
def test_whether_a_repeat_is_checked(api: Way, check: str) -> None:
    """A campaign that stopped meanwhile, or a body that is no list, answers by key or refuses."""
    api.turn(key_check=check)
    api.add(A, key="k")
    api.post("control/stop")
    first, second = api.add(A, key="k"), api.post("addPhones", "nothing", key="k")
    if check == "before_validation":
        assert [first.json, second.json] == [[FIRST], [FIRST]]
    else:
        assert first.json["type"] == second.json["type"] == "invalid.call.task.state"
    assert made(api) == [A]


def test_a_repeat_that_is_right_is_answered_by_its_key(api: Way) -> None:
    """After the check the first answer comes, and nothing is made; for addPhone too."""
    api.turn(key_check="after_validation")
    api.add(A, key="k")
    assert api.add(B, C, key="k").json == [FIRST]
    assert api.post("addPhones", "nothing", key="k").status == 400
    one = {"phone": D, "Idempotence-Key": "one"}
    assert api.add_one(**one).json == api.add_one(**one).json == SECOND
    assert api.add_one(**{**one, "phone": "1"}).status == 400
    assert made(api) == [A, D]


def test_a_repeat_meets_the_rule_for_duplicates(api: Way) -> None:
    """With both knobs the retry of a success is refused by the phones that it made itself."""
    api.turn(key_check="after_validation", duplicates="error", duplicate_hours=24)
    api.add(A, key="k")
    assert api.add(A, key="k").json["phonesDuplicates"] == [A]


@pytest.mark.parametrize("remembered", [False, True])
def test_a_refusal_is_remembered_under_its_key(api: Way, remembered: bool) -> None:
    """The batch was made good, the old key is refused for ever; a new key is not."""
    api.turn(cache_refusals=remembered)
    assert api.add("1", key="k").status == api.add_one(**_keyed("1")).status == 400
    again, one = api.add(A, key="k"), api.add_one(**_keyed(B))
    assert (again.status, one.status) == ((400, 400) if remembered else (200, 200))
    if remembered:
        assert (again.json["type"], again.json["phone"]) == ("phone.bad.format", "1")
        assert api.add(A, key="k2").status == 200
        api.wait(24 * HOUR_S)
        assert api.add(C, key="k").status == 200


def _keyed(phone: str) -> dict[str, str]:
    return {"phone": phone, "Idempotence-Key": "one"}


def test_a_request_without_a_key_is_not_remembered(api: Way) -> None:
    """Neither is its refusal."""
    api.turn(cache_refusals=True)
    assert api.add("1").status == 400
    assert api.add(A).status == 200


def test_a_key_is_in_progress(api: Way) -> None:
    """For so long a repeat is a 409; other keys go on, and so does the repeat afterwards."""
    api.turn(key_busy_seconds=60)
    assert api.add(A, key="k").status == 200
    api.wait(59)
    busy = api.add(A, key="k")
    assert (busy.status, busy.json["type"]) == (409, "request.in.progress")
    assert api.add(B, key="other").status == 200
    assert api.add(C).status == 200
    api.wait(1)
    assert api.add(A, key="k").json == [FIRST]
    assert made(api) == [A, B, C]


def test_a_parked_request_is_in_progress(api: Way) -> None:
    """Its key is busy while it is on its way; without the knob the vendor knows nothing of it."""
    api.turn(key_busy_seconds=1)
    api.fault("late", path="addPhones", delay_seconds=100)
    api.add(A, key="k")
    assert api.add(A, key="k").status == 409
    assert api.add(B, key="other", token=OTHER).status == 200
    api.turn(key_busy_seconds=0)
    assert api.add(A, key="k").json == [FIRST]


# --- answers, duplicates and reports --------------------------------------------------------------


def test_the_order_of_ids(api: Way) -> None:
    """Of the request, reversed, or shuffled; the jobs are the same, and so is the repeat."""
    phones = [f"121255501{number}" for number in range(10, 30)]
    api.turn(id_order="reversed")
    back = api.add(*phones, key="back").json
    assert back == sorted(back, reverse=True)
    api.turn(id_order="shuffled")
    drawn = api.add(*phones, key="drawn").json
    assert drawn not in (sorted(drawn), sorted(drawn, reverse=True))
    assert api.add(*phones, key="drawn").json == drawn
    assert [job.phone for job in api.box.jobs()][20:] == phones
    assert sorted(back + drawn) == [str(job.id) for job in api.box.jobs()]


def test_the_seed_decides_how_ids_are_shuffled() -> None:
    """One seed, one order; another seed, another one."""
    orders = []
    for seed in (1, 1, 2):
        with way_to("direct", seed=seed, id_order="shuffled") as api:
            orders.append(api.add(*(f"121255501{number}" for number in range(10, 30))).json)
    assert orders[0] == orders[1] != orders[2]


def test_duplicates_can_be_refused_from_now_on(api: Way) -> None:
    """The knob that is an option at the start too; its life is a knob as well."""
    api.add(A)
    api.turn(duplicates="error", duplicate_hours=2)
    assert api.add(A, B).json["phonesDuplicates"] == [A]
    api.wait(2 * HOUR_S)
    assert api.add(A, B).status == 200


def test_an_installation_may_lack_paging(api: Way) -> None:
    """404 without a type, until the knob is turned back."""
    api.turn(paging=False)
    assert "type" not in api.post("callJob/getUnfinished", {}).json
    api.turn(paging=True)
    assert api.page("getUnfinished") == []


def test_reports_lag_behind(api: Way) -> None:
    """A job is unknown to every report until its time has come; the dialer knows it at once."""
    api.turn(report_lag_seconds=600)
    api.add(A)
    named = {"phones": [A]}
    api.wait(599)
    assert api.page() == api.page("getUnfinished") == []
    assert api.post("callAttempt/getReportByDate", {}).json["items"] == []
    assert api.post("callJob/getReport", named).json["type"] == "phone.not.found"
    assert api.post("callAttempt/getReport", {"ids": [FIRST]}).json["type"] == "id.not.found"
    assert len(api.box.calls()) == 1
    api.wait(1)
    assert api.page() == [FIRST]
    assert api.post("callJob/getReport", named).json[0]["callJobId"] == FIRST
    assert len(api.post("callAttempt/getReportByDate", {}).json["items"]) >= 1


def test_what_reports_do_not_show_can_be_cancelled(api: Way) -> None:
    """Cancelling asks the dialer, not the reports."""
    api.turn(report_lag_seconds=600)
    api.post("addPhones", [{"phone": A, "startDateTime": "2026-11-24T00:00:00Z"}])
    assert api.post("callJob/cancel", {"ids": [FIRST]}).json == [FIRST]


def test_a_spread_lag_lets_rows_arrive_between_others(api: Way) -> None:
    """Later jobs show before earlier ones, so that the pages of a fixed range move."""
    api.turn(report_lag_spread_seconds=1000)
    phones = [f"121255501{number}" for number in range(10, 40)]
    ids = api.add(*phones).json
    api.wait(500)
    early = api.page(pageSize=200)
    assert 0 < len(early) < len(ids)
    assert early != ids[: len(early)]
    api.wait(500)
    assert api.page(pageSize=200)[: len(ids)] == ids


def test_with_the_newest_first_new_rows_move_the_pages(api: Way) -> None:
    """A row of the first page comes again on the second, because another one arrived."""
    api.turn(report_order="newest_first")
    ids = api.add(A, B, C).json
    for method in ("getReportByDate", "getUnfinished"):
        assert api.page(method, page=0, pageSize=2) == ids[:0:-1]
    api.add(D)
    assert api.page(page=1, pageSize=2) == ids[1::-1]


# --- tokens and operators -------------------------------------------------------------------------


def test_a_token_is_replaced_and_revoked(api: Way) -> None:
    """The new one opens the same campaign, the old one is unknown; none opens nothing."""
    number = numbers(api)[0]
    api.add(A, key="k")
    assert api.hand("tokens", {"campaign": number, "tokens": ["1.2.new"]}) == {
        "campaign": number,
        "tokens": 1,
    }
    assert api.add(A, key="k").json["type"] == "invalid.token"
    assert api.add(B, token="1.2.new").json == [SECOND]
    api.hand("tokens", {"campaign": number, "tokens": []})
    assert api.add(B, token="1.2.new").status == 404
    api.hand("tokens", {"campaign": number, "tokens": ["1.2.mine"]})
    assert api.add(A, key="k").json == [FIRST]
    assert made(api) == [A, B]


def test_a_test_replaces_tokens_by_the_place_of_the_campaign(api: Way) -> None:
    """The first, unless another one is named."""
    api.box.set_tokens("9.9.new")
    api.box.set_tokens("8.8.new", campaign=1)
    assert api.add(A, token="9.9.new").json == [FIRST]
    assert api.add(A, token="8.8.new").status == 200
    assert [api.add(A).status, api.add(A, token=OTHER).status] == [404, 404]


def test_a_token_opens_one_campaign_only(api: Way) -> None:
    """A token of another campaign, and an unknown campaign, are refused."""
    first, second = numbers(api)[:2]
    assert api.hand("tokens", {"campaign": second, "tokens": ["1.2.mine"]}) is None
    assert api.hand("tokens", {"campaign": 7, "tokens": []}) is None
    assert api.add(A).status == api.add(A, token=OTHER).status == 200
    assert first != second


def test_an_operator_calls_by_hand(api: Way) -> None:
    """Reports by date, of the unfinished and by phone show it; cancel and the verdict do not."""
    told = api.hand("operator", {"campaign": numbers(api)[0], "jobs": [{"phone": A}]})
    assert told == {"items": [FIRST]}
    assert api.page() == api.page("getUnfinished") == [FIRST]
    assert api.post("callJob/getReport", {"phones": [A]}).json[0]["callJobId"] == FIRST
    assert api.post("callJob/cancel", {"ids": [FIRST]}).json["type"] == "id.not.found"
    assert api.add(A, key="k").json == [SECOND]
    api.wait(HOUR_S * 2)
    said = api.box.verdict()
    assert (said["ok"], said["jobs"], said["jobs_operator"]) == (True, 2, 1)
    assert [job.operator for job in api.box.jobs()] == [True, False]


def test_a_job_of_an_operator_forgives_no_duplicate(api: Way) -> None:
    """The rule for duplicates looks at what came through the API."""
    api.turn(duplicate_hours=24)
    api.box.call_by_hand([{"phone": A}])
    assert len(api.add(A).json) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"campaign": 7, "jobs": []},
        {"campaign": 1001, "jobs": [{"phone": "1"}]},
        {"campaign": 1001, "jobs": "all"},
    ],
)
def test_an_operator_cannot_do_everything(wrong: dict[str, Any]) -> None:
    """Unknown campaigns and bad lists are a 400 of the control plane."""
    with way_to("http") as api:
        assert api.hand("operator", wrong) is None
        assert made(api) == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("knobs", []),
        ("knobs", None),
        ("tokens", {"campaign": 1001}),
        ("tokens", {"campaign": 1001, "tokens": "1.2.x"}),
        ("tokens", {"campaign": 1001, "tokens": [1]}),
        ("tokens", None),
        ("operator", {"campaign": 1001, "jobs": [], "token": "x"}),
        ("operator", []),
    ],
)
def test_the_control_plane_refuses_other_shapes(path: str, body: Any) -> None:
    """400, and nothing has changed."""
    with way_to("http") as api:
        assert api.hand(path, body) is None
        assert api.add(A).status == 200


def test_the_control_plane_shows_knobs_and_no_token() -> None:
    """GET tells what POST set."""
    with way_to("http", key_hours=3) as api:
        shown = api.ask("GET", "/_sandbox/knobs", b"", {}).json
        assert shown == Knobs(key_hours=3).public()
        told = api.hand("tokens", {"campaign": 1001, "tokens": ["9.9.secret"]})
        assert "secret" not in str(told)
