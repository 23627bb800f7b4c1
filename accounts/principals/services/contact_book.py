"""The book of contacts: resolving, making, changing, deleting, merging and unmerging them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import ProtectedError

from accounts.actor import Actor, ContactRef, Principal, Role, Scope
from accounts.errors import Conflict, InvalidArgument, NotFound, PermissionDenied
from accounts.http.parser import check_text
from accounts.principals import access, audit
from accounts.principals.contacts import (
    check_kind,
    check_platform,
    check_platform_id,
    contact_for,
    handles,
    merge_refusal,
)
from accounts.principals.models import Contact, ContactHandle, User
from accounts.principals.services.contacts import contact_made_or_found

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any
    from uuid import UUID

MAX_NAME = 200
MAX_NOTES = 10_000
MAX_ALIASES = 20
MAX_TAGS = 20
MAX_TAG = 64


@dataclass(frozen=True, slots=True)
class Sender:
    """How a platform names somebody: what a handle is found by, and what it says beside.

    `platform` and `platform_id` are as `checked_sender` returns them.
    """

    platform: str
    platform_id: str
    kind: str = Contact.Kind.EXTERNAL
    name: str = ""
    username: str = ""


def checked_sender(
    platform: str, platform_id: str, *, kind: str = "external", name: str = "", username: str = ""
) -> Sender:
    """A sender with every part checked. Raises InvalidArgument."""
    platform = check_platform(platform)
    check_kind(kind)
    return Sender(
        platform,
        check_platform_id(platform_id, platform, "platform_id"),
        kind,
        _checked_text(name, "name", MAX_NAME),
        _checked_text(username, "username", MAX_NAME),
    )


def contact_resolve(
    *, actor: Actor, sender: Sender, auto_create: bool = False, owner_user_id: str | None = None
) -> tuple[Contact, bool]:
    """The contact that a sender is, and whether it was made just now.

    Args:
        auto_create: make it when it is not there; needs the scope `write`.
        owner_user_id: whose contact it is, for ADMIN, ROOT and trusted callers.

    Raises:
        NotFound: there is none, and none was to be made; no such owner.
        PermissionDenied: owner_user_id, or making one, by someone who may not.
    """
    if actor.contact is not None:
        raise Conflict("A contact is named already; resolve without the contact header.")
    owner = contact_owner(actor, owner_user_id)
    found = handles().filter(
        owner=owner.id,
        platform=sender.platform,
        platform_id=sender.platform_id,
        kind=sender.kind,
    )
    handle = found.first()
    if handle is not None:
        return _root_of(handle.contact), False
    if not auto_create:
        raise NotFound("contact", f"{sender.platform}:{sender.platform_id}")
    access.require_scope(actor, Scope.WRITE)
    with transaction.atomic():
        ref, made = contact_made_or_found(
            actor=actor, contact=sender_ref(sender, owner), kind=sender.kind
        )
        assert ref.id is not None  # it is made now
        row = Contact.objects.select_related("owner").get(pk=ref.id)
    return row, made


def sender_ref(sender: Sender, owner: Principal) -> ContactRef:
    """The sender as somebody who never wrote; contact_on_sight makes the contact."""
    return ContactRef(
        None,
        owner,
        sender.platform,
        sender.platform_id,
        is_group=sender.kind == Contact.Kind.GROUP,
        display_name=sender.name,
        username=sender.username,
    )


def contact_owner(actor: Actor, owner_user_id: str | None = None) -> Principal:
    """Whose a contact is that this caller makes (domain.md, Contact).

    Raises:
        PermissionDenied: someone who may not name an owner names one.
        NotFound: no such user.
    """
    if owner_user_id is not None:
        if actor.role is Role.USER and not actor.trusted:
            raise PermissionDenied("Only admins name the owner of a contact.")
        owner = access.user_for(owner_user_id)
        return Principal(owner.pk, owner.user_id)
    if Scope.GATEWAY in actor.scopes or actor.role is not Role.USER:
        default = User.objects.get(is_default=True)
        return Principal(default.pk, default.user_id)
    return actor.user


def contact_create(
    *,
    actor: Actor,
    kind: str = Contact.Kind.EXTERNAL,
    handles: Sequence[Sender] = (),
    owner_user_id: str | None = None,
    **values: Any,
) -> Contact:
    """Make a contact by hand.

    Args:
        handles: its addresses; each must be free.
        values: display_name, aliases, notes, tags.

    Raises:
        Conflict: a handle is another contact's already.
        InvalidArgument: a value that is refused.
    """
    if actor.contact is not None:
        raise PermissionDenied("On behalf of a contact no other one is made.")
    check_kind(kind)
    owner = contact_owner(actor, owner_user_id)
    row = Contact(owner_id=owner.id, kind=kind, written_by=actor.written_by)
    row.root = row.pk
    for name, value in _checked_values(values).items():
        setattr(row, name, value)
    with transaction.atomic():
        row.save(force_insert=True)
        for sender in handles:
            add_handle(row, sender)
        audit.record(actor=actor, action="contact.created", target_type="contact", target=row.pk)
    return row


def contact_update(*, actor: Actor, contact_id: UUID, changes: Mapping[str, Any]) -> Contact:
    """Change names, notes or tags; what is not given stays.

    Raises:
        NotFound: no such contact for the actor.
        PermissionDenied: the caller may look at it only.
        InvalidArgument: a value that is refused.
    """
    values = _checked_values(changes)
    with transaction.atomic():
        row = writable(actor, contact_id)
        for name, value in values.items():
            setattr(row, name, value)
        if values:
            row.save(update_fields=list(values))
            audit.record(
                actor=actor, action="contact.updated", target_type="contact", target=row.pk
            )
    return row


def contact_delete(*, actor: Actor, contact_id: UUID) -> Contact:
    """Delete a contact that nothing is kept of, with its handles.

    Raises:
        NotFound: no such contact for the actor.
        Conflict: it has sessions, or contacts that were merged into it.
    """
    with transaction.atomic():
        row = writable(actor, contact_id)
        key = row.pk
        try:
            with transaction.atomic():
                row.delete()
        except ProtectedError:
            raise Conflict(
                "This contact has sessions or memories, others were merged into it, or an admin saw"
                " the account as it; it can be erased only."
            ) from None
        audit.record(actor=actor, action="contact.deleted", target_type="contact", target=key)
    row.pk = key
    return row


def contact_merge(*, actor: Actor, contact_id: UUID, into: UUID) -> Contact:
    """Let a contact count as another one from now on. No row moves; contact_unmerge undoes it.

    Raises:
        PermissionDenied: the caller is no admin.
        NotFound: no such contact.
        Conflict: other owners, other kinds, the same contact, or merged already.
    """
    access.require_admin(actor)
    with transaction.atomic():
        first, other = _settled(actor, contact_id, into)
        _check_merge(first, other)
        Contact.objects.filter(pk=first.pk).update(merged_into=other.root, root=other.root)
        moved = Contact.objects.filter(root=first.pk).update(root=other.root)
        audit.record(
            actor=actor,
            action="contact.merged",
            target_type="contact",
            target=first.pk,
            into=other.root,
            family=moved + 1,
        )
    return Contact.objects.select_related("owner").get(pk=other.root)


def contact_unmerge(*, actor: Actor, contact_id: UUID) -> Contact:
    """Undo a merge: the contact, and what was merged into it before, stand alone again.

    Raises:
        PermissionDenied: the caller is no admin.
        NotFound: no such contact.
        Conflict: it is merged into none.
    """
    access.require_admin(actor)
    with transaction.atomic():
        [row] = _settled(actor, contact_id)
        if row.merged_into_id is None:
            raise Conflict("This contact is merged into no other one.")
        family = list(Contact.objects.filter(root=row.root))
        below = _below(row.pk, family)
        before = row.merged_into_id
        Contact.objects.filter(pk=row.pk).update(merged_into=None, root=row.pk)
        Contact.objects.filter(pk__in=below).update(root=row.pk)
        audit.record(
            actor=actor,
            action="contact.unmerged",
            target_type="contact",
            target=row.pk,
            out_of=before,
        )
    return Contact.objects.select_related("owner").get(pk=row.pk)


def writable(actor: Actor, contact_id: UUID) -> Contact:
    """The contact, locked, for a caller who may change it: owner, gateway or ADMIN."""
    row = contact_for(actor, contact_id, lock=True)
    free = Scope.GATEWAY in actor.scopes or actor.role is not Role.USER
    if actor.contact is not None or not (free or row.owner_id == actor.user.id):
        raise PermissionDenied("A contact is changed by its owner, a gateway or an admin.")
    return row


def add_handle(row: Contact, sender: Sender) -> ContactHandle:
    """Give the contact one more address, inside the caller's transaction. Raises Conflict."""
    handle = ContactHandle(
        contact=row,
        platform=sender.platform,
        platform_id=sender.platform_id,
        username=sender.username,
        owner_id=row.owner_id,
        kind=row.kind,
    )
    ContactHandle.objects.bulk_create([handle], ignore_conflicts=True)
    if not ContactHandle.objects.filter(pk=handle.pk).exists():
        raise Conflict(
            f"{sender.platform}:{sender.platform_id} is the address of another contact; merge them."
        )
    return handle


