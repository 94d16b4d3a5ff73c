"""The breaker of a campaign: too many sendings in a row without an answer, and it is left alone.

closed      batches go
open        none goes, for a time that grows with each further failure (ledger: `open_until`)
half open   that time is over: the campaign is asked for its state, then one batch goes; its answer
            closes the breaker, and no answer opens it again

The ledger counts the failures, so that they add up over passes, restarts and instances.
"""

from __future__ import annotations

from syncd.engine.passes import Pass

#: So many sendings in a row without an answer open the breaker.
FAILURES_IN_A_ROW_MAX = 5


class Breaker:
    """The breaker as one pass knows it; `running.target` is its campaign."""

    def __init__(self, running: Pass) -> None:
        self._running = running
        self._failures = running.failures
        self.is_open = False  #: opened in this pass

    @property
    def half_open(self) -> bool:
        """Whether one batch at a time may go."""
        return self._failures >= FAILURES_IN_A_ROW_MAX and not self.is_open

    def note_failure(self) -> None:
        """No answer came."""
        tools = self._running.tools
        self._failures = tools.ledger.brake.note_failure(
            self._running.target,
            now=tools.clock.now(),
            opens_at=FAILURES_IN_A_ROW_MAX,
            jitter=tools.random.random(),
        )
        self.is_open = self._failures >= FAILURES_IN_A_ROW_MAX

    def note_answer(self) -> None:
        """An answer came. On a good day this costs nothing."""
        self.is_open = False
        if self._failures:
            self._running.tools.ledger.brake.note_answer(self._running.target)
            self._failures = 0
