"""Which encoding a file is in, told from a bounded sample of its bytes.

A byte order mark decides; then text that is valid UTF-8, but for a few damaged places, is UTF-8;
only the rest is guessed by charset-normalizer, among the encodings that exports are really written
in.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from charset_normalizer import from_bytes

SAMPLE_BYTES = 64 * 1024
#: A file that begins with plain ASCII is searched this far for its first other byte.
ASCII_BYTES_MAX = 32 * 1024 * 1024

_MARKS = (  # the longer ones first: UTF-32 LE begins as UTF-16 LE does
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LIKELY = [
    "cp1251", "koi8_r", "cp866", "cp1252", "cp1250", "iso8859_2", "cp1253", "cp1254", "cp1255",
    "cp1256", "cp1257", "cp1258", "cp874", "gb18030", "big5", "cp932", "euc_jp", "cp949",
]  # fmt: skip
_CYRILLIC = ("cp1251", "cp866", "koi8_r")
_WIDE = {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": "utf-8"}


def split_mark(sample: bytes) -> tuple[str | None, int]:
    """The encoding that a byte order mark names, and its length in bytes."""
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding, len(mark)
    return None, 0


def settle_encoding(given: str, sample: bytes) -> tuple[str, int]:
    """The encoding that the options name, its byte order fixed, and the length of its mark."""
    marked, length = split_mark(sample)
    plain = _WIDE.get(given, given)
    if marked is None:
        return plain, 0
    if marked == plain or (given in _WIDE and marked.startswith(given)):
        return marked, length
    return plain, 0


def find_encoding(read: Callable[[int], bytes]) -> tuple[str | None, int]:
    """The encoding of a stream at its start, and the length of its mark; None when unclear."""
    sample = read(SAMPLE_BYTES)
    marked, length = split_mark(sample)
    if marked is not None:
        return marked, length
    if wide := _wide_without_mark(sample):
        return wide, 0
    seen = len(sample)
    while sample.isascii() and sample and seen < ASCII_BYTES_MAX:
        sample = read(4 * SAMPLE_BYTES)
        seen += len(sample)
    return _of_bytes(sample), 0


_END_BYTE = re.compile(rb"[\r\n]")


def _wide_without_mark(sample: bytes) -> str | None:
    """UTF-16 without a mark: in western text and digits every other byte is NUL."""
    pairs = len(sample) // 2
    if pairs <= 1:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    end = _END_BYTE.search(sample)
    if end is None:
        return None
    # The line end must be wide as well: NUL bytes in narrow text are damage, not UTF-16.
    at = end.start()
    if odd > pairs * 0.3 and even < pairs * 0.05 and at % 2 == 0:
        return "utf-16-le" if sample[at + 1 : at + 2] == b"\0" else None
    if even > pairs * 0.3 and odd < pairs * 0.05 and at % 2 == 1:
        return "utf-16-be" if sample[at - 1 : at] == b"\0" else None
    return None


def _of_bytes(sample: bytes) -> str | None:
    if _is_utf8(sample):
        return "utf-8"
    if (cyrillic := _cyrillic(sample)) is not None:
        return cyrillic
    best = from_bytes(sample[:SAMPLE_BYTES], cp_isolation=_LIKELY).best()
    return None if best is None else best.encoding


def _is_utf8(sample: bytes) -> bool:
    """Valid UTF-8, or so nearly that the rest is damage: other text is hardly ever valid."""
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(sample, final=False)
    broken = text.count("\ufffd")
    if broken == 0:
        return True
    whole = sum(1 for character in text if character > "\x7f" and character != "\ufffd")
    return broken * 2 < whole


def _cyrillic(sample: bytes) -> str | None:
    """The Cyrillic code page whose reading looks like words, if any does."""
    scores = {
        encoding: _looks_written(sample.decode(encoding, "replace")) for encoding in _CYRILLIC
    }
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] > 0 else None


def _looks_written(text: str) -> float:
    """How much the letters beyond ASCII look like Russian words; 0.0 when they do not.

    Small letters, or capitals not after small ones, and none beside a Latin one ("M\u044cller").
    The share of the commonest letters tells code pages apart that swap capitals and small ones.
    """
    beyond = _BEYOND_ASCII.findall(text)
    written = len(_WRITTEN.findall(text))
    if not beyond or written < _WRITTEN_SHARE * len(beyond):
        return 0.0
    common = sum(1 for letter in beyond if letter.lower() in _COMMON)
    return (written + common) / len(beyond)


_WRITTEN_SHARE = 0.9
_COMMON = frozenset(
    "\u043e\u0435\u0430\u0438\u043d\u0442\u0441\u0440\u0432\u043b"
)  # o e a i n t s r v l
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_WRITTEN = re.compile(
    "(?<![A-Za-z])(?:[\u0430-\u044f\u0451]|(?<![\u0430-\u044f\u0451])[\u0410-\u042f\u0401]|\u2116)(?![A-Za-z])"
)
