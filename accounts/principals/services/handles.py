"""Addresses of contacts: adding, removing, and binding one to a user of the account."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import keys
from accounts.actor import Role
from accounts.errors import Conflict, NotFound, PermissionDenied, Unavailable
from accounts.principals import access, audit
from accounts.principals.contacts import contact_for
from accounts.principals.models import Contact, ContactHandle, User
from accounts.principals.services.contact_book import Sender, add_handle, writable

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.actor import Actor

CODE_TIME = timedelta(minutes=10)
CODE_LENGTH = 8  # of 32 letters: 40 bits, for ten minutes, one try a message
CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # without what is mistaken for another
CODE_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class LinkCode:
    """A one-time code, shown once. Sent through a channel as `/link CODE`."""

    code: str
    expires_at: datetime


def handle_add(*, actor: Actor, contact_id: UUID, sender: Sender) -> ContactHandle:
    """Give a contact one more address.

    Raises:
        NotFound: no such contact for the actor.
        Conflict: the address is another contact's.
    """
    with transaction.atomic():
        row = writable(actor, contact_id)
        handle = add_handle(row, sender)
        audit.record(
            actor=actor,
            action="handle.added",
            target_type="contact",
            target=row.pk,
            handle=handle.pk,
        )
    return handle


def handle_remove(*, actor: Actor, contact_id: UUID, handle_id: UUID) -> ContactHandle:
    """Take an address from a contact; whoever writes from it next is somebody new.

    Raises:
        NotFound: no such contact or handle for the actor.
        PermissionDenied: it is bound to a user, and the caller is no admin.
    """
    with transaction.atomic():
        row = writable(actor, contact_id)
        handle = _handle(row, handle_id)
        if handle.user_id is not None and actor.role is Role.USER:
            raise PermissionDenied("An address that is bound to a user is taken away by an admin.")
        ContactHandle.objects.filter(pk=handle.pk).delete()
        audit.record(
            actor=actor,
            action="handle.removed",
            target_type="contact",
            target=row.pk,
            handle=handle.pk,
        )
    return handle


def handle_bind(*, actor: Actor, contact_id: UUID, handle_id: UUID, user_id: str) -> ContactHandle:
    """Say that this address is a user of the account: from now on its sender is that user.

    Raises:
        PermissionDenied: the caller is no admin.
        NotFound: no such contact, handle or user.
        Conflict: the address of a group.
    """
    access.require_admin(actor)
    with transaction.atomic():
        handle = _handle(contact_for(actor, contact_id, lock=True), handle_id)
        return _bind(actor, handle, access.user_for(user_id))


def handle_unbind(*, actor: Actor, contact_id: UUID, handle_id: UUID) -> ContactHandle:
    """Undo a binding: the sender is a contact again.

    Raises:
        PermissionDenied: the caller is no admin.
        NotFound: no such contact or handle, or it is bound to nobody.
    """
    access.require_admin(actor)
    with transaction.atomic():
        handle = _handle(contact_for(actor, contact_id, lock=True), handle_id)
        if handle.user_id is None:
            raise NotFound("binding", str(handle_id))
        bound, handle.user = handle.user_id, None
        handle.save(update_fields=["user"])
        audit.record(
            actor=actor,
            action="handle.unbound",
            target_type="contact",
            target=handle.contact_id,
            handle=handle.pk,
            user=bound,
        )
    return handle


def link_code_create(*, actor: Actor) -> LinkCode:
    """A new code for the effective user; an earlier one holds no longer.

    Raises:
        PermissionDenied: on behalf of a contact or of another user, or by a key that is narrower
            than its user.
    """
    if actor.contact is not None or not actor.user.registered:
        raise PermissionDenied("Only a user of the account binds an address to itself.")
    if actor.agents or actor.contact_required or (actor.role is Role.USER and not actor.as_itself):
        # From a bound address one writes to any agent, without a contact.
        raise PermissionDenied("This key is narrower than the user: it binds no address to them.")
    expires = timezone.now() + CODE_TIME
    for _attempt in range(CODE_ATTEMPTS):
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        try:
            with transaction.atomic():
                User.objects.filter(pk=actor.user.id).update(
                    link_code=_hashed(code), link_code_expires_at=expires
                )
                audit.record(
                    actor=actor,
                    action="handle.code_made",
                    target_type="user",
                    target=actor.user.id,
                )
        except IntegrityError:  # somebody else's code, of a trillion
            continue
        return LinkCode(code, expires)
    raise Unavailable("No code could be made; try again.")


def link_code_use(*, actor: Actor, handle: ContactHandle, code: str) -> User | None:
    """Bind the address that sent a code to the code's user; None when the code is none.

    Inside the caller's transaction. A code is used once; from the address that used it, it is
    answered alike when it is delivered again.
    """
    holder = (
        User.objects.filter(
            link_code=_hashed(code.strip().upper()),
            link_code_expires_at__gt=timezone.now(),
            is_active=True,
        )
        .select_for_update()
        .first()
    )
    if holder is None:
        used = User.objects.filter(link_code=_hashed(code.strip().upper()), is_active=True)
        return used.filter(handles=handle).first()
    holder.link_code_expires_at = None
    holder.save(update_fields=["link_code_expires_at"])
    _bind(actor, handle, holder)
    return holder


def link_code_burn(*, code: str) -> None:
    """Let a code hold no longer, since others have seen it. Silent about codes that are none."""
    User.objects.filter(link_code=_hashed(code.strip().upper())).update(
        link_code=None, link_code_expires_at=None
    )


def _bind(actor: Actor, handle: ContactHandle, user: User) -> ContactHandle:
    if handle.kind == Contact.Kind.GROUP:
        raise Conflict("A group is no user of the account.")
    handle.user = user
    handle.save(update_fields=["user"])
    audit.record(
        actor=actor,
        action="handle.bound",
        target_type="contact",
        target=handle.contact_id,
        handle=handle.pk,
        user=user.pk,
    )
    return handle


def _handle(row: Contact, handle_id: UUID) -> ContactHandle:
    """One of the contact's own, or of those that were merged into it: what its facts show."""
    of_it = Q(contact=row) | Q(contact__root=row.pk)
    found = ContactHandle.objects.filter(of_it, pk=handle_id)
    handle = found.select_related("user").select_for_update(of=("self",)).first()
    if handle is None:
        raise NotFound("handle", str(handle_id))
    return handle


def _hashed(code: str) -> bytes:
    return keys.hash_secret(code, next(iter(settings.KEY_PEPPERS)))
