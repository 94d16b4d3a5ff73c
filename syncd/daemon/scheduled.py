"""One pass on a schedule: whether it is worth running, and what its end means for the daemon.

Whatever a pass does, the schedule goes on; only a lost ledger ends the daemon.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from syncd.core.backoff import delay_s
from syncd.engine.passes import PassResult, Tools
from syncd.errors import HeldElsewhere, LedgerError, SyncdError
from syncd.observe import events, logs

_log = logs.get("daemon")

#: Counts of sendings that came to nothing; with none of the other kind the campaign is down.
_FAILED = ("not_sent", "in_doubt")
_WENT_WELL = ("answered", "unmatched", "refused", "matched")


def _always() -> bool:
    return True


def _nothing(_result: PassResult) -> None:
    return


@dataclass(slots=True)
class ScheduledPass:
    """A pass that the scheduler calls.

    Args:
        has_work: asked first, so that an idle daemon writes nothing.
        rests: after trouble it skips some of its times, up to five minutes; a poll does not, its
            times are the operator's.
        on_lost: told when the ledger is gone; everything has to stop.
        on_done: told how a pass ended.
    """

    kind: str
    target: str
    tools: Tools
    run: Callable[[], PassResult]
    on_lost: Callable[[LedgerError], None]
    has_work: Callable[[], bool] = _always
    rests: bool = True
    on_done: Callable[[PassResult], None] = _nothing
    _troubles: int = field(default=0, init=False)
    _rest_until_s: float = field(default=float("-inf"), init=False)
    _bug: str = field(default="", init=False)

    @property
    def name(self) -> str:
        """What the scheduler calls it."""
        return f"{self.kind} {self.target}"

    def __call__(self) -> None:
        """Run when there is something to do; never raises."""
        tools = self.tools
        if tools.stop.is_set() or tools.clock.monotonic_s() < self._rest_until_s:
            return
        try:
            tools.ledger.check_file()
            if self.has_work():
                self._end(self.run())
        except LedgerError as error:
            self.on_lost(error)
        except HeldElsewhere as error:
            _log.debug(events.PASS_LEFT, kind=self.kind, target=self.target, reason=error.what)
        except SyncdError as error:
            self._tell(error)
            self._rest()
        except BaseException as error:  # noqa: BLE001 - a bug, SystemExit too: the others flow
            self._tell_bug(error)
            self._rest()

    def _end(self, result: PassResult) -> None:
        if isinstance(result.error, LedgerError):
            raise result.error
        self._bug = ""
        if _is_trouble(result):
            self._rest()
        else:
            self._troubles = 0
        self.on_done(result)

    def _rest(self) -> None:
        if not self.rests:
            return
        self._troubles += 1
        # Half of the wait is fixed: a campaign that is down gets a rest whatever the dice say.
        wait_s = delay_s(self._troubles, jitter=0.5 + self.tools.random.random() / 2)
        self._rest_until_s = self.tools.clock.monotonic_s() + wait_s

    def _tell(self, error: SyncdError) -> None:
        _log.error(
            events.PASS_FAILED,
            kind=self.kind,
            target=self.target,
            error=str(error),
            hint=error.hint,
        )

    def _tell_bug(self, error: BaseException) -> None:
        """With its traceback once; the same again is one line."""
        bug = _place_of(error)
        known, self._bug = bug == self._bug, bug
        _log.error(
            events.PASS_FAILED,
            kind=self.kind,
            target=self.target,
            error=type(error).__name__,
            again=known,
            exc_info=None if known else error,
        )


def _place_of(error: BaseException) -> str:
    """What tells one bug from another: its kind and line; a message may differ each time."""
    frames = traceback.extract_tb(error.__traceback__)
    last = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__} {last}"


def _is_trouble(result: PassResult) -> bool:
    if result.outcome in ("retry", "halted", "config"):
        return True
    counts = result.counts
    return any(counts.get(name) for name in _FAILED) and not any(
        counts.get(name) for name in _WENT_WELL
    )
