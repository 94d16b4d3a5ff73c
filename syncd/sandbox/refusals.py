"""The sandbox's own error answers, in the vendor's exact bodies.

Owns the one exception that becomes an HTTP error. It must never use the client's tree of errors:
this server shares no code with what it tests.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson


class RefusalError(Exception):
    """An HTTP error with its JSON body: `type`, `message` and the extra fields of that type.

    Source: Calls API, Errors of addPhones; Hosts and access.
    """

    def __init__(self, type_: str, message: str, *, status: int = 400, **extra: object) -> None:
        super().__init__(type_)
        self.status = status
        self.body: dict[str, object] = {"type": type_, "message": message, **extra}


class ControlRefusalError(RefusalError):
    """The errors of `control`, which have another body: `error`, `message`, `args`."""

    def __init__(self, error: str, message: str, *args: object) -> None:
        super().__init__(error, message)
        self.body = {"error": error, "message": message, "args": list(args)}


def scripted(body: Mapping[str, object], status: int) -> RefusalError:
    """A refusal with the body that a script wants."""
    refusal = RefusalError("scripted", "", status=status)
    refusal.body = dict(body)
    return refusal


def repeated(status: int, answer: bytes) -> RefusalError:
    """A remembered refusal, given again."""
    return scripted(orjson.loads(answer), status)


def in_progress() -> RefusalError:
    """The first request with this key has not ended."""
    return RefusalError("request.in.progress", "a request with this key is in progress", status=409)


def bad_request(message: str) -> RefusalError:
    """A request that the vendor's documents give no type for."""
    return RefusalError("bad.request", message)
