"""Faults on demand: a queue of lies and breakdowns for the next requests.

Owns the table of faults, their fields and their queue. What they do to an answer is in `spoil`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from threading import Lock
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

Work = Literal["done", "not done", "always done", "never done", "done later"]
JSON: Final = "application/json"
_NONE: Final[Mapping[str, object]] = MappingProxyType({})
_LOST: Final = "the connection is closed after `seconds` (0), without one byte of answer"
_AT_ONCE: Final = {"seconds": 0}
_MB: Final = {"megabytes": 50}
_SCRIPT: Final = {"type": "bad.request", "message": "refused by the script"}


class Answer(NamedTuple):
    """An HTTP answer before a fault gets at it."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


class Kind(NamedTuple):
    """A row of the table of faults: what becomes of the request, and the fields with defaults.

    `done` of a fault turns "done" and "not done" round; the other words are final.
    """

    work: Work
    meaning: str
    takes: Mapping[str, object] = _NONE


KINDS: Final[dict[str, Kind]] = {
    "request_lost": Kind("never done", _LOST, _AT_ONCE),
    "answer_lost": Kind("done", _LOST, _AT_ONCE),
    "late": Kind(
        "done later",
        "the connection is closed after `seconds` (0); the request is carried out "
        "`delay_seconds` (60) of virtual time later",
        {"seconds": 0, "delay_seconds": 60},
    ),
    "reset": Kind("not done", "the connection is reset (RST)"),
    "keep_alive_closed": Kind(
        "never done",
        "a connection that was used before is reset as the request arrives on it; the first "
        "request of a connection is let pass",
    ),
    "reset_mid_answer": Kind(
        "always done", "Content-Length of the whole body, half of it, then RST"
    ),
    "truncated": Kind("always done", "Content-Length of the whole body, half of it, then close"),
    "half_json": Kind("always done", "the first half of the body, as if it were whole"),
    "slow": Kind(
        "always done", "the answer trickles in over `seconds` (5), in ten parts", {"seconds": 5}
    ),
    "trickled": Kind("always done", "one byte every `seconds` (0.2)", {"seconds": 0.2}),
    "http_500": Kind("not done", "500 with a JSON body"),
    "http_500_after": Kind("always done", "the work is done, then 500 with a JSON body"),
    "http_429": Kind(
        "not done",
        "429 with Retry-After: `retry_after` seconds (1), or any text",
        {"retry_after": 1},
    ),
    "http_503": Kind(
        "not done",
        "503 with Retry-After: `retry_after` seconds (1), or any text",
        {"retry_after": 1},
    ),
    "html_502": Kind("not done", "502 with an HTML page, as a proxy makes it"),
    "http_400_unreadable": Kind("not done", "400 with a JSON body that breaks off"),
    "redirect": Kind(
        "not done",
        "`status` (307) with the same path at `location` (a host that does not exist)",
        {"status": 307, "location": "http://elsewhere.invalid"},
    ),
    "empty_200": Kind("done", "200 with an empty body"),
    "html_200": Kind("done", "200 with an HTML page, as a captive portal makes it"),
    "null_200": Kind("done", "200 with `null`"),
    "list_200": Kind("done", "200 with `[]`"),
    "short_answer": Kind("always done", "the first item of the answered list is left out"),
    "long_answer": Kind("always done", "one more item than there should be: an ID of no job"),
    "double_answer": Kind("always done", "the first item stands in the place of the last one too"),
    "reversed_answer": Kind("always done", "the answered list comes back to front"),
    "worded_ids": Kind("always done", "the IDs are words: `job-` and the number"),
    "huge_ids": Kind("always done", "the IDs are JSON numbers of more than 64 bits"),
    "gzip_bomb": Kind(
        "done", "200 with a small gzip body that unpacks to `megabytes` (50)", _MB
    ),
    "huge_answer": Kind("done", "200 with `megabytes` (50) of blanks before the body", _MB),
    "page_shifted": Kind(
        "always done",
        "`rows` (1) have come before a page after the first: its first rows were on the page "
        "before; negative: they have gone, and rows are never seen",
        {"rows": 1},
    ),
    "page_repeated": Kind("always done", "a page after the first is the page before once more"),
    "refused": Kind(
        "never done",
        "the check of the request ends in `status` (400) with the JSON object `error`",
        {"status": 400, "error": _SCRIPT},
    ),
    "answer": Kind(
        "not done",
        "`status` (200), `body` (text, or a JSON value), `content_type`, and `headers`",
        {"status": 200, "body": "", "content_type": JSON, "headers": {}},
    ),
}  # fmt: skip


