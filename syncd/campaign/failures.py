"""What a broken exchange means: exceptions of httpx to words, and whether bytes may have left.

Must never use the text of an exception: it may hold the URL, and with it the token.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Mapping

import httpx

#: Every exception of httpx: what it means, and whether bytes may have gone out. A test compares
#: this table with httpx, so that an upgrade which adds one is seen.
MEANINGS: Mapping[type[Exception], tuple[str, bool]] = {
    httpx.ConnectError: ("no connection", False),
    httpx.ConnectTimeout: ("no connection in time", False),
    httpx.PoolTimeout: ("no free connection in time", False),
    httpx.UnsupportedProtocol: ("a protocol that is not spoken", False),
    httpx.InvalidURL: ("an address that cannot be", False),
    httpx.ReadTimeout: ("no answer in time", True),
    httpx.WriteTimeout: ("the request was not taken in time", True),
    httpx.ReadError: ("the connection broke before the answer", True),
    httpx.WriteError: ("the connection broke while sending", True),
    httpx.CloseError: ("the connection broke at its end", True),
    httpx.NetworkError: ("the network failed", True),
    httpx.TimeoutException: ("a timeout", True),
    httpx.RemoteProtocolError: ("the connection was closed, or no HTTP came back", True),
    httpx.LocalProtocolError: ("the request is no HTTP", True),
    httpx.ProtocolError: ("the answer is no HTTP", True),
    httpx.ProxyError: ("a proxy failed", True),
    httpx.TransportError: ("the exchange failed", True),
    httpx.DecodingError: ("the answer cannot be unpacked", True),
    httpx.TooManyRedirects: ("too many redirects", True),
    httpx.RequestError: ("the request failed", True),
    httpx.HTTPStatusError: ("an error status", True),
    httpx.HTTPError: ("HTTP failed", True),
    httpx.StreamConsumed: ("the answer was read twice", True),
    httpx.StreamClosed: ("the answer was closed too early", True),
    httpx.ResponseNotRead: ("the answer was not read", True),
    httpx.RequestNotRead: ("the request was not read", True),
    httpx.StreamError: ("the answer could not be read", True),
    httpx.CookieConflict: ("two cookies of one name", True),
}


def explain(error: Exception) -> tuple[str, bool]:
    """What happened, in words, and whether bytes may have left; an unknown one may have."""
    if isinstance(error, httpx.ConnectError):
        return _why_no_connection(error), MEANINGS[httpx.ConnectError][1]
    known = next((MEANINGS[each] for each in type(error).__mro__ if each in MEANINGS), None)
    return known or (f"an unexpected {type(error).__name__}", True)


def _why_no_connection(error: BaseException) -> str:
    """In words, from the cause and not from its text: that may name the host."""
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case ssl.SSLCertVerificationError():
                return "the server's certificate is not trusted"
            case ssl.SSLError():
                return "TLS could not be agreed on"
            case socket.gaierror():
                return "the host name is not known"
            case OSError(errno=int(number)):
                return f"no connection ({errno.errorcode.get(number, 'unknown error')})"
            case _:
                pass
        cause = cause.__cause__ or cause.__context__
    return "no connection"
