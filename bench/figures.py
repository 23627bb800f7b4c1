"""Latencies as rates and percentiles, and medians over rounds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Burst:
    """What was measured without a pause.

    Attributes:
        seconds: from the first request to the last answer.
        latencies: seconds of each request, in order of the answers.
    """

    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        """Milliseconds that so many percent of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


@dataclass(frozen=True, slots=True)
class Summary:
    """Medians over several bursts of the same work: one noisy round does not count."""

    count: int
    rate: float
    p50: float  # milliseconds, as all below
    p95: float
    p99: float


def summary(bursts: Iterable[Burst]) -> Summary:
    """The medians of each burst's rate and percentiles."""
    kept = list(bursts)
    return Summary(
        count=sum(len(burst.latencies) for burst in kept),
        rate=median(burst.rate for burst in kept),
        p50=median(burst.percentile(50) for burst in kept),
        p95=median(burst.percentile(95) for burst in kept),
        p99=median(burst.percentile(99) for burst in kept),
    )


def milliseconds(seconds: Iterable[float]) -> float:
    """The median of some times, in milliseconds."""
    return 1000 * median(seconds)
