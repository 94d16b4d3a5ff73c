"""Where a campaign is: host and token, checked once, joined to a URL at the last moment.

The token is the only credential and a part of the path: whoever reads the URL can place calls
(Calls API, "Hosts and access"). Must never print, compare in a message or give away either.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import httpx

from syncd.errors import ConfigError

#: A shorter token may stand in an answer by chance, as a part of an id or a phone.
_SCRUB_CHARS_MIN = 8
_MASK = b"***"


class Endpoint:
    """One campaign at one host. `base_url` may have a path in front of /api, and nothing else."""

    __slots__ = ("_base", "_secrets", "_token")

    def __init__(self, base_url: str, token: str, *, where: str, allow_insecure: bool) -> None:
        self._base = _check_base(base_url, where=where, allow_insecure=allow_insecure)
        self._token = quote(_check_token(token, where=where), safe="")
        raw = {token, self._token, token.replace("/", "\\/")}
        self._secrets = tuple(each.encode() for each in raw if len(token) >= _SCRUB_CHARS_MIN)

    @property
    def is_tls(self) -> bool:
        return self._base.startswith("https:")

    def url(self, path: str, query: Mapping[str, str]) -> str:
        """The whole URL of a path that holds `{token}`; a `+` of a value becomes %2B."""
        joined = f"{self._base}{path.replace('{token}', self._token)}"
        return f"{joined}?{urlencode(query, quote_via=quote, safe=':')}" if query else joined

    def scrub(self, body: bytes) -> bytes:
        """An error body without the token: servers like to say which path they did not find."""
        for secret in self._secrets:
            body = body.replace(secret, _MASK)
        return body

    def __repr__(self) -> str:
        return "Endpoint(…)"


def _check_base(base_url: str, *, where: str, allow_insecure: bool) -> str:
    try:
        url = httpx.URL(base_url.strip())
    except (httpx.InvalidURL, ValueError, TypeError):
        url = httpx.URL()
    hint = 'give scheme and host only, such as "https://app.aimylogic.com"'
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigError("base_url is no http or https address", where=where, hint=hint)
    if url.userinfo or url.query or url.fragment or "?" in base_url or "#" in base_url:
        raise ConfigError("base_url holds more than an address", where=where, hint=hint)
    if "/api/" in f"{url.path}/":
        raise ConfigError("base_url holds a path of the API", where=where, hint=hint)
    if url.scheme == "http" and not allow_insecure and not _is_loopback(url.host):
        raise ConfigError(
            "base_url is http, and the token would cross the network unencrypted",
            where=where,
            hint="use https, or allow_insecure for a trusted network",
        )
    return str(url).rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_token(token: str, *, where: str) -> str:
    # A dot is not quoted, and a path segment of dots would be another path.
    if not token.strip(".") or not token.isprintable() or token != token.strip():
        raise ConfigError(
            "the token is empty or holds characters that no token has",
            where=where,
            hint="copy it from the campaign's page, without spaces or line ends",
        )
    return token
