"""How the daemon starts, and how it ends: drained by a signal, or at once by a lost ledger.

On a stop nothing new is begun, running passes end between two steps, and requests in flight get
their answers recorded: an answer that nobody waits for would be a doubt.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Protocol

from syncd import __version__
from syncd.app import App
from syncd.daemon.wiring import schedule
from syncd.errors import EXIT_DONE, LedgerError
from syncd.observe import events, logs

_log = logs.get("daemon")

#: On top of the longest request: its answer has to be recorded. Less than a supervisor's patience.
DRAIN_MARGIN_S = 10.0


class Signals(Protocol):
    """Who sets the stop Event, and by which signal (None: no signal yet)."""

    received: int | None


@dataclass(frozen=True, slots=True)
class Ending:
    """How the daemon ended.

    `drained` False: a pass is still at work and its thread would hold the process; leave by
    `os._exit`. Everything that counts is committed.
    """

    exit_code: int
    drained: bool


class _Loss:
    """The first loss of the ledger; it stops everything."""

    def __init__(self, app: App) -> None:
        self._stop = app.tools.stop
        self.error: LedgerError | None = None

    def note(self, error: LedgerError) -> None:
        if self.error is None:
            self.error = error
            _log.error(events.LEDGER_FAILED, reason=error.what, where=error.where, hint=error.hint)
        self._stop.set()


def drain_limit_s(app: App) -> float:
    """How long the work under way may take after a stop."""
    names = app.campaign_names(app.sync_names())
    longest_s = max((app.settings.campaigns[n].timeouts.total_s for n in names), default=0.0)
    return longest_s + DRAIN_MARGIN_S


def run(app: App, signals: Signals, *, drain_s: float | None = None) -> Ending:
    """Run every sync and campaign on its schedule until the app's stop Event is set.

    Args:
        drain_s: how long to wait for work under way; by default as long as a request may take.

    Raises:
        ConfigError: a source's options or a mapping is wrong; nothing was started.
    """
    clock = app.tools.clock
    loss = _Loss(app)
    scheduler = schedule(app, loss.note)
    app.tools.holding.stay()
    names = app.sync_names()
    scheduler.start()
    _log.info(
        events.DAEMON_STARTED,
        version=__version__,
        pid=os.getpid(),
        syncs=len(names),
        campaigns=len(app.campaign_names(names)),
    )
    app.tools.stop.wait()
    stopped_s = clock.monotonic_s()
    if signals.received is not None:
        _log.info(events.STOP_REQUESTED, signal=signal.Signals(signals.received).name)
    drained = scheduler.drain(drain_limit_s(app) if drain_s is None else drain_s)
    if drained:
        _log.info(events.DAEMON_DRAINED, duration_s=round(clock.monotonic_s() - stopped_s, 3))
    else:
        _log.warning(events.DRAIN_OVERRAN, duration_s=round(clock.monotonic_s() - stopped_s, 3))
    code = _exit_code(loss.error, signals.received, drained=drained)
    _log.info(events.DAEMON_STOPPED, exit_code=code)
    return Ending(code, drained)


def _exit_code(lost: LedgerError | None, received: int | None, *, drained: bool) -> int:
    """A drained SIGTERM is what a supervisor asked for: 0."""
    if lost is not None:
        return lost.exit_code
    if received is None or (received == signal.SIGTERM and drained):
        return EXIT_DONE
    return 128 + received
