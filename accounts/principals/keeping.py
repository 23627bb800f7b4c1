"""What the app above keeps about principals: how much, and taking it along when they go.

No layer imports upward. So the questions stand here, and the memory app gives the answers when it
is ready; usage.py is the same for sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from accounts.actor import Actor


@dataclass(frozen=True, slots=True)
class GateEffect:
    """What an agent's switch to structured memory shows, and what turning it off hides.

    Attributes:
        of_agent: memories kept with the agent that are active.
        of_others: memories of other agents that it can recall for their users.
        contacts: the contacts of whom something is kept with it. agreeing: those that agreed.
    """

    of_agent: int
    of_others: int
    contacts: int
    agreeing: int


class Keeping(Protocol):
    """The questions. Each costs a number of statements that does not grow with the answer."""

    def of_agents(self, *, agents: Collection[UUID]) -> dict[UUID, int]:
        """How many active memories were kept with each of these agents."""

    def of_users(self, *, users: Collection[UUID]) -> dict[UUID, int]:
        """How many active memories of its own each of these users has."""

    def of_contacts(self, *, contacts: Collection[UUID]) -> dict[UUID, int]:
        """How many active memories carry the stamp of each of these contacts, by root."""

    def gate_effect(self, *, actor: Actor, agent: UUID) -> GateEffect:
        """What the switch of an agent does, in numbers."""

    def memory_ids(self, *, actor: Actor, keys: Collection[UUID]) -> set[UUID]:
        """Those of these memories that the actor may open: links in the audit log."""

    def erase_of_user(self, *, user: UUID) -> int:
        """Erase the user's own memories inside the caller's transaction; how many."""


_given: list[Keeping] = []


def provide(answers: Keeping) -> None:
    """Give the answers; once, when all apps are loaded."""
    _given[:] = [answers]


def keeping() -> Keeping:
    """What the pages ask."""
    return _given[0]
