"""What sessions need of memory: no layer imports upward, so the memory app fills this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from accounts.actor import Actor


class Memories(Protocol):
    """The questions. Each costs a number of statements that does not grow with the answer."""

    def from_messages(self, *, actor: Actor, messages: Collection[UUID]) -> dict[UUID, int]:
        """How many memories that the actor may manage came from each of these messages."""

    def erase_of_sessions(self, *, sessions: Collection[UUID]) -> int:
        """Erase what was remembered in these sessions, inside the caller's transaction."""


_given: list[Memories] = []


def provide(answers: Memories) -> None:
    """Give the answers; once, when all apps are loaded."""
    _given[:] = [answers]


def memories() -> Memories:
    """What services and pages ask."""
    return _given[0]
