"""Who the author of a message is: the rules on role_id (isolation.md), and speakers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from uuid_utils.compat import uuid7

from accounts.actor import AgentRef, ContactRef, Principal
from accounts.errors import InvalidArgument
from accounts.names import check_id
from accounts.principals.access import user_by_id
from accounts.principals.contacts import peer_of
from accounts.principals.models import ContactHandle
from accounts.principals.services import (
    agent_on_sight,
    registered_contact,
    user_on_sight,
    with_everyone_registered,
)
from sessions_app import access
from sessions_app.models import Message
from sessions_app.services.sessions import named_agent

if TYPE_CHECKING:
    from accounts.actor import Actor
    from sessions_app.models import Session
    from sessions_app.services.append import MessageInput


@dataclass(frozen=True, slots=True)
class Author:
    """Who speaks: a user, an agent or a contact. None of them for system and tool.

    In the session of a group the contact is the group's member.
    """

    role_id: str | None
    user: Principal | None = None
    agent: AgentRef | None = None
    contact: ContactRef | None = None

    @property
    def is_known(self) -> bool:
        """Whether everyone that it names is registered already."""
        return (
            (self.user is None or self.user.registered)
            and (self.agent is None or self.agent.id is not None)
            and (self.contact is None or self.contact.id is not None)
        )


def author_of(actor: Actor, session_id: str, message: MessageInput) -> Author:
    """Rules 1 to 4 on role_id (isolation.md)."""
    if message.role_id_sent and not actor.names_authors:
        raise InvalidArgument("role_id may be set by admins only.", field="role_id")
    given = message.role_id or None
    if given is not None:
        check_id(given, "role_id")
    speaker = peer_of(actor, message.peer_id) if message.peer_id else actor.contact
    if message.role == Message.Role.USER:
        member = _group_member(actor, session_id, given)
        return member or _speaking_user(actor, given, speaker)
    if message.role == Message.Role.ASSISTANT:
        agent = named_agent(actor, given)
        return Author(agent.agent_id, agent=agent)
    return Author(given)


def _group_member(actor: Actor, session_id: str, given: str | None) -> Author | None:
    """A member of the group that the session is with, if one who spoke in it is named."""
    if given is None or actor.contact is None or not actor.contact.is_group:
        return None
    try:
        row = UUID(given)
    except ValueError:
        return None
    seen = access.sessions_of(actor).filter(
        session_id__lower=session_id.lower(), participants__contact=row
    )
    return Author(str(row), contact=ContactRef(row, actor.contact.owner)) if seen.exists() else None


def _speaking_user(actor: Actor, given: str | None, speaker: ContactRef | None) -> Author:
    if speaker is not None and given in (None, str(speaker.id)):
        # A peer that is new gets its id, and with it its role_id, when it is registered.
        return Author(str(speaker.id) if speaker.id else None, contact=speaker)
    if given is None or given.lower() == actor.user.user_id.lower():
        return Author(actor.user.user_id, user=actor.user)
    found = user_by_id(given)
    if found is not None:
        return Author(found.user_id, user=Principal(found.pk, found.user_id))
    if actor.trusted:
        return Author(given, user=Principal(uuid7(), given, registered=False))
    raise InvalidArgument("role_id names no user of this account.", field="role_id")


def with_author_registered(actor: Actor, author: Author) -> tuple[Actor, Author]:
    """Register on sight whoever is new, inside the caller's transaction."""
    actor = with_everyone_registered(actor, actor.agent)
    if author.user is not None:
        own = author.user.user_id.lower() == actor.user.user_id.lower()
        user = actor.user if own else user_on_sight(actor=actor, user=author.user)
        author = replace(author, user=user, role_id=user.user_id)
    if author.agent is not None:
        author = replace(author, agent=agent_on_sight(actor=actor, agent=author.agent))
    if author.contact is not None:
        contact = registered_contact(actor, author.contact, actor.user)
        author = replace(author, contact=contact, role_id=str(contact.id))
    return actor, author


def may_speak(actor: Actor, session: Session, speaker: ContactRef) -> bool:
    """Whether a contact's words fit the session: the contact it is with, or a group's member."""
    if session.contact is None:
        return True
    return (actor.contact is not None and actor.contact.is_group) or (
        session.contact.root == speaker.id
    )


def is_author(found: Message, author: Author) -> bool:
    """Whether a message that is there already is this author's."""
    if author.contact is None:
        return found.role_id == author.role_id
    if author.contact.id is not None:
        return found.contact_id == author.contact.id
    # New when it was looked up; made meanwhile, if the same request came twice at once.
    handles = ContactHandle.objects.filter(
        contact=found.contact_id,
        platform=author.contact.platform,
        platform_id=author.contact.platform_id,
    )
    return found.contact_id is not None and handles.exists()