@dataclass(slots=True)
class Fault:
    """For `count` requests whose path has `path` and whose body has `where`, after `skip` of them.

    `count` None: for ever. The fields below `done` are those of some kinds only; None takes the
    default of the kind. Raises ValueError for a field that the kind does not take.
    """

    name: str
    count: int | None = 1
    path: str = ""
    where: str = ""
    skip: int = 0
    done: bool | None = None
    seconds: float | None = None
    delay_seconds: float | None = None
    retry_after: float | str | None = None
    megabytes: float | None = None
    rows: int | None = None
    status: int | None = None
    location: str | None = None
    error: dict[str, Any] | None = None
    body: Any = None
    content_type: str | None = None
    headers: dict[str, str] | None = None

    def __post_init__(self) -> None:
        kind = KINDS.get(self.name)
        if kind is None:
            raise ValueError(f"unknown fault; known: {', '.join(KINDS)}")
        if self.done is not None and kind.work not in {"done", "not done"}:
            raise ValueError(f"the work of {self.name} is {kind.work}: leave out done")
        if self.done is None:
            self.done = kind.work in {"done", "always done"}
        for name in _SOME:
            if getattr(self, name) is None:
                setattr(self, name, kind.takes.get(name))
            elif name not in kind.takes:
                raise ValueError(f"{self.name} takes no {name}")
        self._check()

    def fits(self, path: str, body: bytes, *, reused: bool) -> bool:
        """Whether it is meant for such a request; `reused`: the connection was used before."""
        if self.name == "keep_alive_closed" and not reused:
            return False
        return self.path in path and self.where.encode() in body

    def public(self) -> dict[str, object]:
        """As `GET /_sandbox/faults` shows it: what all faults have, and what this one takes."""
        some = {name: getattr(self, name) for name in KINDS[self.name].takes}
        return {name: getattr(self, name) for name in _ALL} | some

    def _check(self) -> None:
        counts = (self.count is None or self.count >= 1) and self.skip >= 0
        amounts = (self.seconds, self.delay_seconds, self.megabytes)
        if not counts or any(amount is not None and amount < 0 for amount in amounts):
            raise ValueError("count must be 1 or more; skip, seconds and megabytes 0 or more")
        if self.status is not None and not 200 <= self.status <= 599:  # noqa: PLR2004 - statuses of an answer
            raise ValueError("status must be 200 to 599")
        texts = (self.retry_after, self.location, self.content_type)
        headers = [text for pair in (self.headers or {}).items() for text in pair]
        for text in (*texts, *headers):
            if isinstance(text, str) and not (text.isascii() and text.isprintable()):
                raise ValueError("a header must be printable ASCII text")


_ALL: Final = ("name", "count", "path", "where", "skip", "done")
_SOME: Final = tuple(field.name for field in fields(Fault) if field.name not in _ALL)
_NUMBER: Final = (int, float)
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "name": (str,), "count": (int, type(None)), "path": (str,), "where": (str,), "skip": (int,),
    "done": (bool,), "seconds": _NUMBER, "delay_seconds": _NUMBER, "retry_after": (*_NUMBER, str),
    "megabytes": _NUMBER, "rows": (int,), "status": (int,), "location": (str,), "error": (dict,),
    "body": (object,), "content_type": (str,), "headers": (dict,),
}  # fmt: skip


def read_fault(item: object) -> Fault:
    """A fault from JSON; ValueError says what is wrong."""
    if not isinstance(item, dict) or "name" not in item:
        raise ValueError("a fault is an object with a name")
    for name, value in item.items():
        kinds = _TYPES.get(name)
        if kinds is None:
            raise ValueError(f"unknown field of a fault; known: {', '.join(_TYPES)}")
        if not isinstance(value, kinds) or (
            isinstance(value, bool) and not {bool, object} & set(kinds)
        ):
            raise ValueError(f"{name} has a wrong type")
    if not all(isinstance(value, str) for value in (item.get("headers") or {}).values()):
        raise ValueError("headers must be texts")
    return Fault(**item)


class FaultQueue:
    """Faults in the order in which they were asked for; the first that fits is applied."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = Lock()

    def add(self, *faults: Fault) -> None:
        """Queues faults behind those that wait."""
        with self._lock:
            self._faults.extend(faults)

    def take(self, path: str, body: bytes = b"", *, reused: bool = False) -> Fault | None:
        """The fault for a request to this (masked) path, counted down."""
        with self._lock:
            for fault in self._faults:
                if not fault.fits(path, body, reused=reused):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.count is not None:
                    fault.count -= 1
                    if not fault.count:
                        self._faults.remove(fault)
                return fault
            return None

    def clear(self) -> None:
        """Drops what waits."""
        with self._lock:
            self._faults.clear()

    def waiting(self) -> list[dict[str, object]]:
        """What is still to come."""
        with self._lock:
            return [fault.public() for fault in self._faults]
