"""Contacts and their handles, for whoever may look at them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, F, Func, Q, Value
from django.db.models.functions import Lower

from accounts.errors import NotFound
from accounts.principals.contacts import (
    check_kind,
    check_platform,
    contact_for,
    contacts_of,
    merge_refusal,
)
from accounts.principals.models import Contact, ContactHandle
from accounts.principals.selectors.pages import Page, newest_first

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.guard import AccountQuerySet


@dataclass(frozen=True, slots=True)
class HandleFacts:
    """One address. `user_id`: the user of the account that it is bound to."""

    id: UUID
    platform: str
    platform_id: str
    username: str
    user_id: str | None
    contact_id: UUID  # which of the merged contacts it was first known as


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """One contact. Its handles are also those of the contacts that were merged into it.

    On behalf of a contact, what the owner wrote about it (aliases, notes, tags) is left out.
    """

    id: UUID
    kind: str
    display_name: str
    owner_user_id: str
    auto_created: bool
    merged_into: UUID | None
    created_at: datetime
    aliases: list[str] = field(default_factory=list)
    notes: str = ""
    tags: list[str] = field(default_factory=list)
    handles: list[HandleFacts] = field(default_factory=list)
    merged: list[UUID] = field(default_factory=list)


def contact_page(
    *,
    actor: Actor,
    q: str = "",
    platform: str = "",
    kind: str = "",
    after: UUID | None = None,
    limit: int,
) -> list[ContactFacts]:
    """Contacts that count for themselves, newest first; one more than `limit` when there are more.

    Args:
        q: part of a name, an alias, a username or an id on a platform; case is ignored.

    Raises:
        InvalidArgument: a platform or kind that there is not.
    """
    rows = _wanted(actor, q, platform, kind).order_by("-id")
    if after is not None:
        rows = rows.filter(id__lt=after)
    return _facts(actor, list(rows[: limit + 1]))


def contact_register(
    *,
    actor: Actor,
    q: str = "",
    platform: str = "",
    kind: str = "",
    limit: int,
    older: str | None = None,
    newer: str | None = None,
) -> Page[ContactFacts]:
    """As contact_page, for a list that is read in both directions and says how many there are.

    Raises:
        InvalidArgument: a platform or kind that there is not; a cursor that no list gave out.
    """
    rows = _wanted(actor, q, platform, kind)
    found = newest_first(rows, limit=limit, older=older, newer=newer)
    return Page(_facts(actor, found.rows), found.total, found.older, found.newer)


def merge_candidates(
    *, actor: Actor, contact_id: UUID, q: str, limit: int
) -> list[tuple[ContactFacts, str]]:
    """Contacts whom this one could count as, newest first, each with why it cannot, if so.

    One more than `limit` when there are more. Raises NotFound.
    """
    first = contact_for(actor, contact_id)
    rows = list(_wanted(actor, q, "", "").exclude(pk=first.root).order_by("-id")[: limit + 1])
    refusals = [merge_refusal(first, row) for row in rows]
    return list(zip(_facts(actor, rows), refusals, strict=True))


def merge_preview(
    *, actor: Actor, contact_id: UUID, into: UUID
) -> tuple[ContactFacts, ContactFacts, str]:
    """Both contacts of a merge, the second as what it counts as, and why it is refused, if so.

    Raises:
        NotFound: no such contact for the actor.
    """
    first, other = contact_for(actor, contact_id), contact_for(actor, into)
    refusal = merge_refusal(first, other)
    if not refusal and other.root != other.pk:
        other = contact_for(actor, other.root)
    one, two = _facts(actor, [first, other])
    return one, two, refusal


def handles_bound_to(*, user: UUID, limit: int) -> list[HandleFacts]:
    """Addresses whose sender is this user, oldest first."""
    rows = ContactHandle.objects.filter(user=user).select_related("user", "contact")
    return [_handle_facts(row) for row in rows.order_by("id")[:limit]]


def contact_count(*, actor: Actor, capped_at: int = 10_000) -> int:
    """How many contacts count for themselves, counted no further than `capped_at`."""
    return int(contacts_of(actor).filter(root=F("pk"))[:capped_at].count())


def contact_facts(*, actor: Actor, contact_id: UUID) -> ContactFacts:
    """One contact. Raises NotFound."""
    return _facts(actor, [contact_for(actor, contact_id)])[0]


def contact_known(*, actor: Actor, contact_id: UUID) -> ContactFacts:
    """A contact that a service has just handed to the actor. Raises NotFound when it is gone."""
    row = Contact.objects.select_related("owner").filter(pk=contact_id).first()
    if row is None:
        raise NotFound("contact", str(contact_id))
    return _facts(actor, [row])[0]


def contact_names(*, actor: Actor, ids: set[UUID]) -> dict[UUID, ContactFacts]:
    """Those of these contacts that the actor may look at, by id. One or three statements."""
    if not ids:
        return {}
    return {one.id: one for one in _facts(actor, list(contacts_of(actor).filter(pk__in=ids)))}


def _wanted(actor: Actor, q: str, platform: str, kind: str) -> AccountQuerySet[Contact]:
    rows = contacts_of(actor).filter(root=F("pk"))
    if kind:
        check_kind(kind)
        rows = rows.filter(kind=kind)
    if platform:
        on_it = ContactHandle.objects.filter(platform=check_platform(platform))
        rows = rows.filter(root__in=on_it.values("contact__root"))
    return _matching(actor, rows, q) if q else rows


def _matching(actor: Actor, rows: AccountQuerySet[Contact], q: str) -> AccountQuerySet[Contact]:
    """By what the actor is shown: a contact is told neither its aliases nor merged names."""
    wanted = q.lower()
    by_handle = ContactHandle.objects.annotate(
        address=Lower("platform_id"), called=Lower("username")
    ).filter(Q(address__contains=wanted) | Q(called__contains=wanted.removeprefix("@")))
    if actor.contact is not None:
        own = rows.annotate(called=Lower("display_name"))
        return own.filter(
            Q(called__contains=wanted) | Q(root__in=by_handle.values("contact__root"))
        )
    aliases = Func(F("aliases"), Value("\n"), function="array_to_string", output_field=CharField())
    named = Contact.objects.annotate(also=Lower(aliases), called=Lower("display_name")).filter(
        Q(also__contains=wanted) | Q(called__contains=wanted)
    )
    return rows.filter(
        Q(root__in=named.values("root")) | Q(root__in=by_handle.values("contact__root"))
    )


def _facts(actor: Actor, rows: Sequence[Contact]) -> list[ContactFacts]:
    """With the handles of each, and of all that was merged into it: two more statements."""
    roots = [row.pk for row in rows]
    handles: dict[UUID, list[HandleFacts]] = {}
    found = ContactHandle.objects.filter(Q(contact__root__in=roots) | Q(contact__in=roots))
    for one in found.select_related("user", "contact").order_by("id"):
        facts = _handle_facts(one)
        for key in {one.contact.root, one.contact_id}:
            handles.setdefault(key, []).append(facts)
    merged: dict[UUID, list[UUID]] = {}
    for key, into in (
        Contact.objects.filter(merged_into__in=roots)
        .order_by("id")
        .values_list("pk", "merged_into")
    ):
        assert into is not None  # the filter says so
        merged.setdefault(into, []).append(key)
    return [
        ContactFacts(
            id=row.pk,
            kind=row.kind,
            display_name=row.display_name,
            owner_user_id=row.owner.user_id,
            auto_created=row.auto_created,
            merged_into=row.merged_into_id,
            created_at=row.created_at,
            handles=handles.get(row.pk, []),
            merged=merged.get(row.pk, []),
            **_private(actor, row),
        )
        for row in rows
    ]


def _handle_facts(row: ContactHandle) -> HandleFacts:
    return HandleFacts(
        id=row.pk,
        platform=row.platform,
        platform_id=row.platform_id,
        username=row.username,
        user_id=row.user.user_id if row.user else None,
        contact_id=row.contact_id,
    )


def _private(actor: Actor, row: Contact) -> dict[str, Any]:
    if actor.contact is not None:
        return {}
    return {"aliases": row.aliases, "notes": row.notes, "tags": row.tags}
