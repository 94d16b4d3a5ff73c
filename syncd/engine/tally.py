"""Adds up what became of sendings, and says when a pass has to leave its campaign alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from syncd.engine.breaker import Breaker
from syncd.engine.passes import Pass
from syncd.engine.sending import Sent
from syncd.errors import Halted

OnSent = Callable[[Counter[str]], None]


class Tally:
    """What the sendings of one pass came to."""

    def __init__(self, running: Pass, on_sent: OnSent | None) -> None:
        self._running = running
        self._on_sent = on_sent
        self._breaker = Breaker(running)
        self._must_wait = False

    @property
    def needs_rest(self) -> bool:
        """Whether nothing more may be sent in this pass."""
        return self._must_wait or self._breaker.is_open

    @property
    def one_at_a_time(self) -> bool:
        """Whether the next batch is a try: nothing else goes before it has its answer."""
        return self._breaker.half_open

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
                self._count(sent)
            except Exception as error:  # noqa: BLE001 - the others must be recorded before it goes up
                failed = error
                continue
            halted = sent.halted or halted
        if failed is not None:
            raise failed
        if halted is not None:
            raise halted

    def _count(self, sent: Sent) -> None:
        self._running.counts.update(sent.jobs)
        self._must_wait = self._must_wait or sent.must_wait
        if self._on_sent is not None:
            self._on_sent(sent.jobs)
        if sent.failed:
            self._breaker.note_failure()
        elif sent.answered:
            self._breaker.note_answer()
