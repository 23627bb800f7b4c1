"""What the app above knows about principals: how much they are used.

No layer imports upward, and pages about users and agents show their sessions. So the questions
stand here, and the sessions app gives the answers when it is ready.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from accounts.actor import Actor

COUNTED = 1_000  # a list counts each row's sessions no further
SUMMED = 10_000  # a page sums over the newest sessions, and says so when there are more


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session in a list of the newest."""

    session_id: str
    title: str
    agent_id: str
    state: str
    is_live: bool
    message_count: int
    last_activity_at: datetime


@dataclass(frozen=True, slots=True)
class AgentLine:
    """How much an agent is used, for a list. `sessions` is counted to COUNTED."""

    sessions: int
    last_activity_at: datetime | None


@dataclass(frozen=True, slots=True)
class ContactLine:
    """How much a contact said, for a list. `sessions` is counted to COUNTED.

    Here and below a contact's are also those of the contacts that were merged into it.
    """

    sessions: int
    last_activity_at: datetime | None


@dataclass(frozen=True, slots=True)
class ContactUse:
    """Sums over at most SUMMED of a contact's sessions."""

    sessions: int
    messages: int

    @property
    def capped(self) -> bool:
        return self.sessions >= SUMMED


@dataclass(frozen=True, slots=True)
class Talker:
    """Who has sessions with an agent: a user, or a contact.

    Attributes:
        kind: user, contact or group. id: of a user. name, platform: of a contact.
    """

    kind: str
    id: str
    name: str
    platform: str
    sessions: int


@dataclass(frozen=True, slots=True)
class AgentUse:
    """Sums over an agent's newest SUMMED sessions; `capped` when it has more.

    Attributes:
        with_contact: sessions that have a contact. contacts: how many contacts those are.
        recent_*: of the last 30 days; messages are those of sessions that began in them.
        talkers: who has most sessions; `other_sessions` are those of everybody else.
    """

    sessions: int
    messages: int
    with_contact: int
    contacts: int
    recent_sessions: int
    recent_messages: int
    recent_active: int
    talkers: list[Talker]
    others: int
    other_sessions: int

    @property
    def capped(self) -> bool:
        return self.sessions >= SUMMED


class Usage(Protocol):
    """The questions. Each costs a number of statements that does not grow with the answer."""

    def sessions_of(self, *, users: Collection[UUID]) -> dict[UUID, int]:
        """How many sessions each of these users owns, counted to COUNTED."""

    def latest_sessions(
        self, *, actor: Actor, user_id: str = "", contact: UUID | None = None, limit: int
    ) -> list[SessionLine]:
        """The user's or the contact's sessions that the actor sees, newest activity first; the
        look is noted."""

    def contacts(self, *, contacts: Collection[UUID]) -> dict[UUID, ContactLine]:
        """How much each of these contacts said."""

    def contact(self, *, contact: UUID) -> ContactUse:
        """How much a contact said."""

    def agents(self, *, agents: Collection[UUID]) -> dict[UUID, AgentLine]:
        """How much each of these agents is used."""

    def agent(self, *, agent: UUID) -> AgentUse:
        """How an agent is used, and by whom."""

    def session_ids(self, *, actor: Actor, keys: Collection[UUID]) -> dict[UUID, str]:
        """The ids of those of these sessions that the actor sees: names in the audit log."""


_given: list[Usage] = []


def provide(answers: Usage) -> None:
    """Give the answers; once, when all apps are loaded."""
    _given[:] = [answers]


def usage() -> Usage:
    """What the pages ask."""
    return _given[0]
