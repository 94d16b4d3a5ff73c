"""The rules of an addPhones batch, one bad value at a time."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from syncd.sandbox.refusals import RefusalError
from syncd.sandbox.settings import SettingsCache, week
from syncd.sandbox.validate import Draft, phone_digits, read_batch

PHONE = "12125550100"
NINE_TO_SIX = {"localTimeFrom": "09:00", "localTimeTo": "18:00"}
LATE = {"localTimeFrom": "18:00", "localTimeTo": "21:00"}


def read(*items: Any) -> list[Draft]:
    """The drafts of a batch."""
    return read_batch(orjson.dumps(list(items)), SettingsCache())


def refused(*items: Any) -> dict[str, object]:
    """The body of the refusal of a batch."""
    with pytest.raises(RefusalError) as caught:
        read(*items)
    assert caught.value.status == 400
    assert isinstance(caught.value.body["message"], str)
    return {name: value for name, value in caught.value.body.items() if name != "message"}


@pytest.mark.parametrize(
    "phone",
    [
        "12125550100",
        "+12125550199",
        12125550190,
        "447700900123",
        "442079460958",
        "61491570006",
        "79161234567",
        "33199004321",
        "4930231250",
        "819012345678",
        "972501234567",
    ],
)
def test_phones_of_many_countries_are_taken(phone: object) -> None:
    """Text with or without a plus and JSON numbers are taken; the digits are kept."""
    assert read({"phone": phone})[0].phone == str(phone).removeprefix("+")


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "123456",
        "1234567890123456",
        "8 (912) 000-00-00",
        "+7916123456",
        "1212555010",
        "0201234567",
        "abc",
        "\uff11\uff12125550100",
        True,
        12.5,
        ["1"],
    ],
)
def test_a_bad_phone_is_named(phone: object) -> None:
    """`phone.bad.format` names the phone as it was sent, when it was a text or a number."""
    error = refused({"phone": PHONE}, {"phone": phone})
    assert error["type"] == "phone.bad.format"
    assert error["phone"] == (phone if isinstance(phone, str) else "")


@pytest.mark.parametrize(
    "job",
    [
        {"payload": {"name": "A"}},
        {"phone": None},
        {"phone": PHONE, "payload": ["a"]},
        {"phone": PHONE, "payload": "a"},
        {"phone": PHONE, "allowedDays": []},
        {"phone": PHONE, "allowedDays": ["monday"]},
        {"phone": PHONE, "allowedDays": [["mon"]]},
        {"phone": PHONE, "allowedDays": "mon"},
        {"phone": PHONE, "maxAttempts": 51},
        {"phone": PHONE, "maxAttempts": -1},
        {"phone": PHONE, "maxAttempts": "3"},
        {"phone": PHONE, "maxAttempts": True},
        {"phone": PHONE, "retryIntervalInMinutes": 0},
        {"phone": PHONE, "retryIntervalInMinutes": 2881},
        {"phone": PHONE, "startDateTime": "2026-11-23T00:00:00"},
        {"phone": PHONE, "startDateTime": "tomorrow"},
        {"phone": PHONE, "startDateTime": "2026-02-30T00:00:00Z"},
        {"phone": PHONE, "finishDateTime": 1700000000000},
        {
            "phone": PHONE,
            "startDateTime": "2026-11-23T00:00:00Z",
            "finishDateTime": "2026-11-23T00:00:00Z",
        },
        {"phone": PHONE, "externalCheck": {}},
        {"phone": PHONE, "externalCheck": "http"},
        ["phone"],
        "12125550100",
        None,
    ],
)
def test_what_has_no_type_of_its_own_is_a_bad_request(job: object) -> None:
    """Everything that the error table does not name is refused as `bad.request`."""
    assert refused(job) == {"type": "bad.request"}


@pytest.mark.parametrize("body", [b"", b"{", b'{"phone": "1"}', b"null", b'"x"'])
def test_a_body_that_is_no_list_is_refused(body: bytes) -> None:
    """The body must be a JSON array."""
    with pytest.raises(RefusalError) as caught:
        read_batch(body, SettingsCache())
    assert caught.value.body["type"] == "bad.request"


@pytest.mark.parametrize("zone", ["Mars/Phobos", "+3:30", "MSK", " 03:00", 3, ["UTC"]])
def test_a_bad_zone_is_named_with_its_phone(zone: object) -> None:
    """`phone.gmtZone.bad.format` names phone and zone."""
    assert refused({"phone": PHONE, "gmtZone": zone}) == {
        "type": "phone.gmtZone.bad.format",
        "phone": PHONE,
        "gmtZone": zone,
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"allowedTime": {"mon": []}},
        {"allowedTime": {"mon": NINE_TO_SIX}},
        {"allowedTime": {"monday": [NINE_TO_SIX]}},
        {"allowedTime": [NINE_TO_SIX]},
        {"allowedTime": {"mon": [{"localTimeFrom": "09:00"}]}},
        {"allowedTime": {"mon": ["09:00"]}},
        {"allowedTime": {"mon": [{"localTimeFrom": "9:00", "localTimeTo": "18:00"}]}},
        {"allowedTime": {"mon": [{"localTimeFrom": "09:00", "localTimeTo": "24:00"}]}},
        {"allowedTime": {"mon": [{"localTimeFrom": "18:00", "localTimeTo": "09:00"}]}},
        {"allowedTime": {"mon": [{"localTimeFrom": "09:00", "localTimeTo": "09:00"}]}},
        {"allowedTime": {"mon": [LATE, {"localTimeFrom": "09:00", "localTimeTo": "18:01"}]}},
        {"localTimeFrom": "09:00"},
        {"localTimeTo": "18:00"},
    ],
)
def test_bad_hours_name_no_phone(fields: dict[str, object]) -> None:
    """`invalid.call.allowed.time` has no extra field, as in the contract."""
    assert refused({"phone": PHONE, **fields}) == {"type": "invalid.call.allowed.time"}


@pytest.mark.parametrize("priority", [0, 6, "1", 1.0, True])
def test_a_bad_priority_is_refused(priority: object) -> None:
    """`invalid.dialer_priority` for all but 1 to 5."""
    assert refused({"phone": PHONE, "dialerPriority": priority}) == {
        "type": "invalid.dialer_priority"
    }


def test_repeats_in_a_batch_are_all_named() -> None:
    """`phone.duplicated` lists each repeated phone once, however it was written."""
    twice = "447700900000"
    assert refused(
        {"phone": PHONE}, {"phone": twice}, {"phone": f"+{PHONE}"}, {"phone": twice}
    ) == {
        "type": "phone.duplicated",
        "phone": PHONE,
        "phonesDuplicates": [PHONE, twice],
    }


def test_the_vendors_own_examples_are_taken() -> None:
    """A numeric phone, maxAttempts 0 and the deprecated pair of times are no errors."""
    draft = read(
        {
            "phone": 12125550100,
            "payload": {"name": "A"},
            "startDateTime": "2020-03-23T00:00:00Z",
            "finishDateTime": "2020-03-24T00:00:00.000+03:00",
            "allowedDays": ["mon", "tue"],
            "localTimeFrom": "10:00",
            "localTimeTo": "14:00",
            "retryIntervalInMinutes": 1,
            "maxAttempts": 0,
            "gmtZone": "",
            "dialerPriority": 5,
            "externalCheck": {
                "externalCheckUrl": "https://example.com",
                "externalCheckMaxRetries": 1,
            },
        }
    )[0]
    assert draft.payload == '{"name":"A"}'
    assert draft.settings.max_attempts == 0
    assert draft.settings.hours(PHONE).zone_name == "America/New_York"
    assert not draft.settings.zone_known


def test_null_fields_count_as_absent() -> None:
    """A field that is null is inherited from the campaign."""
    draft = read({"phone": PHONE, "payload": None, "gmtZone": None, "allowedTime": None})[0]
    assert draft.payload is None
    assert draft.settings.hours(PHONE).week is None


def test_unknown_fields_are_taken_and_remembered() -> None:
    """The vendor ignores them; the log of requests can tell of them."""
    assert read({"phone": PHONE, "gmtzone": "UTC"})[0].settings.ignored == ("gmtzone",)


def test_days_and_times_make_a_week() -> None:
    """A listed day uses its own times, others the default, and other days are shut."""
    made = week(
        {"allowedDays": ["mon", "tue"], "allowedTime": {"mon": [LATE, NINE_TO_SIX], "wed": [LATE]}}
    )
    assert made == (((540, 1080), (1080, 1260)), ((0, 1440),), (), (), (), (), ())
    assert week({"allowedTime": {"default": [LATE], "sun": [NINE_TO_SIX]}}) == (
        *(((1080, 1260),),) * 6,
        ((540, 1080),),
    )
    assert week({}) is None


def test_equal_settings_are_one_object() -> None:
    """The cache reads settings once, and starts anew when it is full."""
    cache = SettingsCache()
    first = cache.of({"gmtZone": "UTC"}, PHONE)
    assert cache.of({"gmtZone": "UTC"}, PHONE) is first
    for minutes in range(1, 2881):
        for attempts in range(20):
            cache.of({"retryIntervalInMinutes": minutes, "maxAttempts": attempts}, PHONE)
    assert cache.of({"gmtZone": "UTC"}, PHONE) is not first


def test_a_report_may_ask_for_a_phone_in_any_form() -> None:
    """Digits with a plus and JSON numbers mean the same phone."""
    assert phone_digits(f"+{PHONE}") == phone_digits(int(PHONE)) == PHONE
