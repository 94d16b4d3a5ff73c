"""Downloads one file over https, with bounds on its size, its time and its redirects.

Must never let out a URL: messages name the host. What came is not judged here; a page of an error
is told from a file by whoever reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from syncd import __version__
from syncd.campaign.bounded import ACCEPT_ENCODING, Flaw, read_body
from syncd.campaign.deadline import Deadline, DeadlineTransport
from syncd.campaign.failures import explain
from syncd.campaign.trust import trust
from syncd.clock import Clock
from syncd.errors import ConfigError, Transient

#: The largest file of the registry has some 30 MB.
BYTES_MAX: Final = 128 * 1024 * 1024
REDIRECTS_MAX: Final = 3
_TIMEOUTS: Final = {"connect": 10.0, "write": 30.0, "read": 30.0, "pool": 10.0}
_TOTAL_S: Final = 300.0
_BY_HAND = "or download the file in a browser, and import the file"
_HINT = (
    "a certificate of the Russian state authority needs its root certificate (--ca-file ROOT.pem),"
    f" {_BY_HAND}"
)


def is_url(name: str) -> bool:
    """Whether `name` is an address and not a file."""
    return "://" in name


def name_of(url: str) -> str:
    """The last part of the address's path: what a file would be called."""
    return _parsed(url).path.rpartition("/")[2] or _parsed(url).host


class Downloads:
    """The connections of some downloads; `transport` stands in for the network in tests."""

    def __init__(
        self,
        clock: Clock,
        *,
        ca_file: Path | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Raises ConfigError when `ca_file` is no file of certificates."""
        self._deadline = Deadline(clock)
        self._httpx = transport or DeadlineTransport(
            self._deadline, trust=trust(ca_file), limits=httpx.Limits()
        )

    def close(self) -> None:
        """Close the connections."""
        self._httpx.close()

    def fetch(self, url: str) -> bytes:
        """The body behind `url`, after at most three redirects.

        Raises:
            Transient: no whole answer; nothing was done, and later it may work.
            ConfigError: the address is no https, or leads nowhere.
        """
        at = _parsed(url)
        with self._deadline.after(_TOTAL_S):
            for _ in range(REDIRECTS_MAX + 1):
                found = self._ask(at)
                if isinstance(found, bytes):
                    return found
                at = _redirected(at, found)
        raise ConfigError("it redirects too often", where=at.host, hint=_BY_HAND)

    def _ask(self, url: httpx.URL) -> bytes | str:
        """The body, or where a redirect points to."""
        with self._answer(url) as response:
            if response.has_redirect_location:
                return response.headers["Location"]
            if not response.is_success:
                raise _status(response.status_code, url.host)
            stream = response.stream
            assert isinstance(stream, httpx.SyncByteStream)
            try:
                return read_body(
                    iter(stream),
                    encoding=response.headers.get("Content-Encoding", ""),
                    is_late=self._deadline.is_over,
                    limit=BYTES_MAX,
                )
            except Flaw as flaw:
                raise Transient(f"the file is {flaw}", where=url.host, hint=_BY_HAND) from None

    @contextmanager
    def _answer(self, url: httpx.URL) -> Iterator[httpx.Response]:
        request = httpx.Request(
            "GET",
            url,
            headers={"Accept-Encoding": ACCEPT_ENCODING, "User-Agent": f"syncd/{__version__}"},
            extensions={"timeout": _TIMEOUTS},
        )
        try:
            response = self._httpx.handle_request(request)
            try:
                yield response
            finally:
                response.close()
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            what = f"it cannot be downloaded: {explain(error)[0]}"
            raise Transient(what, where=url.host, hint=_HINT) from None


def _parsed(url: str) -> httpx.URL:
    return _redirected(httpx.URL(), url)


def _redirected(at: httpx.URL, to: str) -> httpx.URL:
    """The address that `to` means on a page of `at`; ConfigError unless it is plain https."""
    try:
        url = at.join(to)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme != "https" or not url.host or url.userinfo:
        raise ConfigError(
            "only plain https addresses are downloaded from",
            where=at.host or url.host,
            hint=_BY_HAND.removeprefix("or "),
        )
    return url


def _status(status: int, host: str) -> ConfigError | Transient:
    what = f"it cannot be downloaded: the server answered {status}"
    if httpx.codes.is_server_error(status) or status == httpx.codes.TOO_MANY_REQUESTS:
        return Transient(what, where=host, hint=_BY_HAND.removeprefix("or "))
    return ConfigError(what, where=host, hint=f"check the address, {_BY_HAND}")
