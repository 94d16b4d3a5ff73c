"""Which encoding a file is in, told from a bounded sample of its bytes.

A byte order mark decides; then text that is valid UTF-8, but for a few damaged places, is UTF-8;
only the rest is guessed by charset-normalizer, among the encodings that exports are really written
in. Must never be silent about a guess: a wrong one would be read aloud to people.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass

SAMPLE_BYTES = 64 * 1024
#: A file that begins with plain ASCII is searched this far for other bytes, until they are enough.
ASCII_BYTES_MAX = 32 * 1024 * 1024
TELLING_BYTES = 256

_MARKS = (  # the longer ones first: UTF-32 LE begins as UTF-16 LE does
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LIKELY = [  # of equals the first: charset-normalizer itself would go by the alphabet
    "cp1252", "cp1250", "iso8859_2", "cp1254", "cp1257", "cp1258", "cp1251", "koi8_r", "cp866",
    "cp1253", "cp1255", "cp1256", "gb18030", "cp932", "cp949", "big5", "euc_jp", "cp874",
]  # fmt: skip
_CYRILLIC = ("cp1251", "cp866", "koi8_r")
_WIDE = {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": "utf-8"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """The encoding of a file, and the length of its byte order mark in bytes."""

    name: str
    mark: int = 0
    sure: bool = True  #: False: a guess, which a person has to confirm


def split_mark(sample: bytes) -> tuple[str | None, int]:
    """The encoding that a byte order mark names, and its length in bytes."""
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding, len(mark)
    return None, 0


def settle_encoding(given: str, sample: bytes) -> Encoding:
    """The encoding that the options name, its byte order fixed."""
    marked, length = split_mark(sample)
    plain = _WIDE.get(given, given)
    if marked is None:
        return Encoding(plain)
    if marked == plain or (given in _WIDE and marked.startswith(given)):
        return Encoding(marked, length)
    return Encoding(plain)


def find_encoding(read: Callable[[int], bytes]) -> Encoding | None:
    """The encoding of a stream at its start; None when it is text in none."""
    sample = read(SAMPLE_BYTES)
    marked, length = split_mark(sample)
    if marked is not None:
        return Encoding(marked, length)
    if wide := _wide_without_mark(sample):
        return Encoding(wide)
    return _of_bytes(_telling(sample, read))


def _telling(sample: bytes, read: Callable[[int], bytes]) -> bytes:
    """The lines that are not plain ASCII, from as far on as it takes to have enough of them.

    One damaged byte at the start must not speak for all names after it.
    """
    told, rest, seen = bytearray(), b"", 0
    while sample and seen < ASCII_BYTES_MAX and len(told.translate(None, _ASCII)) < TELLING_BYTES:
        seen += len(sample)
        text = rest + sample
        cut = text.rfind(b"\n") + 1 or len(text)
        if not text.isascii():
            for line in text[:cut].splitlines(keepends=True):
                told += b"" if line.isascii() else line
        rest = text[cut:]
        sample = read(4 * SAMPLE_BYTES)
    return bytes(told) + (b"" if rest.isascii() else rest)


_ASCII = bytes(range(128))
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


def _of_bytes(sample: bytes) -> Encoding | None:
    whole, broken = _utf8_places(sample)
    if broken == 0 or broken * 2 < whole:
        return Encoding("utf-8")
    if (cyrillic := _cyrillic(sample)) is not None:
        return cyrillic
    # Text in a code page is seldom valid UTF-8 by chance, far less often than at every third place.
    # In doubt rows are rejected: they come back once the option is set, a wrong name said does not.
    if broken <= whole * 2:
        return Encoding("utf-8", sure=False)
    return _guess(sample[:SAMPLE_BYTES])


def _utf8_places(sample: bytes) -> tuple[int, int]:
    """How many characters beyond ASCII are whole in UTF-8, and how many places are broken."""
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(sample, final=False)
    broken = text.count("\ufffd")
    return len(_BEYOND_ASCII.findall(text)) - broken, broken


def _guess(sample: bytes) -> Encoding | None:
    """The likeliest of the encodings in which the sample makes about as much sense as in any."""
    # 6 MB that a file in UTF-8 need not pay for.
    from charset_normalizer import from_bytes  # noqa: PLC0415 - see above

    found = from_bytes(sample, cp_isolation=_LIKELY)
    best = found.best()
    if best is None:
        return None
    equals = {
        name
        for match in found
        if match.chaos <= best.chaos + _CHAOS_EQUAL
        and match.coherence >= best.coherence - _COHERENCE_EQUAL
        for name in match.could_be_from_charset
    }
    return Encoding(min(equals, key=_LIKELY.index), sure=False)


_CHAOS_EQUAL = 0.02
_COHERENCE_EQUAL = 0.1


def _cyrillic(sample: bytes) -> Encoding | None:
    """The Cyrillic code page whose reading looks like words, if any does."""
    texts = {encoding: sample.decode(encoding, "replace") for encoding in _CYRILLIC}
    scores = {encoding: _looks_written(text) for encoding, text in texts.items()}
    best = max(scores, key=scores.__getitem__)
    if scores[best] == 0:
        return None
    letters = _BEYOND_ASCII.findall(texts[best])
    # Greek and Hebrew letters stand where Cyrillic ones do, but are not as often these.
    sure = len(letters) >= _LETTERS_ENOUGH and _common(letters) >= _COMMON_ENOUGH
    return Encoding(best, sure=sure)


def _looks_written(text: str) -> float:
    """How much the letters beyond ASCII look like Russian words; 0.0 when they do not.

    Small letters, or capitals not after small ones, and none beside a Latin one ("M\u044cller").
    The share of the commonest letters tells code pages apart that swap capitals and small ones.
    """
    beyond = _BEYOND_ASCII.findall(text)
    written = len(_WRITTEN.findall(text))
    if not beyond or written < _WRITTEN_SHARE * len(beyond):
        return 0.0
    return written / len(beyond) + _common(beyond)


def _common(letters: list[str]) -> float:
    """The share of the letters that are commonest in Russian."""
    return sum(1 for letter in letters if letter.lower() in _COMMON) / len(letters)


_WRITTEN_SHARE = 0.9
_LETTERS_ENOUGH = 20  #: fewer may look like words by chance
_COMMON_ENOUGH = 0.5
_COMMON = frozenset(
    "\u043e\u0435\u0430\u0438\u043d\u0442\u0441\u0440\u0432\u043b"
)  # o e a i n t s r v l
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_WRITTEN = re.compile(
    "(?<![A-Za-z])(?:[\u0430-\u044f\u0451]|(?<![\u0430-\u044f\u0451])[\u0410-\u042f\u0401]|\u2116)(?![A-Za-z])"
)
