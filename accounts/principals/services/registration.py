"""Registering on sight everyone that a write names: user, contact, agent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from accounts.principals.services.agents import agent_on_sight
from accounts.principals.services.contacts import contact_on_sight, user_on_sight

if TYPE_CHECKING:
    from accounts.actor import Actor, AgentRef, ContactRef, Principal


def with_everyone_registered(actor: Actor, agent: AgentRef) -> Actor:
    """The actor with that agent, after registering on sight whoever is new.

    Inside the caller's transaction: a refused write registers nobody.
    """
    principal = actor.principal
    if principal is not None:
        principal = user_on_sight(actor=actor, user=principal)
    own = actor.principal is not None and actor.principal.id == actor.user.id
    user = principal if own and principal else user_on_sight(actor=actor, user=actor.user)
    actor = replace(actor, principal=principal, user=user)
    contact = registered_contact(actor, actor.contact, user) if actor.contact else None
    return replace(actor, contact=contact, agent=agent_on_sight(actor=actor, agent=agent))


def registered_contact(actor: Actor, contact: ContactRef, user: Principal) -> ContactRef:
    """The contact, made if new; a peer of a user who was just registered is that user's."""
    if not contact.owner.registered:
        contact = replace(contact, owner=user)
    return contact_on_sight(actor=actor, contact=contact)
