"""Rate limit: a token bucket for each credential, in each process.

It protects the others from one client that runs wild. It is kept in memory, so that it costs no
statement; with several processes a credential gets the limit from each of them.
"""

from __future__ import annotations

import math
import time
from threading import Lock
from typing import TYPE_CHECKING

from django.conf import settings

from accounts.errors import ResourceExhausted

if TYPE_CHECKING:
    from collections.abc import Hashable

BURST = 2  # seconds' worth of requests that may come at once
MAX_BUCKETS = 10_000


class Throttle:
    """Buckets by credential: each holds `BURST * rate` tokens and refills at `rate` a second."""

    def __init__(self) -> None:
        self._buckets: dict[Hashable, tuple[float, float]] = {}
        self._lock = Lock()

    def take(self, credential: Hashable) -> None:
        """Take one token.

        Raises:
            ResourceExhausted: the bucket is empty; `retry_after` says for how many seconds.
        """
        rate = settings.RATE_LIMIT
        if not rate:
            return
        now = time.monotonic()
        with self._lock:
            if len(self._buckets) >= MAX_BUCKETS:
                self._buckets.pop(next(iter(self._buckets)))
            tokens, since = self._buckets.get(credential, (float(BURST * rate), now))
            tokens = min(float(BURST * rate), tokens + (now - since) * rate)
            if tokens < 1:
                raise ResourceExhausted(
                    "Too many requests with this key.", retry_after=math.ceil((1 - tokens) / rate)
                )
            self._buckets[credential] = (tokens - 1, now)


throttle = Throttle()
