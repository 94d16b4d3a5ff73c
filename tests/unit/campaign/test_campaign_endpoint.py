"""Where a campaign is: which addresses and tokens are taken, and how they become a URL."""

from __future__ import annotations

import pytest

from syncd.campaign.endpoint import Endpoint
from syncd.errors import ConfigError

SECRET = "canary-1.2.3"


def endpoint(base_url: str, token: str = "1.2.x", *, insecure: bool = False) -> Endpoint:
    return Endpoint(base_url, token, where='campaign "w"', allow_insecure=insecure)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://app.aimylogic.com", "https://app.aimylogic.com/x/1.2.x/y"),
        ("https://app.aimylogic.com/", "https://app.aimylogic.com/x/1.2.x/y"),
        (" https://host.example:8443/bots/ ", "https://host.example:8443/bots/x/1.2.x/y"),
        ("HTTPS://Host.Example", "https://host.example/x/1.2.x/y"),
        ("http://localhost:8642", "http://localhost:8642/x/1.2.x/y"),
        ("http://127.8.9.1", "http://127.8.9.1/x/1.2.x/y"),
        ("http://[::1]:8642", "http://[::1]:8642/x/1.2.x/y"),
    ],
)
def test_addresses_that_are_taken(base_url: str, expected: str) -> None:
    """TLS to anywhere, http to this machine only, a path in front if need be."""
    assert endpoint(base_url).url("/x/{token}/y", {}) == expected


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "app.aimylogic.com",
        "ftp://app.aimylogic.com",
        "https://",
        "https:///x",
        "https://user:pw@app.aimylogic.com",
        "https://app.aimylogic.com?x=1",
        "https://app.aimylogic.com?",
        "https://app.aimylogic.com/#x",
        f"https://app.aimylogic.com/api/calls/campaign/{SECRET}",
        "https://app.aimylogic.com/api/",
        "https://host:port",
        "https://a\nb",
        "http://[::1",
    ],
)
def test_addresses_that_are_no_address(base_url: str) -> None:
    """Refused without repeating them: people paste the whole URL, token and all."""
    with pytest.raises(ConfigError) as caught:
        endpoint(base_url)
    assert SECRET not in f"{caught.value!r} {caught.value} {caught.value.hint}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    "base_url",
    [
        "http://app.aimylogic.com",
        "http://localhost.evil.example",
        "http://10.0.0.1",
        "http://0.0.0.0",
    ],
)
def test_http_to_another_machine_needs_to_be_allowed(base_url: str) -> None:
    """The token would cross the network unencrypted."""
    with pytest.raises(ConfigError, match="unencrypted"):
        endpoint(base_url)
    assert endpoint(base_url, insecure=True).url("/", {}) == f"{base_url}/"


@pytest.mark.parametrize("token", ["", ".", "..", " ", "a b\n", " a", "a\t", "a\x00b"])
def test_tokens_that_are_none(token: str) -> None:
    """Empty, dots that are another path, or the line end of a file."""
    with pytest.raises(ConfigError, match="the token is empty or holds characters"):
        endpoint("https://h.example", token)


@pytest.mark.parametrize(
    ("token", "quoted"),
    [("a/../b", "a%2F..%2Fb"), ("a%2F", "a%252F"), ("a?b#c", "a%3Fb%23c"), ("é", "%C3%A9")],
)
def test_a_token_stays_one_segment(token: str, quoted: str) -> None:
    """Whatever is in it."""
    assert (
        endpoint("https://h.example", token).url("/{token}/", {}) == f"https://h.example/{quoted}/"
    )


def test_a_query_is_encoded() -> None:
    """A plus is %2B, a space %20."""
    url = endpoint("https://h.example").url("/", {"gmtZone": "+03:00", "q": "a b&c"})
    assert url == "https://h.example/?gmtZone=%2B03:00&q=a%20b%26c"


def test_an_error_body_is_scrubbed() -> None:
    """Servers say which path they did not find: raw, encoded, or with escaped slashes."""
    token = "canary/1.2.3"
    where = endpoint("https://h.example", token)
    body = rb'{"path": "/x/canary%2F1.2.3/y", "a": "canary/1.2.3", "b": "canary\/1.2.3"}'
    assert b"1.2.3" not in where.scrub(body)
    assert where.scrub(b"nothing") == b"nothing"


def test_a_short_token_is_not_scrubbed() -> None:
    """It may stand in an id or a phone by chance."""
    assert endpoint("https://h.example", "12").scrub(b"12125550100") == b"12125550100"


def test_an_endpoint_shows_nothing() -> None:
    """Neither host nor token."""
    assert repr(endpoint("https://h.example", SECRET)) == "Endpoint(…)"
