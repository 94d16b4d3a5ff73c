"""How fast requests go out: a token bucket, shared by all methods of one campaign.

Must never sleep: it waits on the stop Event, so that a daemon that is told to stop does so at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from syncd.clock import Clock, SystemClock

#: Takes a turn for (seconds between two requests, burst); None: nobody else asks the campaign.
SharedTurn = Callable[[float, int], float | None]


class Pace:
    """At most `max_requests_per_second`, with a burst of one second's worth; thread-safe.

    Each caller takes its turn when it comes and waits for that turn alone: first come, first
    served, and no one wakes to find the bucket empty again.
    """

    def __init__(
        self,
        max_requests_per_second: float,
        *,
        burst: int | None = None,
        clock: Clock | None = None,
        shared: SharedTurn | None = None,
    ) -> None:
        assert max_requests_per_second > 0, "a pace of nothing would wait forever"
        assert burst is None or burst >= 1, "a burst is one request at least"
        self._interval_s = 1.0 / max_requests_per_second
        self._burst = max(1, int(max_requests_per_second)) if burst is None else burst
        self._clock = clock or SystemClock()
        self._shared = shared
        self._lock = threading.Lock()
        self._free_at_s = float("-inf")  # when the bucket will be full again

    def take_turn_s(self) -> float:
        """Take one request out of the bucket; gives the seconds to wait before sending it.

        Raises what a shared bucket raises: without a turn nothing may be sent.
        """
        if self._shared is not None:
            delay_s = self._shared(self._interval_s, self._burst)
            if delay_s is not None:
                return delay_s
        with self._lock:
            now_s = self._clock.monotonic_s()
            spare_s = self._interval_s * (self._burst - 1)
            free_at_s = max(self._free_at_s, now_s)
            self._free_at_s = free_at_s + self._interval_s
            return max(0.0, free_at_s - now_s - spare_s)

    def wait(self, stop: threading.Event) -> bool:
        """Wait for our turn. False: `stop` was set first, so send nothing."""
        delay_s = self.take_turn_s()
        return not (stop.wait(delay_s) if delay_s > 0 else stop.is_set())
