"""The geometry of small charts: numbers in, places in an SVG out. Knows no page and no colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BAR_GAP = 2.0
DOT_RADIUS = 1.75


@dataclass(frozen=True, slots=True)
class Bar:
    """One value as an upright bar, in the chart's own units; y grows downward."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """A run of values as points from left to right; the last one gets a dot."""

    points: tuple[tuple[float, float], ...]

    @property
    def path(self) -> str:
        """The points as a `polyline` takes them: `0,14 4,9.5`."""
        return " ".join(f"{x:g},{y:g}" for x, y in self.points)

    @property
    def last(self) -> tuple[float, float]:
        return self.points[-1]


def bars(values: Sequence[int], width: float, height: float) -> list[Bar]:
    """Place one bar for each value, all from the same baseline, the highest as high as the chart.

    A value above 0 is at least 1 unit high: little is not nothing. Values must not be negative.
    """
    if not values:
        return []
    top = max(values)
    step = (width + BAR_GAP) / len(values)
    return [
        _bar(value, top, place * step, step - BAR_GAP, height) for place, value in enumerate(values)
    ]


def _bar(value: int, top: int, x: float, width: float, height: float) -> Bar:
    tall = max(value * height / top, 1.0) if value else 0.0
    return Bar(round(x, 2), round(height - tall, 2), round(width, 2), round(tall, 2))


def sparkline(values: Sequence[int], width: float, height: float) -> Line | None:
    """Join the values by a line within the box, with room for the dot; None for none at all.

    From 0 to the highest, so that a quiet row lies at the foot instead of shaking over its whole
    height.
    """
    if not values:
        return None
    top = max(values) or 1
    room = height - 2 * DOT_RADIUS
    step = (width - 2 * DOT_RADIUS) / max(len(values) - 1, 1)
    return Line(
        tuple(
            (
                round(DOT_RADIUS + place * step, 2),
                round(DOT_RADIUS + room * (1 - value / top), 2),
            )
            for place, value in enumerate(values)
        )
    )
