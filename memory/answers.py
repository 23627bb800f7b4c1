"""What the apps below ask about memories: accounts.principals.keeping and sessions_app.ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memory import access, selectors, services

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.principals.keeping import GateEffect


class MemoryAnswers:
    """The answers; see Keeping and Memories."""

    def of_agents(self, *, agents: Collection[UUID]) -> dict[UUID, int]:
        return selectors.kept_with(agents=agents)

    def of_users(self, *, users: Collection[UUID]) -> dict[UUID, int]:
        return selectors.kept_of_users(users=users)

    def of_contacts(self, *, contacts: Collection[UUID]) -> dict[UUID, int]:
        return selectors.kept_of_contacts(contacts=contacts)

    def gate_effect(self, *, actor: Actor, agent: UUID) -> GateEffect:
        return selectors.gate_effect(actor=actor, agent_id=agent)

    def memory_ids(self, *, actor: Actor, keys: Collection[UUID]) -> set[UUID]:
        return access.memory_ids(actor, keys)

    def from_messages(self, *, actor: Actor, messages: Collection[UUID]) -> dict[UUID, int]:
        return selectors.kept_from(actor=actor, messages=messages)

    def erase_of_user(self, *, user: UUID) -> int:
        return services.erase_of_user(user=user)

    def erase_of_sessions(self, *, sessions: Collection[UUID]) -> int:
        return services.erase_of_sessions(sessions=sessions)
