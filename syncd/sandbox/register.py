"""What the book is made of: campaigns and the tokens that open them, time, knobs and the journal.

Owns the passing of time: parked requests and the dialers have theirs, in its order, before anything
else is done. How often time is asked for changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from threading import RLock
from typing import Any

from syncd.sandbox.campaign import SandboxCampaign
from syncd.sandbox.clock import VirtualClock
from syncd.sandbox.journal import FORMAT, Journal
from syncd.sandbox.keys import KeyMemory, Owner
from syncd.sandbox.knobs import Knobs
from syncd.sandbox.parking import Parking
from syncd.sandbox.refusals import RefusalError


class Register:
    """Campaigns by the token that they were made for."""

    def __init__(
        self, clock: VirtualClock, tokens: Iterable[str], *, seed: int, lines: int, knobs: Knobs
    ) -> None:
        self.lock = RLock()
        self.clock = clock
        self.seed = seed
        self.lines = lines
        self.knobs = knobs
        self.campaigns: dict[str, SandboxCampaign] = {}
        self.keys = KeyMemory()
        self.parking = Parking()
        self._tokens = tuple(tokens)
        self._doors: dict[str, SandboxCampaign] = {}
        self._acting_ms: int | None = None
        self._journal: Journal | None = None

    # --- time -----------------------------------------------------------------------------------

    def now_ms(self) -> int:
        """The virtual present, after everything that was due until then."""
        with self.lock:
            if self._acting_ms is not None:
                return self._acting_ms
            now_ms = self.clock.now_ms()
            while (parked := self.parking.due(now_ms)) is not None:
                self._acting_ms = parked.due_ms
                try:
                    self._run_dialers(parked.due_ms)
                    parked.act()
                finally:
                    self._acting_ms = None
            self._run_dialers(now_ms)
            return now_ms

    def park(
        self, seconds: float, act: Callable[[], None], *, token: str = "", key: str | None = None
    ) -> None:
        """Carries out `act` so many virtual seconds from now."""
        with self.lock:
            now_ms, found = self.now_ms(), self._doors.get(token)
            owner = None if found is None else Owner(token, found.id)
            self.parking.add(now_ms + round(seconds * 1000), act, owner, key)

    def move_clock(self, *, advance_s: float = 0.0, speed: float | None = None) -> int:
        """Moves the virtual clock, or changes its speed; answers the new present."""
        with self.lock:
            was_ms = self.now_ms()
            self.clock.advance(advance_s)
            if speed is not None:
                self.clock.set_speed(speed)
            self.write(was_ms, "clock", anchor=list(self.clock.anchor))
            return self.now_ms()

    def _run_dialers(self, until_ms: int) -> None:
        for campaign in self.campaigns.values():
            campaign.dialer.run(until_ms)

    # --- campaigns, tokens, knobs ---------------------------------------------------------------

    def campaign(self, token: str) -> SandboxCampaign:
        """The campaign that a token opens; RefusalError 404 `invalid.token` for an unknown one."""
        found = self._doors.get(token)
        if found is None:
            raise RefusalError("invalid.token", "the token is not valid", status=404)
        return found

    def numbered(self, campaign_id: int) -> SandboxCampaign:
        """The campaign of a number; ValueError for an unknown one."""
        for campaign in self.campaigns.values():
            if campaign.id == campaign_id:
                return campaign
        raise ValueError("no campaign has this number")

    def set_tokens(self, campaign_id: int, tokens: Iterable[str]) -> None:
        """From now on these tokens open the campaign, and no others; none: all are unknown.

        Raises ValueError for an unknown campaign, and for a token of another one.
        """
        with self.lock:
            now_ms, campaign = self.now_ms(), self.numbered(campaign_id)
            new = tuple(tokens)
            if any(self._doors.get(token, campaign) is not campaign for token in new):
                raise ValueError("a token opens another campaign")
            kept = {token: found for token, found in self._doors.items() if found is not campaign}
            self._doors = kept | dict.fromkeys(new, campaign)
            self.write(now_ms, "tokens", campaign=campaign_id, tokens=list(new))

    def turn(self, changes: Mapping[str, Any]) -> Knobs:
        """Turns knobs from now on; ValueError for a bad one, and then none is turned."""
        with self.lock:
            now_ms, knobs = self.now_ms(), self.knobs.turned(changes)
            self.knobs = knobs
            self.write(now_ms, "knobs", knobs=dict(changes))
            return knobs

    def reset(self) -> None:
        """Forgets jobs, keys and parked requests; the first tokens, knobs and the clock stay."""
        with self.lock:
            self.campaigns.clear()
            self._doors.clear()
            self.keys.clear()
            self.parking.clear()
            if self._journal is not None:
                self._journal.clear()
            self.begin(self._journal)

    # --- the state file -------------------------------------------------------------------------

    def begin(self, journal: Journal | None) -> None:
        """A new life, told to the journal."""
        self._journal = journal
        self.write(
            self.clock.now_ms(), "begin", format=FORMAT, seed=self.seed, lines=self.lines,
            knobs=self.knobs.public(), anchor=list(self.clock.anchor),
        )  # fmt: skip
        self.open_campaigns()

    def go_on(self, journal: Journal) -> None:
        """The life that was told, from here on."""
        self._journal = journal
        self.open_campaigns()

    def open_campaigns(self) -> None:
        """A campaign for each token that has none."""
        for token in self._tokens:
            if token not in self.campaigns and token not in self._doors:
                now_ms = self.clock.now_ms()
                self.open_campaign(token, now_ms)
                self.write(now_ms, "campaign", token=token)

    def open_campaign(self, token: str, now_ms: int) -> None:
        """One more campaign, behind the others."""
        index = len(self.campaigns)
        campaign = SandboxCampaign(index, token, lines=self.lines, seed=self.seed, now_ms=now_ms)
        self.campaigns[token] = self._doors[token] = campaign

    def write(self, at_ms: int, verb: str, **fields: Any) -> None:
        """A line of the journal, if there is one."""
        if self._journal is not None:
            self._journal.append({"do": verb, "at": at_ms, **fields})
