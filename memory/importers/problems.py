"""What could not be read, held in constant memory and said once, however often a source is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from memory.importers.plain import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

EACH, ALL = 100, 10_000  # told one by one; the others are counted


@dataclass(slots=True)
class _Place:
    told: list[Problem] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    further: int = 0
    lost: int = 0


class ProblemLog:
    """Problems by place (a file, a session): what is read anew is told anew, not twice."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._told = 0

    def begin(self, place: str) -> None:
        """Forget what was said of the place."""
        gone = self._places.pop(place, None)
        if gone is not None:
            self._told -= len(gone.told)

    def add(self, place: str, where: str, what: str, lost: int = 0) -> None:
        """Tell of something at the place. Args: as of Problem."""
        at = self._places.setdefault(place, _Place())
        if len(at.told) < EACH and self._told < ALL:
            at.told.append(Problem(where, what, lost))
            self._told += 1
        else:
            at.further += 1
            at.lost += lost

    def once(self, place: str, where: str, what: str) -> None:
        """Tell of something that holds for the whole place, the first time only."""
        at = self._places.setdefault(place, _Place())
        if what not in at.said:
            at.said.add(what)
            self.add(place, where, what)

    def __iter__(self) -> Iterator[Problem]:
        for place, at in self._places.items():
            yield from at.told
            if at.further:
                yield Problem(place, f"{at.further:,} more problems here.", at.lost)
