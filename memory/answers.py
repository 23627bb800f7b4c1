"""What the apps below ask about memories: accounts.principals.keeping and sessions_app.ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memory import access, selectors, services
from memory.lines import memory_line

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.principals.keeping import ConsentStand, GateEffect, MemoryLine, UserStock
    from sessions_app.models import Session
    from sessions_app.ports import KindCounts, SessionRecall


class MemoryAnswers:
    """The answers; see Keeping and Memories."""

    def of_agents(self, *, agents: Collection[UUID]) -> dict[UUID, int]:
        return selectors.kept_with(agents=agents)

    def of_users(self, *, users: Collection[UUID]) -> dict[UUID, int]:
        return selectors.kept_of_users(users=users)

    def of_contacts(self, *, actor: Actor, contacts: Collection[UUID]) -> dict[UUID, int]:
        return selectors.kept_of_contacts(actor=actor, contacts=contacts)

    def gate_effect(self, *, actor: Actor, agent: UUID) -> GateEffect:
        return selectors.gate_effect(actor=actor, agent_id=agent)

    def memory_ids(self, *, actor: Actor, keys: Collection[UUID]) -> set[UUID]:
        return access.memory_ids(actor, keys)

    def from_messages(self, *, actor: Actor, messages: Collection[UUID]) -> dict[UUID, int]:
        return selectors.kept_from(actor=actor, messages=messages)

    def of_user(self, *, user: UUID) -> UserStock:
        return selectors.user_stock(user=user)

    def held_of_contact(self, *, contact: UUID) -> int:
        return selectors.held_of_contact(contact=contact)

    def latest_of_contact(self, *, actor: Actor, contact: UUID, limit: int) -> list[MemoryLine]:
        where = selectors.MemoryFilter(contact=contact, state=selectors.KEPT)
        found = services.memories_read(actor=actor, where=where, limit=limit)
        return [memory_line(row) for row in found.rows]

    def consent_of(self, *, actor: Actor, contact: UUID) -> ConsentStand:
        return selectors.consent_stand(actor=actor, contact_id=contact)

    def could_recall(
        self, *, actor: Actor, session: Session, users: Collection[UUID], limit: int
    ) -> SessionRecall:
        return selectors.session_recall(actor=actor, session=session, users=users, limit=limit)

    def of_session(self, *, session: UUID) -> int:
        return selectors.held_of_session(session=session)

    def by_kind(self, *, actor: Actor) -> KindCounts:
        return selectors.kind_counts(actor=actor)

    def erase_of_user(self, *, user: UUID) -> int:
        return services.erase_of_user(user=user)

    def erase_of_sessions(self, *, sessions: Collection[UUID]) -> int:
        return services.erase_of_sessions(sessions=sessions)
