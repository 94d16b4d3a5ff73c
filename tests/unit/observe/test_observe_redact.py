"""No token, URL or phone gets through, and an ID stays readable."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.observe.redact import MASK, Redactor

SECRET = '12.34.a/B+c"d\\é z'
PHONE = "447700900123"
MASKED = "+4477***0123"


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        quote(SECRET, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(SECRET)[1:-1].replace("/", "\\/"),
        repr(SECRET)[1:-1],
    ],
)
def test_a_secret_is_masked_in_every_spelling(spelling: str) -> None:
    """Raw, in URLs, in JSON, in a repr."""
    assert Redactor([SECRET]).text(f"a {spelling} b") in {
        f"a {MASK} b",
        f"a {spelling} b".replace(spelling, MASK),
    }
    assert spelling not in Redactor([SECRET]).text(f"a {spelling} b")


@given(st.text(min_size=4, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_no_secret_survives(secret: str, before: str, after: str) -> None:
    """Whatever stands around it."""
    assert secret not in Redactor([secret]).secrets(before + secret + after).replace(MASK, "\0")


def test_secrets_can_be_added_later_and_short_ones_are_words() -> None:
    """A "secret" of three characters would mask half of each line."""
    redactor = Redactor()
    assert redactor.text("abcd abc") == "abcd abc"
    redactor.add("abcd", "abc")
    assert redactor.text("abcd abc") == f"{MASK} abc"
    redactor.add()
    assert redactor.text("abcd") == MASK


def test_the_longer_of_two_secrets_is_masked_whole() -> None:
    """No tail of a secret stays behind because a part of it is a secret too."""
    assert Redactor(["secret", "secret-long"]).text("secret-long") == MASK


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            "https://h/api/calls/campaign/1.2.x/addPhones",
            f"https://h/api/calls/campaign/{MASK}/addPhones",
        ),
        ("/api/crmCalls/campaign/1.2.x?phone=1", f"/api/crmCalls/campaign/{MASK}?phone=1"),
        ("/api/calls/campaign/1.2.x", f"/api/calls/campaign/{MASK}"),
        (r"\/campaign\/1.2.x\/status", rf"\/campaign\/{MASK}\/status"),
        ("u=%2Fcampaign%2F1.2.x%2Fstatus", f"u=%2Fcampaign%2F{MASK}%2Fstatus"),
        ('"/campaign/1.2.x"', f'"/campaign/{MASK}"'),
        ("the campaign welcome", "the campaign welcome"),
    ],
)
def test_the_segment_after_campaign_is_masked(text: str, masked: str) -> None:
    """Also of a token that was never registered."""
    assert Redactor().text(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"call {PHONE} now", f"call {MASKED} now"),
        (f"call +{PHONE} now", f"call {MASKED} now"),
        ("call +44 7700 900-123 now", f"call {MASKED} now"),
        ("call +1 (212) 555-0100.", "call +1212***0100."),
        ("job 5665334669", "job 5665334669"),
        ("at 2026-11-21T21:02:43+00:00", "at 2026-11-21T21:02:43+00:00"),
        ("digest ab447700900123cd", "digest ab447700900123cd"),
        ("took 0.447700900123 s", "took 0.447700900123 s"),
        ("1234567890123456", "1234567890123456"),
    ],
)
def test_phones_in_free_text_are_masked(text: str, masked: str) -> None:
    """A "+" and 10 to 15 digits, or 11 to 15 digits that stand alone; a job's ID stays."""
    assert Redactor().text(text) == masked


@pytest.mark.parametrize(
    ("key", "value", "masked"),
    [
        ("phone", PHONE, MASKED),
        ("phone", int(PHONE), MASKED),
        ("phone", "2125550100", "***00"),
        ("phone", "none", "none"),
        ("phones", [PHONE, int(PHONE)], [MASKED, MASKED]),
        ("phones", {"first": PHONE}, {"first": MASKED}),
        ("phones", 500, 500),
        ("phone_number", PHONE, MASKED),
        ("customer_phone", PHONE, MASKED),
        ("phonesDuplicates", (PHONE,), [MASKED]),
        ("callJobId", "447700900123", "447700900123"),
        ("ids", ["5665334669", "447700900123"], ["5665334669", "447700900123"]),
        ("job_id", 447700900123, 447700900123),
        ("created_at", 1691006924166, 1691006924166),
        ("finishedAt", 1691006924166, 1691006924166),
        ("lead", int(PHONE), MASKED),
        ("key", PHONE, MASKED),
        ("token", "x", MASK),
        ("token", None, None),
        ("api_key", 5, MASK),
        ("jobs", 500, 500),
        ("ok", True, True),
        ("rate", 447700900123.5, 447700900123.5),
        ("nothing", None, None),
        ("error", ValueError(f"bad {PHONE}"), f"bad {MASKED}"),
        ("where", {"a": [{"phone": PHONE, "n": 1}]}, {"a": [{"phone": MASKED, "n": 1}]}),
        ("map", {PHONE: 1}, {MASKED: 1}),
    ],
)
def test_a_field_is_masked_as_its_key_permits(key: str, value: object, masked: object) -> None:
    """Phones by key, secrets by key, IDs and counts as they are."""
    assert Redactor().event(None, "info", {key: value}) == {key: masked}


def test_an_endless_value_ends() -> None:
    """A structure that holds itself cannot stop the log."""
    loop: list[object] = []
    loop.append(loop)
    assert "…" in repr(Redactor().value("x", loop))
