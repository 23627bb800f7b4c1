"""Whose a turn is: the contact, the group or the user behind a channel's addresses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db.models import F

from accounts.actor import Actor, ContactRef, Principal
from accounts.principals.contacts import contact_ref, handles
from accounts.principals.models import Contact, ContactHandle
from accounts.principals.services import Sender, contact_on_sight, contact_owner, sender_ref
from sessions_app.services.authors import Author

if TYPE_CHECKING:
    from uuid import UUID

    from sessions_app.models import Message

PEOPLE = (Contact.Kind.EXTERNAL, Contact.Kind.PERSONAL)


@dataclass(frozen=True, slots=True)
class Known:
    """Who a sender is as far as the account knows, without making anybody."""

    contact: UUID | None  # the root
    user: Principal | None  # to whom the address is bound


def known(sender: Sender) -> Known:
    """Who the sender is now."""
    handle = handle_of(sender)
    if handle is None:
        return Known(None, None)
    return Known(handle.contact.root, bound_user(handle))


def resolved(actor: Actor, sender: Sender) -> tuple[ContactRef, Principal | None]:
    """The contact that a sender is, made when new; and the user that its address is bound to.

    Inside the caller's transaction, which holds the contact until it ends: what is said belongs to
    who the sender is when it is kept, whatever is merged, undone or deleted meanwhile.
    """
    found = handle_of(sender, hold=True)
    if found is None:
        return contact_on_sight(actor=actor, contact=sender_ref(sender, contact_owner(actor))), None
    if sender.username and found.username != sender.username:
        found.username = sender.username
        found.save(update_fields=["username"])
    return contact_ref(found.contact), bound_user(found)


def whose(
    actor: Actor, sender: Sender, group: Sender | None, *, shared: bool
) -> tuple[Actor, Author]:
    """What the session is narrowed to, and who speaks; contacts that are new are made.

    Args:
        shared: one inbox for all senders: nobody is told apart, so nobody is made.
    """
    if shared:
        owner = contact_owner(actor)
        return replace(actor, user=owner), Author(owner.user_id, user=owner)
    met = resolved(actor, group)[0] if group is not None else None
    speaker, user = resolved(actor, sender)
    author = Author(user.user_id, user=user) if user else Author(str(speaker.id), contact=speaker)
    if met is not None:
        return replace(actor, user=met.owner, contact=met), author
    if user is not None:
        return replace(actor, user=user), author
    return replace(actor, user=speaker.owner, contact=speaker), author


def still_theirs(found: Message, sender: Sender, group: Sender | None, *, shared: bool) -> bool:
    """Whether a turn that is delivered again belongs to who sends it now.

    An address may be somebody else's since: taken from a contact, unbound, or told apart where all
    shared one inbox. Then what was answered before is not theirs to hear.
    """
    session = found.session
    if session.contact is not None:
        return known(group or sender).contact == session.contact.root
    if shared:
        return bool(session.owner.is_default)
    user = known(sender).user
    return user is not None and user.id == session.owner_id


def handle_of(sender: Sender, *, hold: bool = False) -> ContactHandle | None:
    """The sender's address, if it is known: a user's own before a stranger's.

    Contacts that channels make belong to the account's default user.

    Args:
        hold: keep its contact as it is until the caller's transaction ends.
    """
    kinds = (sender.kind,) if sender.kind == Contact.Kind.GROUP else PEOPLE
    rows = handles().filter(
        owner__is_default=True,
        platform=sender.platform,
        platform_id=sender.platform_id,
        kind__in=kinds,
    )
    if hold:
        rows = rows.select_for_update(of=("contact",), no_key=True)
    return rows.order_by(F("user").asc(nulls_last=True), "kind").first()


def bound_user(handle: ContactHandle) -> Principal | None:
    """The user whose address it is, unless they were deleted."""
    if handle.user is None or not handle.user.is_active:
        return None
    return Principal(handle.user.pk, handle.user.user_id)
