"""Erase a person: their open calls are cancelled at the vendor, then the ledger forgets them.

Works beside a running daemon. A person in a batch without an answer is not erased before it has
one: its bytes must not change, and nobody can know yet whether there is a call to cancel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from syncd.clock import Clock, to_ms
from syncd.engine.asking import ask_by_ids
from syncd.engine.parts import Campaign
from syncd.errors import SyncdError, Transient
from syncd.ledger.erase import Erasure, refuse_open
from syncd.ledger.ledger import Ledger
from syncd.ledger.moves import By
from syncd.ledger.persons import Person
from syncd.observe.steps import named

ACTOR = "cli:erase"


@dataclass(frozen=True, slots=True)
class Named:
    """Whom to erase, as a person named them."""

    key: str | None = None
    phones: tuple[int, ...] = ()
    sync: str | None = None


@dataclass(slots=True)
class AtVendor:
    """What the vendor said of the person's open calls."""

    asked: int = 0
    cancelled: int = 0
    not_cancelled: int = 0  #: already made, in progress, or not known there
    #: the vendor could not be asked, or it has another phone under the ID; --force said to go on
    not_asked: int = 0


def person(named: Named, ledger: Ledger) -> Person:
    """All that the ledger has of the person."""
    return ledger.privacy.person(key=named.key, phones=named.phones, sync=named.sync)


def run(
    named: Named,
    ledger: Ledger,
    clock: Clock,
    campaign_of: Callable[[str], Campaign],
    *,
    force: bool = False,
) -> tuple[Erasure, AtVendor]:
    """Erase the person; what was cancelled at the vendor before an error stays cancelled.

    Args:
        force: erase here also when the vendor cannot be asked to cancel: it may still call.

    Raises:
        Transient: a call of theirs is in a batch without an answer, or its ID is another phone's;
            nothing was erased.
        SyncdError: the vendor could not be asked; nothing was erased.
    """
    who = person(named, ledger)
    settled = {job for _campaign, _id, job in who.open_calls} | who.mismatched
    refuse_open(who, settled)
    told = _cancel(who, campaign_of, force=force)
    by = By(ACTOR, to_ms(clock.now()))
    done = ledger.privacy.erase(
        key=named.key, phones=named.phones, sync=named.sync, settled=settled, by=by
    )
    return done, told


def _cancel(who: Person, campaign_of: Callable[[str], Campaign], *, force: bool) -> AtVendor:
    if who.mismatched and not force:
        raise Transient(
            "the ID of a call to this person is another phone's, as its report says:"
            " nothing was cancelled or erased",
            hint="cancel the right call in the vendor's own pages, then use --force",
        )
    told = AtVendor(not_asked=len(who.mismatched))
    calls: dict[str, list[str]] = {}
    for name, id_, _job in who.open_calls:
        calls.setdefault(name, []).append(id_)
    for name, ids in calls.items():
        try:
            answer = ask_by_ids(named("person.cancel", campaign_of(name).client.cancel), ids)
        except SyncdError:
            if not force:
                raise
            told.not_asked += len(ids)
            continue
        cancelled = len(set(answer.found) & set(ids))
        told.asked += len(ids)
        told.cancelled += cancelled
        told.not_cancelled += len(ids) - cancelled
    return told
