"""What sessions need of memory: no layer imports upward, so the memory app fills this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from accounts.actor import Actor
    from sessions_app.models import Session


@dataclass(frozen=True, slots=True)
class RecallPair:
    """A user asking through an agent.

    Attributes:
        count: how many of a session's memories could be recalled for it. words: by which clause,
            or why none.
    """

    user_id: str
    agent_id: str
    count: int
    words: str


@dataclass(frozen=True, slots=True)
class SessionRecall:
    """Who could recall what was kept from a session, if they asked now.

    Attributes:
        kept: memories that were remembered in it and are not deleted.
        pairs: those with most first; a participant's stand here also when they could recall
            nothing. all_pairs: how many there are.
        by_contact: how many the session's own contact could; None when it has none.
        withheld: what nobody recalls now: how many, and why.
    """

    kept: int
    pairs: list[RecallPair]
    all_pairs: int
    by_contact: int | None
    withheld: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class KindLine:
    """How many memories of a kind are active and not expired, and how many are kept otherwise."""

    kind: str
    active: int
    other: int

    @property
    def total(self) -> int:
        return self.active + self.other

    @property
    def words(self) -> str:
        return self.kind.replace("_", " ")


@dataclass(frozen=True, slots=True)
class KindCounts:
    """The account's memories that are not deleted, the most frequent kind first.

    Attributes:
        capped: there are more than were counted. quarantined: of them, how many wait for an admin.
    """

    lines: list[KindLine]
    quarantined: int
    capped: bool

    @property
    def active(self) -> int:
        return sum(line.active for line in self.lines)

    @property
    def other(self) -> int:
        return sum(line.other for line in self.lines)


class Memories(Protocol):
    """The questions. Each costs a number of statements that does not grow with the answer."""

    def from_messages(self, *, actor: Actor, messages: Collection[UUID]) -> dict[UUID, int]:
        """How many memories that the actor may manage came from each of these messages."""

    def could_recall(
        self, *, actor: Actor, session: Session, users: Collection[UUID], limit: int
    ) -> SessionRecall:
        """Who could recall what was kept from a session. For an ADMIN as itself.

        Args:
            users: who took part in it. limit: how many pairs are told.
        """

    def of_session(self, *, session: UUID) -> int:
        """How many memories erase_of_sessions would erase."""

    def by_kind(self, *, actor: Actor) -> KindCounts:
        """How much the account keeps. For an ADMIN as itself."""

    def erase_of_sessions(self, *, sessions: Collection[UUID]) -> int:
        """Erase what was remembered in these sessions, inside the caller's transaction."""


_given: list[Memories] = []


def provide(answers: Memories) -> None:
    """Give the answers; once, when all apps are loaded."""
    _given[:] = [answers]


def memories() -> Memories:
    """What services and pages ask."""
    return _given[0]
