"""What a call comes to: the same for the same seed, phone and attempt, and by magic numbers.

Owns the table of magic endings. It must never draw from a random generator with a state: a moved
clock, a restart or another order of calls may not change an outcome.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

NO_ANSWER = "noAnswer"
NONEXISTENT = "nonexistentNumber"
WITH_RESULT = "longCallWithResult"
NO_RESULT = "longCallWithNoResult"
TECHNICAL = "technicalError"
UNHEARD_OF = "answeringMachine"
CALLBACK = "CALLBACK_REQUEST"

LONG_CALL_S = 1800


class Outcome(NamedTuple):
    """How one attempt ends. `result` is the script's free text; `data` what it reports."""

    status: str
    duration_s: int
    result: str | None = None
    tag: str | None = None
    data: dict[str, object] | None = None

    @property
    def asks_for_redial(self) -> bool:
        """Whether the customer asked to be called back."""
        return self.result == CALLBACK


class Magic(NamedTuple):
    """A row of the table that the reference page prints."""

    status: str
    meaning: str


#: By the last two digits of the phone. Ninety endings stay ordinary.
MAGIC: dict[str, Magic] = {
    "90": Magic(WITH_RESULT, "a conversation with a result, at the first attempt"),
    "91": Magic(NO_ANSWER, "nobody ever answers: all attempts are used up"),
    "92": Magic(NONEXISTENT, "the number does not exist: one attempt"),
    "93": Magic(NO_RESULT, "a conversation without a result"),
    "94": Magic(WITH_RESULT, "asks for a call-back: a redial job is made, due one hour later"),
    "95": Magic(TECHNICAL, "a technical error: one attempt"),
    "96": Magic(WITH_RESULT, "answers at the second attempt"),
    "97": Magic(WITH_RESULT, "answers at the third attempt"),
    "98": Magic(WITH_RESULT, "a call of thirty minutes, to be watched while it is in process"),
    "99": Magic(UNHEARD_OF, "a status that no document lists, with finishedAt set"),
}
_ANSWERS_AT = {"96": 2, "97": 3}

#: Shares of ordinary outcomes in per mille, cumulated.
_ORDINARY = ((430, WITH_RESULT), (600, NO_RESULT), (930, NO_ANSWER), (970, NONEXISTENT))
_CALLBACK_UP_TO = 990


def outcome(seed: int, phone: str, attempt: int, redial: int | None) -> Outcome:
    """The outcome of an attempt, counted from 1; `redial` is None on a first job."""
    digest = blake2b(f"{seed}:{phone}:{redial or 0}:{attempt}".encode(), digest_size=4).digest()
    number = int.from_bytes(digest, "big")
    ending = phone[-2:]
    magic = MAGIC.get(ending)
    if magic is None:
        return _ordinary(number, redial)
    if ending in _ANSWERS_AT and attempt < _ANSWERS_AT[ending]:
        return _made(NO_ANSWER, number)
    if ending == "94" and redial is None:
        return _callback(number)
    if ending == "98":
        return _made(WITH_RESULT, number)._replace(duration_s=LONG_CALL_S)
    return _made(magic.status, number)


def _ordinary(number: int, redial: int | None) -> Outcome:
    share = number % 1000
    for up_to, status in _ORDINARY:
        if share < up_to:
            return _made(status, number)
    if share < _CALLBACK_UP_TO:
        # One call-back is enough: a second generation answers.
        return _callback(number) if redial is None else _made(WITH_RESULT, number)
    return _made(TECHNICAL, number)


def _callback(number: int) -> Outcome:
    return Outcome(WITH_RESULT, 15 + number % 30, CALLBACK, "callback")


def _made(status: str, number: int) -> Outcome:
    spread = number >> 10
    if status == WITH_RESULT:
        answer = "agreed" if spread % 2 else "declined"
        return Outcome(status, 40 + spread % 80, answer, "finished", {"answer": answer})
    if status == NO_RESULT:
        return Outcome(status, 12 + spread % 30, None, "hung_up")
    if status == NO_ANSWER:
        return Outcome(status, 25)
    return Outcome(status, 5 if status == UNHEARD_OF else 2)
