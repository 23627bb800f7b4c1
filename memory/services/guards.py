"""What must be open before something is kept: gate, pause, consent (memory.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.errors import Conflict, FailedPrecondition
from accounts.principals.models import Agent, Contact
from memory import visibility
from memory.models import Memory, State

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.guard import AccountQuerySet
    from sessions_app.models import Session


def require_gate(actor: Actor) -> None:
    """Raise FailedPrecondition, naming the switch, unless the actor's agent keeps memories.

    The agent is registered by now.
    """
    assert actor.agent.id is not None
    agent = Agent.objects.get(pk=actor.agent.id)
    if agent.memory_system == Agent.MemorySystem.STRUCTURED:
        return
    account = actor.account.account_id
    call = f"/api/v1/agents/{agent.agent_id}"
    page = f"/a/{account}/agents/{agent.agent_id}"
    raise FailedPrecondition(
        f"The agent {agent.agent_id} keeps no memories: its memory system is summarization."
        f' An admin switches it with PATCH {call} {{"memory_system": "structured"}}'
        f" or on {page}.",
        agent_id=agent.agent_id,
        switch="memory_system",
        patch=call,
        page=page,
    )


def require_unpaused(session: Session) -> None:
    """Raise FailedPrecondition while the session's memory is paused."""
    if session.memory_paused:
        raise FailedPrecondition(
            f"Memory is paused in this session. PATCH /api/v1/sessions/{session.session_id}"
            ' {"memory_paused": false} lets it go on.',
            session_id=session.session_id,
            switch="memory_paused",
        )


def require_consent(actor: Actor, contact: UUID | None) -> None:
    """Raise FailedPrecondition unless the contact agreed that something is kept about it."""
    if contact is None or consents(actor, contact):
        return
    raise FailedPrecondition(
        "This contact has not agreed that anything is kept about it."
        f" An admin records consent with PUT /api/v1/contacts/{contact}/consent.",
        contact_id=str(contact),
        switch="consent",
    )


def consents(actor: Actor, contact: UUID) -> bool:
    """Whether the contact agreed, as the account's setting `contact_consent` asks.

    Of one that counts as several merged ones, whether each did.
    """
    return Contact.objects.filter(visibility.contact_consents(actor.settings), pk=contact).exists()


def require_free_topic(memory: Memory) -> None:
    """Raise Conflict when another active memory stands for the same topic; it is named.

    Inside the caller's transaction; the unique index holds what comes in between.
    """
    if memory.topic_key is None or memory.state != State.ACTIVE:
        return
    holder = same_topic(memory).exclude(pk=memory.pk).values_list("pk", flat=True).first()
    if holder is not None:
        raise topic_taken(holder)


def topic_taken(holder: UUID) -> Conflict:
    """The refusal of a second active memory of one topic."""
    return Conflict("Another memory stands for this topic.", holder=str(holder))


def same_topic(memory: Memory) -> AccountQuerySet[Memory]:
    """The active rows of the memory's stored tuple: at most one."""
    return Memory.objects.get_queryset().filter(
        scope=memory.scope,
        user=memory.user_id,
        agent=memory.agent_id,
        contact=memory.contact_id,
        kind=memory.kind,
        topic_key=memory.topic_key,
        state=State.ACTIVE,
    )
