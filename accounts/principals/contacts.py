"""Naming a contact: by header, by parameter, as the speaker of a message.

A contact named by any means always narrows (isolation.md, Contacts). Everything here either
returns an actor that is narrowed to exactly one contact, or raises.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from accounts.actor import Actor, ContactRef, Principal, Role, Scope
from accounts.errors import Conflict, InvalidArgument, NotFound, PermissionDenied
from accounts.http.parser import check_text
from accounts.principals.models import Contact, ContactHandle

if TYPE_CHECKING:
    from accounts.guard import AccountQuerySet

PEER = ContactHandle.Platform.PEER
MAX_PLATFORM_ID = 255


def narrowed_by_header(
    actor: Actor, contact: str | None, peer: str | None, *, named_user: UUID | None
) -> Actor:
    """Narrow to the contact that the headers name; its owner becomes the effective user.

    Args:
        named_user: whom a User header beside it names, if any: the key's own user or the owner.

    Raises:
        InvalidArgument: malformed, or two headers that name different contacts.
        PermissionDenied: the credential may not name contacts.
        NotFound: no such contact, or a User header beside it names someone else than its owner.
    """
    if contact is not None and peer is not None:
        raise InvalidArgument("X-Bailiwick-Contact and X-OpenViking-Actor-Peer cannot both stand.")
    if peer is not None:
        return replace(actor, contact=peer_of(actor, peer))
    assert contact is not None
    found = _named(actor, contact)
    own = actor.principal.id if actor.principal else None
    if named_user not in (None, own, found.owner.id):
        raise NotFound("contact", contact)
    return replace(actor, contact=found, user=found.owner)


def narrowed_by_parameter(actor: Actor, contact: str | None) -> Actor:
    """As a header, for a `contact_id` in a body or query; it must not contradict the header.

    Raises:
        Conflict: a header names another contact already.
        NotFound: no such contact, or the effective user is neither one's own nor its owner.
    """
    if contact is None:
        return actor
    found = _named(actor, contact)
    own = actor.principal.id if actor.principal else None
    if actor.contact is None and actor.user.id not in (own, found.owner.id):
        raise NotFound("contact", contact)
    if actor.contact is not None and actor.contact.id != found.id:
        raise Conflict("contact_id contradicts the contact that the header names.")
    return replace(actor, contact=found, user=found.owner)


def peer_of(actor: Actor, peer: str) -> ContactRef:
    """The peer of the actor's effective user; one that never wrote has no id yet.

    Raises:
        InvalidArgument: an id that is empty or too long.
        PermissionDenied: the key lacks the scope `write`.
    """
    if Scope.WRITE not in actor.scopes:
        raise PermissionDenied("This key lacks the scope 'write'.", scope=Scope.WRITE)
    platform_id = _platform_id(peer)
    handle = (
        _handles()
        .filter(owner=actor.user.id, platform=PEER, platform_id=platform_id)
        .filter(kind=Contact.Kind.EXTERNAL)
        .first()
    )
    return ContactRef(_root(handle.contact) if handle else None, actor.user, PEER, platform_id)


def _named(actor: Actor, text: str) -> ContactRef:
    """The contact that a UUID or `platform:id` names, for someone who may name it."""
    platform, colon, platform_id = text.partition(":")
    if colon and platform.lower() == PEER:
        found = peer_of(actor, platform_id)
        if found.id is None:
            raise NotFound("contact", text)
        return found
    free = Scope.GATEWAY in actor.scopes or actor.role is not Role.USER
    contact = _by_handle(platform, platform_id) if colon else _by_id(text)
    if contact is not None and not contact.owner.is_active:
        contact = None  # nobody acts for a deleted user
    own = contact is not None and contact.owner_id == actor.user.id and _is_peer(contact)
    if not free and not (own and Scope.WRITE in actor.scopes):
        raise PermissionDenied("Naming a contact needs a gateway key or an admin.")
    if contact is None:
        raise NotFound("contact", text)
    return ContactRef(_root(contact), Principal(contact.owner.pk, contact.owner.user_id))


def _by_id(text: str) -> Contact | None:
    try:
        row = UUID(text)
    except ValueError:
        raise InvalidArgument(
            "A contact is named by its UUID, or as platform:id.", field="contact"
        ) from None
    return Contact.objects.select_related("owner").filter(pk=row).first()


def _by_handle(platform: str, platform_id: str) -> Contact | None:
    """Contacts that gateways and admins make belong to the account's default user."""
    platform = platform.lower()
    if platform not in ContactHandle.Platform.values:
        raise InvalidArgument(
            f"platform must be one of {', '.join(ContactHandle.Platform.values)}.",
            field="platform",
        )
    handle = (
        _handles()
        .filter(platform=platform, platform_id=_platform_id(platform_id), owner__is_default=True)
        .order_by("kind")  # a person before a group of the same id
        .first()
    )
    return handle.contact if handle else None


def _platform_id(text: str) -> str:
    check_text(text)
    text = text.strip()
    if not 1 <= len(text) <= MAX_PLATFORM_ID:
        raise InvalidArgument(
            f"A contact's id on its platform has 1 to {MAX_PLATFORM_ID} characters.",
            field="contact",
        )
    return text


def _handles() -> AccountQuerySet[ContactHandle]:
    return ContactHandle.objects.get_queryset().select_related("contact", "contact__owner")


def _root(contact: Contact) -> UUID:
    """Merging moves no row: everything about a merged contact is its root's."""
    return contact.merged_into_id or contact.pk


def _is_peer(contact: Contact) -> bool:
    return contact.handles.filter(platform=PEER).exists()
