"""How a submit knows that more jobs are being staged while it sends: a backfill feeds it."""

from __future__ import annotations

import threading

_WAIT_S = 0.2


class Feed:
    """What the thread that stages tells the thread that sends."""

    def __init__(self) -> None:
        self.staged = threading.Event()  #: something was staged since the last look
        self.ended = threading.Event()  #: nothing more will be staged

    def end(self) -> None:
        """Nothing more comes; who waits is woken."""
        self.ended.set()
        self.staged.set()

    def wait(self) -> None:
        """Wait a little for more."""
        if not self.ended.is_set():
            self.staged.wait(_WAIT_S)
            self.staged.clear()


def _ended() -> Feed:
    feed = Feed()
    feed.end()
    return feed


#: The feed of a submit that sends what is staged already.
NOTHING_MORE = _ended()
