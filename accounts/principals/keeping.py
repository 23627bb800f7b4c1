"""What the app above keeps about principals: how much, and taking it along when they go.

No layer imports upward. So the questions stand here, and the memory app gives the answers when it
is ready; usage.py is the same for sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from accounts.actor import Actor


@dataclass(frozen=True, slots=True)
class GateEffect:
    """What an agent's switch to structured memory shows, and what turning it off hides.

    Attributes:
        of_agent: memories kept with the agent that are active, and to which their contacts agreed.
        of_others: memories of other agents that it can recall for their users.
        of_contacts: memories kept with it that carry the stamp of a contact, agreed or not.
        contacts: the contacts of whom something is kept with it. agreeing: those that agreed.
    """

    of_agent: int
    of_others: int
    of_contacts: int
    contacts: int
    agreeing: int


@dataclass(frozen=True, slots=True)
class UserStock:
    """What is kept of one user, of its own scope.

    Attributes:
        active: and not expired. kept: all that is not deleted. rows: with what is marked as
            deleted, which an erasure takes too.
    """

    active: int
    kept: int
    rows: int


@dataclass(frozen=True, slots=True)
class MemoryLine:
    """One memory in a list of the newest.

    Attributes:
        words: its summary, or what it says. hidden_by: what keeps it from being recalled, in
            words; empty: nothing does; mark: the shape that stands for it. changed_at: since when
            it is so.
    """

    id: UUID
    words: str
    user_id: str
    agent_id: str
    scope: str
    kind: str
    mark: str
    hidden_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class ConsentStand:
    """Whether something may be kept about a contact, and by what that is so.

    Attributes:
        state: the contact's last word: granted, withdrawn, or none. asked: the account's setting,
            by which silence is read. said_at, channel, expires_at: of the last word.
    """

    consents: bool
    state: str
    asked: str
    said_at: datetime | None
    channel: str
    expires_at: datetime | None


class Keeping(Protocol):
    """The questions. Each costs a number of statements that does not grow with the answer."""

    def of_agents(self, *, agents: Collection[UUID]) -> dict[UUID, int]:
        """How many active memories were kept with each of these agents."""

    def of_users(self, *, users: Collection[UUID]) -> dict[UUID, int]:
        """How many active memories of its own each of these users has."""

    def of_contacts(self, *, actor: Actor, contacts: Collection[UUID]) -> dict[UUID, int]:
        """How many active memories carry the stamp of each of these contacts, by root."""

    def gate_effect(self, *, actor: Actor, agent: UUID) -> GateEffect:
        """What the switch of an agent does, in numbers."""

    def memory_ids(self, *, actor: Actor, keys: Collection[UUID]) -> set[UUID]:
        """Those of these memories that the actor may open: links in the audit log."""

    def of_user(self, *, user: UUID) -> UserStock:
        """What is kept of this user."""

    def held_of_contact(self, *, contact: UUID) -> int:
        """How many memories, deleted ones too, are of this contact and those that count as it."""

    def latest_of_contact(self, *, actor: Actor, contact: UUID, limit: int) -> list[MemoryLine]:
        """The contact's memories that the actor may manage, the newest first; the look is noted."""

    def consent_of(self, *, actor: Actor, contact: UUID) -> ConsentStand:
        """How a contact stands to being remembered."""

    def erase_of_user(self, *, user: UUID) -> int:
        """Erase the user's own memories inside the caller's transaction; how many."""


_given: list[Keeping] = []


def provide(answers: Keeping) -> None:
    """Give the answers; once, when all apps are loaded."""
    _given[:] = [answers]


def keeping() -> Keeping:
    """What the pages ask."""
    return _given[0]
