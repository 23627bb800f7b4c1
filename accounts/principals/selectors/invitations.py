"""Invitations: what admins see of them, and what the page behind a link says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils import timezone

from accounts import tenancy
from accounts.models import Account, Invitation, Person
from accounts.principals.models import User
from accounts.principals.selectors.users import user_names
from accounts.principals.tokens import invitation_id, invitation_link
from accounts.tenancy import AccountRef

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet


class InvitationState(StrEnum):
    OPEN = "open"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    REVOKED = "revoked"
    CLOSED = "closed"  # the account or the user does not take anybody now
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class InvitationFacts:
    """What an admin sees of one.

    Attributes:
        user: the User's row. invited_by: a user_id; None: an operator.
        state: open or expired. link: a path outside accounts; empty when it opens nothing.
    """

    id: UUID
    user: UUID
    user_id: str
    email: str
    invited_by: str | None
    created_at: datetime
    expires_at: datetime
    state: InvitationState
    link: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What the page behind a link says to whoever has it; the rest is empty unless it is open.

    Attributes:
        known: the e-mail has a sign-in already, so its owner must be signed in to accept.
    """

    state: InvitationState
    account_id: str = ""
    account_name: str = ""
    user_id: str = ""
    email: str = ""
    known: bool = False


def invitation_page(
    *, account: AccountRef, after: UUID | None, limit: int
) -> list[InvitationFacts]:
    """Invitations that wait or ran out, newest first; one more than `limit` when there are more.

    The caller has shown that they may run the account.
    """
    rows = _waiting(account).order_by("-id")
    if after is not None:
        rows = rows.filter(id__lt=after)
    return _facts(account, rows[: limit + 1])


def invitations_of(*, account: AccountRef, users: Collection[UUID]) -> dict[UUID, InvitationFacts]:
    """The invitation that waits for each of these Users, where there is one. Two statements."""
    if not users:
        return {}
    return {one.user: one for one in _facts(account, _waiting(account).filter(user__in=users))}


def invitation_row(*, account: AccountRef, invitation: UUID) -> InvitationFacts | None:
    """One that waits or ran out, or None."""
    found = _facts(account, _waiting(account).filter(pk=invitation))
    return found[0] if found else None


def invitation_offer(*, token: str) -> Offer:
    """What a link offers, to anybody who has it."""
    key = invitation_id(token)
    rows = Invitation.objects.select_related("account")
    row = rows.filter(pk=key).first() if key else None
    if row is None:
        return Offer(InvitationState.UNKNOWN)
    state = invitation_state(row)
    if state is not InvitationState.OPEN:
        return Offer(state)
    account = row.account
    if not account.ready or account.state != Account.State.ACTIVE:
        return Offer(InvitationState.CLOSED)
    with tenancy.account(AccountRef(account.id, account.account_id, account.schema_name)):
        user = User.objects.filter(pk=row.user, is_active=True).first()
    if user is None:
        return Offer(InvitationState.CLOSED)
    return Offer(
        state=state,
        account_id=account.account_id,
        account_name=account.name,
        user_id=user.user_id,
        email=row.email,
        known=Person.objects.filter(email__iexact=row.email).exists(),
    )


def invitation_state(row: Invitation) -> InvitationState:
    """What the row itself says; account and user may still be closed."""
    if row.accepted_at is not None:
        return InvitationState.ACCEPTED
    if row.revoked_at is not None:
        return InvitationState.REVOKED
    if row.expires_at <= timezone.now():
        return InvitationState.EXPIRED
    return InvitationState.OPEN


def _waiting(account: AccountRef) -> QuerySet[Invitation]:
    return Invitation.objects.filter(account_id=account.id, accepted_at=None, revoked_at=None)


def _facts(account: AccountRef, rows: QuerySet[Invitation]) -> list[InvitationFacts]:
    found = list(rows)
    with tenancy.account(account):
        names = user_names(
            {one.user for one in found} | {by for one in found if (by := one.invited_by)}
        )
    return [
        InvitationFacts(
            id=one.pk,
            user=one.user,
            user_id=names[one.user],
            email=one.email,
            invited_by=names.get(one.invited_by) if one.invited_by else None,
            created_at=one.created_at,
            expires_at=one.expires_at,
            state=(state := invitation_state(one)),
            link=invitation_link(one) if state is InvitationState.OPEN else "",
        )
        for one in found
    ]
