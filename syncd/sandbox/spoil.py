"""What a fault makes of an answer: another body, another status, or another end of the connection.

Owns what the client gets to see, said without a socket: a test without HTTP reads it from here, and
the server sends it. It must never touch the book.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

import orjson

from syncd.sandbox.faults import JSON, Answer, Fault

HTML: Final = "text/html"
SLICES: Final = 10
MEGABYTE: Final = 1 << 20
_GZIP_WINDOW: Final = 31
HUGE: Final = 10**30
End = Literal["whole", "closed", "reset"]


class Seen(NamedTuple):
    """What the client gets of a request, and how the connection ends.

    `answer` None: not one byte. Only `sent` bytes of the body leave, where it is given, while
    Content-Length tells of all. It takes `seconds` of real time, in `parts`.
    """

    answer: Answer | None
    end: End = "whole"
    sent: int | None = None
    seconds: float = 0
    parts: int = 1

    @property
    def body(self) -> bytes:
        """The bytes of the body that arrive."""
        return b"" if self.answer is None else self.answer.body[: self.sent]


def seen_through(fault: Fault | None, answer: Answer, path: str) -> Seen:
    """What arrives of a good answer to a request of this path."""
    if fault is None:
        return Seen(answer)
    broken = _BROKEN.get(fault.name)
    if broken is not None:
        return broken(fault, answer)
    return Seen(_spoiled(fault, answer, path))


def _half(end: End) -> Callable[[Fault, Answer], Seen]:
    return lambda _, answer: Seen(answer, end, len(answer.body) // 2)


def _silent(fault: Fault, _: Answer) -> Seen:
    return Seen(None, "closed", seconds=fault.seconds or 0)


def _trickled(fault: Fault, answer: Answer) -> Seen:
    size = len(answer.body)
    return Seen(answer, seconds=(fault.seconds or 0) * size, parts=max(1, size))


_BROKEN: Final[dict[str, Callable[[Fault, Answer], Seen]]] = {
    "answer_lost": _silent,
    "request_lost": _silent,
    "late": _silent,
    "reset": lambda _fault, _answer: Seen(None, "reset"),
    "keep_alive_closed": lambda _fault, _answer: Seen(None, "reset"),
    "reset_mid_answer": _half("reset"),
    "truncated": _half("closed"),
    "slow": lambda fault, answer: Seen(answer, seconds=fault.seconds or 0, parts=SLICES),
    "trickled": _trickled,
}


def _spoiled(fault: Fault, answer: Answer, path: str) -> Answer:
    make = _ANSWERS.get(fault.name)
    if make is not None:
        return make(fault, path)
    change = _BODIES.get(fault.name)
    if change is not None:
        return answer._replace(body=change(answer.body))
    match fault.name:
        case "gzip_bomb":
            packed = _bomb(round((fault.megabytes or 0) * MEGABYTE))
            return Answer(packed, headers=(("content-encoding", "gzip"),))
        case "huge_answer":
            return Answer(b" " * round((fault.megabytes or 0) * MEGABYTE) + answer.body)
        case _:
            return answer  # page_shifted, page_repeated and refused are the book's own answers


# --- answers that have nothing of the good one ---------------------------------------------------


def _error(status: int, type_: str, message: str) -> Answer:
    return Answer(orjson.dumps({"type": type_, "message": message}), status)


def _internal(_fault: Fault, _path: str) -> Answer:
    return _error(500, "internal.error", "something went wrong")


def _wait(status: int, type_: str) -> Callable[[Fault, str], Answer]:
    def make(fault: Fault, _: str) -> Answer:
        told = fault.retry_after
        value = told if isinstance(told, str) else f"{told:.15g}"
        return _error(status, type_, "slow down")._replace(headers=(("retry-after", value),))

    return make


def _scripted(fault: Fault, _: str) -> Answer:
    body = fault.body.encode() if isinstance(fault.body, str) else orjson.dumps(fault.body)
    headers = tuple((name.lower(), value) for name, value in (fault.headers or {}).items())
    return Answer(body, fault.status or 200, fault.content_type or JSON, headers)


def _redirect(fault: Fault, path: str) -> Answer:
    return Answer(b"", fault.status or 307, HTML, (("location", f"{fault.location}{path}"),))


def _page(title: str) -> bytes:
    return f"<html><head><title>{title}</title></head><body>nginx</body></html>\n".encode()


_ANSWERS: Final[dict[str, Callable[[Fault, str], Answer]]] = {
    "http_500": _internal,
    "http_500_after": _internal,
    "http_429": _wait(429, "too.many.requests"),
    "http_503": _wait(503, "service.unavailable"),
    "empty_200": lambda _fault, _path: Answer(b""),
    "null_200": lambda _fault, _path: Answer(b"null"),
    "list_200": lambda _fault, _path: Answer(b"[]"),
    "html_200": lambda _fault, _path: Answer(_page("Sign in"), 200, HTML),
    "html_502": lambda _fault, _path: Answer(_page("502 Bad Gateway"), 502, HTML),
    "http_400_unreadable": lambda _fault, _path: Answer(b'{"type": "phone.bad.for', 400),
    "redirect": _redirect,
    "answer": _scripted,
}


# --- other bodies -------------------------------------------------------------------------------


def _changed(change: Callable[[list[Any]], list[Any]], *, pages: bool) -> Callable[[bytes], bytes]:
    """Changes an answered list, and with `pages` the items of a page; nothing else."""

    def changed(body: bytes) -> bytes:
        value: Any = orjson.loads(body) if body else None
        if isinstance(value, list):
            return _dumped(change(value))
        if pages and isinstance(value, dict) and isinstance(value.get("items"), list):
            return orjson.dumps({**value, "items": change(value["items"])})
        return body

    return changed


def _dumped(items: list[Any]) -> bytes:
    """JSON with whole numbers of any size, which orjson refuses."""
    whole = [str(item) if type(item) is int else orjson.dumps(item).decode() for item in items]
    return f"[{','.join(whole)}]".encode()


def _doubled(items: list[Any]) -> list[Any]:
    return [*items[:-1], items[0]] if len(items) > 1 else items * 2


def _longer(items: list[Any]) -> list[Any]:
    number = max((int(item) for item in items if _is_id(item)), default=0)
    return [*items, str(number + 1)]  # IDs of jobs are two apart: this is nobody's


def _each_id(change: Callable[[str], object]) -> Callable[[list[Any]], list[Any]]:
    return lambda items: [change(item) if _is_id(item) else item for item in items]


def _is_id(item: object) -> bool:
    return isinstance(item, str) and item.isdigit()


_BODIES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "half_json": lambda body: body[: len(body) // 2],
    "short_answer": _changed(lambda items: items[1:], pages=True),
    "reversed_answer": _changed(lambda items: items[::-1], pages=False),
    "long_answer": _changed(_longer, pages=False),
    "double_answer": _changed(_doubled, pages=True),
    "worded_ids": _changed(_each_id(lambda item: f"job-{item}"), pages=False),
    "huge_ids": _changed(_each_id(lambda item: HUGE + int(item)), pages=False),
}


@lru_cache(maxsize=4)
def _bomb(size: int) -> bytes:
    """Gzip of a JSON text of so many bytes; made in pieces, so that it costs no memory here."""
    packer = zlib.compressobj(9, zlib.DEFLATED, _GZIP_WINDOW)
    blanks = b" " * MEGABYTE
    parts = [packer.compress(blanks) for _ in range(size // MEGABYTE)]
    parts.append(packer.compress(blanks[: size % MEGABYTE] + b"[]"))
    return b"".join((*parts, packer.flush()))