def _root_of(contact: Contact) -> Contact:
    if contact.root == contact.pk:
        return contact
    return Contact.objects.select_related("owner").get(pk=contact.root)


def _settled(actor: Actor, *ids: UUID) -> list[Contact]:
    """The contacts, read while no other merge of their owners' contacts can run.

    The lock is on the owners, since a merge may move rows that neither contact names; it lets
    everything else that refers to those users go on.
    """
    owners = {contact_for(actor, key).owner_id for key in ids}
    list(User.objects.filter(pk__in=owners).order_by("id").select_for_update(no_key=True))
    return [contact_for(actor, key) for key in ids]


def _check_merge(first: Contact, other: Contact) -> None:
    refusal = merge_refusal(first, other)
    if refusal:
        raise Conflict(refusal)


def _below(key: UUID, family: Sequence[Contact]) -> set[UUID]:
    """What was merged into this contact, directly or through others."""
    found: set[UUID] = set()
    edge = {key}
    while edge:
        edge = {row.pk for row in family if row.merged_into_id in edge} - found
        found |= edge
    return found


def _checked_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Of display_name, aliases, notes and tags, those that are given."""
    checks: dict[str, Callable[[Any], str | list[str]]] = {
        "display_name": lambda text: _checked_text(text, "display_name", MAX_NAME),
        "notes": lambda text: _checked_text(text, "notes", MAX_NOTES),
        "aliases": lambda many: _checked_list(many, "aliases", MAX_ALIASES, MAX_NAME),
        "tags": lambda many: _checked_list(many, "tags", MAX_TAGS, MAX_TAG),
    }
    return {
        name: check(values[name]) for name, check in checks.items() if values.get(name) is not None
    }


def _checked_text(text: str, field: str, longest: int) -> str:
    check_text(text)
    if len(text) > longest:
        raise InvalidArgument(f"{field} has at most {longest} characters.", field=field)
    return text.strip()


def _checked_list(many: Sequence[str], field: str, most: int, longest: int) -> list[str]:
    texts = [_checked_text(one, field, longest) for one in many]
    if len(texts) > most or not all(texts):
        raise InvalidArgument(f"{field} has at most {most} entries, none empty.", field=field)
    return list(dict.fromkeys(texts))
