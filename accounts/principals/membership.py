"""From a person's sign-in in the browser to an Actor: their own, or that of whom they view."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from accounts import tenancy
from accounts.actor import ContactRef, Role, Scope, Viewing
from accounts.principals.authentication import (
    FACTS,
    JOINS,
    Context,
    actor_within,
    bind,
    read_row,
)
from accounts.principals.models import Contact, User

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.tenancy import AccountRef

# What a person may do in the browser; who passes on what strangers say has a key of its own.
IN_PERSON = (Scope.READ, Scope.WRITE, Scope.MANAGE)

_BY_MEMBERSHIP = f"""
    SELECT u.id AS own_id, u.user_id AS own_user_id, u.role, {FACTS},
        v.id AS view, v.reason, v.expires_at, subject.id AS subject_id,
        subject.user_id AS subject_user_id, subject.role AS subject_role,
        behalf.id AS behalf_id, behalf.agent_id AS behalf_agent_id,
        coalesce(nullif(owner.name, ''), owner.email, subject.user_id) AS subject_name,
        coalesce(owner.time_zone, 'UTC') AS subject_zone,
        met.root AS contact_root, met.kind AS contact_kind,
        coalesce(nullif(met.display_name, ''), at.name, '') AS contact_name,
        coalesce(at.platform, '') AS contact_platform
    FROM accounts_membership m
    JOIN accounts_person person ON person.id = m.person_id AND person.is_active
    JOIN accounts_account a ON a.id = m.account_id
    JOIN principals_user u ON u.id = m."user" AND u.is_active
    {JOINS.format(bound="")}
    LEFT JOIN principals_viewas v ON v.id = %(view)s AND v.viewer_id = u.id AND u.role = 'admin'
        AND v.ended_at IS NULL AND v.expires_at > now()
    LEFT JOIN principals_user subject ON subject.id = v.user_id AND subject.is_active
    LEFT JOIN principals_agent behalf ON behalf.id = v.agent_id
    LEFT JOIN principals_contact met ON met.id = v.contact_id
    LEFT JOIN LATERAL (
        SELECT h.platform, coalesce(nullif(h.username, ''), h.platform_id) AS name
        FROM principals_contacthandle h WHERE h.contact_id = met.id ORDER BY h.id LIMIT 1
    ) AS at ON true
    LEFT JOIN accounts_membership theirs ON theirs.account_id = a.id AND theirs."user" = subject.id
    LEFT JOIN accounts_person owner ON owner.id = theirs.person_id
    WHERE m.person_id = %(person)s AND m.account_id = %(account)s
"""


def actor_by_membership(
    account_id: str, person: UUID, *, request_id: str, view: UUID | None = None
) -> Actor | None:
    """The actor of a signed-in person in an account, or None when they do not belong to it.

    Enters the account when it returns an actor.

    Args:
        view: the ViewAs that the browser's sign-in holds. While it lasts, the actor is the user
            who is viewed, and `actor.viewing` says by whom; else it is the person's own.
    """
    found = read_row(account_id, _BY_MEMBERSHIP, person=person, view=view, user=None, agent=None)
    if not found:
        return None
    ref, row = found
    if row["state"] != "active":
        tenancy.leave()
        return None
    actor = bind(ref, {**row, "scopes": IN_PERSON}, Context(), request_id)
    return _viewed(actor, row, request_id) if row["subject_id"] else actor


def actor_in_job(account: AccountRef, user: UUID) -> Actor | None:
    """The actor of a user for whom a job works, with the role that it has now; None when it is
    gone. The caller is inside the account."""
    row = User.objects.filter(pk=user, is_active=True).first()
    if row is None:
        return None
    actor = actor_within(account, row.user_id)
    return replace(actor, role=Role(row.role), scopes=frozenset(IN_PERSON))


def _viewed(viewer: Actor, row: Mapping[str, Any], request_id: str) -> Actor:
    """The actor that the viewed user would be with a sign-in of their own, marked as a view."""
    assert viewer.principal is not None  # a person's actor always has one
    subject = {
        **row,
        "scopes": IN_PERSON,
        "own_id": row["subject_id"],
        "own_user_id": row["subject_user_id"],
        # A contact is no admin, whoever owns it.
        "role": Role.USER if row["contact_root"] else row["subject_role"],
    }
    if row["behalf_id"]:
        subject |= {"agent_pk": row["behalf_id"], "agent_id": row["behalf_agent_id"]}
    viewing = Viewing(
        id=row["view"],
        viewer=viewer.principal,
        reason=row["reason"],
        expires_at=row["expires_at"],
        names_agent=row["behalf_id"] is not None,
        person_name=row["subject_name"],
        time_zone=row["subject_zone"],
    )
    actor = bind(viewer.account, subject, Context(), request_id)
    contact = None
    if row["contact_root"]:
        contact = ContactRef(
            row["contact_root"],
            actor.user,
            row["contact_platform"],
            is_group=row["contact_kind"] == Contact.Kind.GROUP,
            display_name=row["contact_name"],
        )
    return replace(actor, viewing=viewing, contact=contact)
