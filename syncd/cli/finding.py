"""Turns what a person types into what the ledger is asked for: phones, states, names.

The person gave the phone, so showing it back is no leak; it must still never reach a log.
"""

from __future__ import annotations

import sys

from syncd.config.settings import Settings
from syncd.core import phone
from syncd.core.call_job import JobState
from syncd.core.names import did_you_mean
from syncd.errors import ConfigError


def phones_of(text: str, settings: Settings, *, sync: str | None = None) -> list[int]:
    """The numbers that `text` can mean: as an international one, and in the syncs' regions."""
    syncs = [settings.syncs[sync]] if sync in settings.syncs else settings.syncs.values()
    regions = [None, *(one.map.to_spec().default_region for one in syncs)]
    read = (phone.normalise(text, region) for region in dict.fromkeys(regions))
    return list(dict.fromkeys(number for number in read if isinstance(number, int)))


def one_phone(text: str, settings: Settings, *, campaign: str) -> int:
    """The one number that `text` means to the syncs of a campaign; raises ConfigError for junk."""
    for name, sync in settings.syncs.items():
        if sync.campaign == campaign and (phones := phones_of(text, settings, sync=name)):
            return phones[-1]  # as the sync's own region reads it
    return known_phones(text, settings, sync=None)[0]


def known_phones(text: str, settings: Settings, *, sync: str | None) -> list[int]:
    """`phones_of`, which must find one; raises ConfigError for junk."""
    phones = phones_of(text, settings, sync=sync)
    if not phones:
        raise ConfigError(
            "this is no valid phone", hint="write it with + and the country: +44 20 7946 0000"
        )
    return phones


def known_state(text: str) -> str:
    """A state of a call job; raises ConfigError with the nearest one."""
    if text not in list(JobState):
        states = [state.value for state in JobState]
        raise ConfigError(
            f'there is no state "{text}"',
            where="--state",
            hint=f"{did_you_mean(text, states)} States: {', '.join(states)}",
        )
    return text


def limited(limit: int) -> int | None:
    """`--limit 0` is all, and so is more than any list can have."""
    return limit if 0 < limit <= sys.maxsize else None
