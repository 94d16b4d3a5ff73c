"""Adds up what became of sendings, and says when a pass has to leave its campaign alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from syncd.engine.passes import Pass
from syncd.engine.sending import Sent
from syncd.errors import Halted

#: So many sendings in a row without an answer end the pass: the campaign needs a rest.
FAILURES_IN_A_ROW_MAX = 5

OnSent = Callable[[Counter[str]], None]


class Tally:
    """What the sendings of one pass came to."""

    def __init__(self, running: Pass, on_sent: OnSent | None) -> None:
        self._running = running
        self._on_sent = on_sent
        self._failures = 0
        self._must_wait = False

    @property
    def needs_rest(self) -> bool:
        """Whether nothing more may be sent in this pass."""
        return self._must_wait or self._failures >= FAILURES_IN_A_ROW_MAX

    def note(self, sent: Sent) -> None:
        """Count one sending; raises Halted when the campaign said so."""
        self._count(sent)
        if sent.halted is not None:
            raise sent.halted

    def add(self, sendings: Iterable[Callable[[], Sent]]) -> None:
        """Record and count sendings, every one of them, then raise what one of them raised."""
        halted: Halted | None = None
        failed: Exception | None = None
        for recorded in sendings:
            try:
                sent = recorded()
            except Exception as error:  # noqa: BLE001 - the others must be recorded before it goes up
                failed = error
                continue
            self._count(sent)
            halted = sent.halted or halted
        if failed is not None:
            raise failed
        if halted is not None:
            raise halted

    def _count(self, sent: Sent) -> None:
        self._running.counts.update(sent.jobs)
        self._failures = self._failures + 1 if sent.failed else 0
        self._must_wait = self._must_wait or sent.must_wait
        if self._on_sent is not None:
            self._on_sent(sent.jobs)
