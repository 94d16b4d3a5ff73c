"""What an answer means: a value, or our error by what has to be done next.

The one place that judges status codes and error bodies; one table for every kind of method. Must
never put the vendor's message, a phone, the URL or the token into a text.

Source: Calls API, "Errors of addPhones", "Methods" and "Hosts and access". The difference that
matters: a method that adds may have placed calls unless the answer says surely that it has not
(`InDoubt`); every other method can be asked again (`Transient`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import TypeVar

from syncd.campaign.rows import Unreadable
from syncd.campaign.transport import Failure, Reply
from syncd.campaign.wire import read_fault
from syncd.errors import Halted, InDoubt, NotFound, Refused, Transient, Unsupported, VendorFault

T = TypeVar("T")

RETRY_AFTER_MIN_S = 1.0
RETRY_AFTER_MAX_S = 3600.0

_OK = 200
_NO_CONTENT = 204
_BAD_REQUEST = 400
_NOT_FOUND = 404
_METHOD_NOT_ALLOWED = 405
_REFUSALS = frozenset({_BAD_REQUEST, 401, 403, _NOT_FOUND, _METHOD_NOT_ALLOWED})
_REDIRECTS = 3  # hundred and something; never followed: that would turn a POST into a GET

#: The content was too large to be looked at. nginx and its likes say so from Content-Length,
#: before anything is passed on, and an origin that says it has not taken the content in
#: (RFC 9110, 15.5.14 and 15.5.15). An answer that is too large fails as 5xx, never as these two.
#: So nothing was added, and a smaller batch may pass: this is a refusal, not a doubt.
_TOO_LARGE = frozenset({413, 414})

_UNKNOWN_TOKEN = "invalid.token"  # noqa: S105 - the name of an error
_STOPPED = "invalid.call.task.state"
_ABSENT = frozenset({"id.not.found", "phone.not.found"})


class Kind(Enum):
    """What asking again would do, and how errors look."""

    ADDING = "adding"  #: addPhones, addPhone: asking again may call people twice
    REPEATABLE = "repeatable"  #: reports, information, cancel: asking again changes nothing
    PAGED = "paged"  #: the same, for a method that an installation may lack
    CONTROL = "control"  #: pause, resume, stop: errors say "error" instead of "type"


class Judge:
    """Judges the answers to one method of one campaign."""

    __slots__ = ("_kind", "_method", "_where")

    def __init__(self, kind: Kind, *, method: str, where: str) -> None:
        self._kind = kind
        self._method = method
        self._where = where

    def value(self, answer: Reply | Failure, read: Callable[[bytes], T], *, now: datetime) -> T:
        """What `read` makes of a good answer; raises what every other one means."""
        if isinstance(answer, Failure):
            raise self._broken(answer)
        wait_s = retry_after_s(answer.retry_after, now=now)
        if answer.flaw:
            raise self._unclear(f"HTTP {answer.status}, body {answer.flaw}", wait_s)
        if not self._is_good(answer.status):
            raise self._bad(answer, wait_s)
        try:
            return read(answer.body)
        except Unreadable as flaw:
            problem = f"HTTP {answer.status}, body unreadable: {flaw}"
        raise self._unclear(problem, wait_s)

    def unsupported(self, why: str) -> Unsupported:
        """This installation lacks the method."""
        return Unsupported(
            f"{self._method}: {why}", where=self._where, hint="reports are asked for by IDs instead"
        )

    def _is_good(self, status: int) -> bool:
        return status == _OK or (status == _NO_CONTENT and self._kind is Kind.CONTROL)

    def _broken(self, failure: Failure) -> Transient | InDoubt:
        if failure.left:
            return self._unclear(failure.kind, None)
        return Transient(
            f"{self._method}: {failure.kind}; nothing was sent",
            where=self._where,
            hint="check the network and the campaign's base_url if this goes on",
        )

    def _unclear(self, problem: str, wait_s: float | None) -> Transient | InDoubt:
        what = f"{self._method}: {problem}"
        if self._kind is Kind.ADDING:
            return InDoubt(
                f"{what}; it may have been carried out",
                where=self._where,
                hint="it is sent again, byte for byte and with the same key, while the key lives",
                retry_after_s=wait_s,
            )
        return Transient(what, where=self._where, hint="tried again later", retry_after_s=wait_s)

    def _bad(self, answer: Reply, wait_s: float | None) -> Exception:
        status = answer.status
        fault = self._fault(answer)
        known = None if fault is None else self._known(status, fault)
        if known is not None:
            return known
        if self._kind is Kind.PAGED and status in {_NOT_FOUND, _METHOD_NOT_ALLOWED}:
            return self.unsupported(f"HTTP {status}")
        if status in _TOO_LARGE:
            return self._refused(VendorFault(type=f"http.{status}"))
        problem = f"HTTP {status}"
        if status == _BAD_REQUEST:
            problem += " without a readable error"
        error = self._unclear(problem, wait_s)
        if status in _REFUSALS or status // 100 == _REDIRECTS:
            error.hint = "not the API's own answer: check base_url, and gateways in front of it"
        return error

    def _fault(self, answer: Reply) -> VendorFault | None:
        # Only control methods say "error"; elsewhere that is a web framework speaking.
        names = ("error", "type") if self._kind is Kind.CONTROL else ("type",)
        return read_fault(answer.body, names=names)

    def _known(self, status: int, fault: VendorFault) -> Exception | None:
        if fault.type == _UNKNOWN_TOKEN and status in _REFUSALS:
            return Halted(
                f"{self._method}: the token is not known",
                where=self._where,
                hint="check token and base_url: each campaign has a token of its own",
            )
        if status != _BAD_REQUEST:
            return None  # the contract's error table is about 400; the rest proves nothing
        if fault.type == _STOPPED and self._kind is not Kind.CONTROL:
            return Halted(
                f"{self._method}: the campaign takes no more batches ({_STOPPED})",
                where=self._where,
                hint="a stopped campaign stays so: make a new one and set its token",
            )
        if fault.type in _ABSENT:
            return NotFound(
                f"{self._method}: {fault.type}; the whole request failed",
                fault=fault,
                where=self._where,
                hint="leave out what this campaign does not know",
            )
        return self._refused(fault)

    def _refused(self, fault: VendorFault) -> Refused:
        return Refused(
            f"{self._method}: refused ({fault.type})",
            fault=fault,
            where=self._where,
            hint="nothing of this request was done",
        )


def retry_after_s(value: str | None, *, now: datetime) -> float | None:
    """`Retry-After` as seconds from `now`, within 1 s and 1 h; None when absent or junk."""
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(r"[+-]?\d+(\.\d*)?", text, re.ASCII):
        seconds = float(text)
    else:
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, RETRY_AFTER_MIN_S), RETRY_AFTER_MAX_S)
