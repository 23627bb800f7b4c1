"""Making contacts and users that are named for the first time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.db.models import F

from accounts.actor import Actor, ContactRef, Principal
from accounts.errors import InvalidArgument, ResourceExhausted
from accounts.models import Account
from accounts.names import check_new_id
from accounts.principals import audit
from accounts.principals.models import Contact, ContactHandle, User
from accounts.settings import AccountSettings

if TYPE_CHECKING:
    from uuid import UUID


def contact_on_sight(*, actor: Actor, contact: ContactRef) -> ContactRef:
    """Make a sender's contact with its first write, inside the caller's transaction."""
    if contact.id is not None:
        return contact
    kind = Contact.Kind.GROUP if contact.is_group else Contact.Kind.EXTERNAL
    return contact_made_or_found(actor=actor, contact=contact, kind=kind)[0]


def contact_made_or_found(
    *, actor: Actor, contact: ContactRef, kind: str
) -> tuple[ContactRef, bool]:
    """The contact of a handle, and whether it was made just now.

    Two first writes at once make one contact: the handle's unique index decides.
    """
    row = Contact(
        owner_id=contact.owner.id,
        kind=kind,
        display_name=contact.display_name,
        auto_created=True,
        written_by=actor.written_by,
    )
    row.root = row.pk
    row.save(force_insert=True)
    handle = ContactHandle(
        contact=row,
        platform=contact.platform,
        platform_id=contact.platform_id,
        username=contact.username,
        owner_id=contact.owner.id,
        kind=kind,
    )
    ContactHandle.objects.bulk_create([handle], ignore_conflicts=True)
    winner = ContactHandle.objects.select_related("contact").get(
        owner=contact.owner.id,
        platform=contact.platform,
        platform_id=contact.platform_id,
        kind=kind,
    )
    if winner.pk != handle.pk:
        row.delete()
        return replace(contact, id=winner.contact.root), False
    audit.record(actor=actor, action="contact.created", target_type="contact", target=row.pk)
    return replace(contact, id=row.pk), True


def user_on_sight(*, actor: Actor, user: Principal) -> Principal:
    """Register a user whom a trusted gateway vouches for, inside the caller's transaction.

    Raises:
        InvalidArgument: the id is reserved, or was a deleted user's.
        ResourceExhausted: the account has `max_users` already.
    """
    if user.registered:
        return user
    check_new_id(user.user_id, "user")
    same = User.objects.filter(user_id__lower=user.user_id.lower())
    found = same.first()
    if found is None:
        row = User(id=user.id, user_id=user.user_id)
        # Two first writes at once: the second finds the first one's row.
        User.objects.bulk_create([row], ignore_conflicts=True)
        found = same.get()
        if found.pk == row.pk:
            count_user(actor.account.id)
            audit.record(actor=actor, action="user.registered", target_type="user", target=row.pk)
    if not found.is_active:
        raise InvalidArgument("This user was deleted; the id is not given out again.")
    return Principal(found.pk, found.user_id)


def count_user(account: UUID) -> None:
    """Count one more user under the account's row lock, or refuse.

    Kept as a counter, so that listing a thousand accounts does not visit a thousand schemas.
    """
    row = Account.objects.select_for_update().get(pk=account)
    if row.user_count >= AccountSettings.of(row.settings).max_users:
        raise ResourceExhausted("This account has as many users as it may have.")
    Account.objects.filter(pk=account).update(user_count=F("user_count") + 1)
