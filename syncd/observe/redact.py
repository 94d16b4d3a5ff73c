"""Keeps tokens, URLs and phones out of every output.

A `Redactor` learns the secrets when the configuration is loaded, and looks at all that is written
last. It masks; it must never decide whether something is written.

Two rules, for a value and for a text. By its key: `phone…` holds phones, `…token`, `…password` and
the like hold secrets. In free text: every known secret in each of its spellings, the segment after
`/campaign/`, and phones (see `_PHONE`). A call job's ID is a run of digits too, so a text under a
key that names an ID or a count keeps its digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

from syncd.core.masking import mask_phone

MASK: Final = "********"
#: A shorter secret would mask ordinary words; the configuration refuses such tokens anyway.
SECRET_CHARS_MIN: Final = 4
DEPTH_MAX: Final = 16

#: The token is the segment after /campaign/, also where the URL itself was percent-encoded.
_CAMPAIGN = re.compile(r"((?:/|%2[Ff])campaign(?:\\?/|%2[Ff]))(?:(?!%2[Ff])[^/\\\s?#\"'<>&)\]}])+")
#: "+" and 10 to 15 digits, also in groups; or 11 to 15 digits that are no part of a word or number.
_PHONE = re.compile(r"\+\d(?:[ ().-]{0,2}\d){9,14}(?!\w)|(?<![\w.])\d{11,15}(?!\w|\.\d)")
_PHONE_KEY = re.compile(r"^(phones?|msisdn)([_A-Z].*)?$|_phones?$")
_SECRET_KEY = re.compile(r"(?i)(^|_)(token|password|passwd|secret|authorization|api_?key|dsn)$")
_ID_KEY = re.compile(
    r"(^|_)(ids?|batch|job|jobs|count|counts|epoch|digest|line|bytes|ms|ts|timestamp|at|lease)$"
    r"|[a-z](Id|Ids|At)$"
)
_COUNT_DIGITS_MAX = 9  #: `phones=500` is a count


class Redactor:
    """Masks secrets, campaign URLs and phones in texts and in the fields of an event."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._spellings: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Mask these from now on, in every spelling in which a program may write them."""
        for secret in secrets:
            if len(secret) >= SECRET_CHARS_MIN:
                self._spellings.update(_spellings(secret))
        longest_first = sorted(self._spellings, key=len, reverse=True)
        joined = "|".join(map(_pattern, longest_first))
        self._pattern = re.compile(joined) if joined else None

    def secrets(self, text: str) -> str:
        """The text without secrets and without the segment after /campaign/."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        return _CAMPAIGN.sub(rf"\g<1>{MASK}", text) if "ampaign" in text else text

    def text(self, text: str) -> str:
        """Free text, such as a message or a traceback: secrets, campaign URLs and phones masked."""
        return _PHONE.sub(lambda found: mask_phone(found[0]), self.secrets(text))

    def value(self, key: str, value: Any, depth: int = 0) -> Any:
        """The value of one field of an event, as its key permits; containers are walked."""
        if _SECRET_KEY.search(key) and value is not None:
            return MASK
        if depth > DEPTH_MAX:
            return "…"
        if isinstance(value, Mapping):
            return {
                self.text(str(inner)): self.value(
                    key if _PHONE_KEY.search(key) else str(inner), item, depth + 1
                )
                for inner, item in value.items()
            }
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.value(key, item, depth + 1) for item in value]
        plain = value is None or isinstance(value, (bool, float))
        return value if plain else self._leaf(key, value)

    def _leaf(self, key: str, value: Any) -> Any:
        """A text, a number or an object that is written as its text; what needs no mask stays."""
        text = str(value)
        if not _PHONE_KEY.search(key):
            masked = self.secrets(text) if _ID_KEY.search(key) else self.text(text)
        elif isinstance(value, int) and len(text) <= _COUNT_DIGITS_MAX:
            return value
        else:
            masked = mask_phone(text) if any(c.isdecimal() for c in text) else self.text(text)
        return value if isinstance(value, int) and masked == text else masked

    def event(self, _logger: Any, _method: str, fields: MutableMapping[str, Any]) -> dict[str, Any]:
        """A structlog processor: the fields of an event, masked; the last before the renderer."""
        return {key: self.value(key, value) for key, value in fields.items()}


def _pattern(spelling: str) -> str:
    """The spelling as a regular expression; %2f is %2F."""
    escaped = re.escape(spelling)
    return re.sub("%[0-9A-F]{2}", lambda found: f"(?i:{found[0]})", escaped)


def _spellings(secret: str) -> Iterator[str]:
    """Raw, in a URL (whole, as a path, as a form), in JSON and in Python's repr."""
    yield secret
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    yield repr(secret)[1:-1]
