"""Naming a contact: by header, by parameter, as the speaker of a message.

A contact named by any means always narrows (isolation.md, Contacts). Everything here either
returns an actor that is narrowed to exactly one contact, or raises.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Case, Q, When

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
    own = actor.principal.id if actor.principal else None
    user = _bound_user(actor, contact)
    found = None if user else _named(actor, contact)
    effective = user or (found.owner if found else actor.user)
    if named_user not in (None, own, effective.id):
        raise NotFound("contact", contact)
    return replace(actor, contact=found, user=effective, addressed=user is not None)


def narrowed_by_parameter(actor: Actor, contact: str | None) -> Actor:
    """As a header, for a `contact_id` in a body or query; it must not contradict the header.

    Raises:
        Conflict: a header names another contact already.
        NotFound: no such contact, or the effective user is neither one's own nor its owner.
    """
    if contact is None:
        return actor
    user = _bound_user(actor, contact)
    if user is not None and actor.contact is None:
        if actor.user.id not in (actor.principal and actor.principal.id, user.id):
            raise NotFound("contact", contact)
        return replace(actor, user=user, addressed=True)
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
    platform_id = check_platform_id(peer, PEER)
    handle = (
        handles()
        .filter(owner=actor.user.id, platform=PEER, platform_id=platform_id)
        .filter(kind=Contact.Kind.EXTERNAL)
        .first()
    )
    return ContactRef(handle.contact.root if handle else None, actor.user, PEER, platform_id)


def _bound_user(actor: Actor, text: str) -> Principal | None:
    """The user of the account that a sender is, for someone who may name any sender.

    The session of such a sender has no contact, and its own words are nobody else's: a gateway that
    names the address acts for the user.
    """
    platform, colon, platform_id = text.partition(":")
    free = Scope.GATEWAY in actor.scopes or actor.role is not Role.USER
    if not colon or not free or platform.lower() == PEER:
        return None
    handle = _handle_at(platform, platform_id)
    if handle is None or handle.user is None or not handle.user.is_active:
        return None
    return Principal(handle.user.pk, handle.user.user_id)


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
    return contact_ref(contact)


def contact_ref(contact: Contact) -> ContactRef:
    """Narrowed to this contact. Merging moves no row: all of a merged contact is its root's."""
    return ContactRef(
        contact.root,
        Principal(contact.owner.pk, contact.owner.user_id),
        is_group=contact.kind == Contact.Kind.GROUP,
        display_name=contact.display_name,
    )


def contact_again(contact: ContactRef) -> ContactRef:
    """The same contact as it is now. Raises NotFound when it is gone."""
    row = _by_id(str(contact.id)) if contact.id else None
    if row is None:
        raise NotFound("contact", str(contact.id))
    return contact_ref(row)


def contacts_of(actor: Actor) -> AccountQuerySet[Contact]:
    """The contacts that the actor may look at (isolation.md, Contacts).

    Narrowed to a contact: that one. An ADMIN as itself: all. Else one's own, and for a gateway
    those of the default user, which are the ones that gateways make.
    """
    rows = Contact.objects.get_queryset().select_related("owner")
    if not actor.user.registered:
        return rows.none()
    if actor.contact is not None:
        return rows.filter(pk=actor.contact.id) if actor.contact.id else rows.none()
    if actor.is_admin:
        return rows
    seen = Q(owner=actor.user.id)
    if Scope.GATEWAY in actor.scopes and not actor.addressed:
        seen |= Q(owner__is_default=True)
    return rows.filter(seen)


def contact_for(actor: Actor, contact_id: UUID, *, lock: bool = False) -> Contact:
    """The contact of that id, or NotFound; InvalidArgument for what is no UUID."""
    rows = contacts_of(actor).filter(pk=contact_id)
    found = (rows.select_for_update(of=("self",)) if lock else rows).first()
    if found is None:
        raise NotFound("contact", str(contact_id))
    return found


def _by_id(text: str) -> Contact | None:
    try:
        row = UUID(text)
    except ValueError:
        raise InvalidArgument(
            "A contact is named by its UUID, or as platform:id.", field="contact"
        ) from None
    return Contact.objects.select_related("owner").filter(pk=row).first()


def _by_handle(platform: str, platform_id: str) -> Contact | None:
    handle = _handle_at(platform, platform_id)
    return handle.contact if handle else None


def _handle_at(platform: str, platform_id: str) -> ContactHandle | None:
    """Contacts that gateways and admins make belong to the account's default user."""
    platform = check_platform(platform)
    at = check_platform_id(platform_id, platform)
    return (
        handles()
        .filter(platform=platform, platform_id=at, owner__is_default=True)
        # A person before a group of the same id.
        .order_by(Case(When(kind=Contact.Kind.GROUP, then=1), default=0), "kind")
        .first()
    )


def merge_refusal(first: Contact, other: Contact) -> str:
    """Why a contact cannot count as another one; empty when it can."""
    if first.root == other.root:
        return "These are one contact already."
    if first.merged_into_id is not None:
        return "This contact is merged into another one already; unmerge it first."
    if first.owner_id != other.owner_id:
        return "Only contacts of one owner can be merged."
    if (first.kind == Contact.Kind.GROUP) != (other.kind == Contact.Kind.GROUP):
        return "A group and a person cannot be merged."
    return ""


def check_platform(text: str) -> str:
    """A platform's name in lower case. Raises InvalidArgument with the valid ones."""
    platform = text.lower()
    if platform not in ContactHandle.Platform.values:
        raise InvalidArgument(
            f"platform must be one of {', '.join(ContactHandle.Platform.values)}.",
            field="platform",
        )
    return platform


def check_kind(text: str) -> None:
    """Raise InvalidArgument with the valid kinds of contacts, unless it is one."""
    if text not in Contact.Kind.values:
        raise InvalidArgument(
            f"kind must be one of {', '.join(Contact.Kind.values)}.", field="kind"
        )


def check_platform_id(text: str, platform: str, field: str = "contact") -> str:
    """An id on a platform without the space around it; an e-mail address in lower case."""
    check_text(text)
    text = text.strip()
    if platform == ContactHandle.Platform.EMAIL:
        text = text.lower()
    if not 1 <= len(text) <= MAX_PLATFORM_ID:
        raise InvalidArgument(
            f"A contact's id on its platform has 1 to {MAX_PLATFORM_ID} characters.",
            field=field,
        )
    return text


def handles() -> AccountQuerySet[ContactHandle]:
    """All handles with their contacts, owners and bound users, for services of this app."""
    return ContactHandle.objects.get_queryset().select_related("contact", "contact__owner", "user")


def _is_peer(contact: Contact) -> bool:
    return contact.handles.filter(platform=PEER).exists()
