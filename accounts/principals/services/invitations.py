"""Invitations: a User of the account is offered to the owner of an e-mail address.

All of them lock the account's row first and the invitation's second, so that of two that race
(accepting twice, accepting while it is revoked) one wins and the other hears why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import tenancy
from accounts.actor import Actor, Role
from accounts.errors import (
    Conflict,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
)
from accounts.models import Account, Invitation, Membership, Person
from accounts.principals import access, audit
from accounts.principals.authentication import actor_within
from accounts.principals.jobs import queue_invitation
from accounts.principals.models import User
from accounts.principals.selectors.invitations import InvitationState, invitation_state
from accounts.principals.tokens import invitation_id
from accounts.services import person_create
from accounts.tenancy import AccountRef

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.actor import Operator

INVITATION_TIME = timedelta(days=7)
MAIL_PAUSE = timedelta(minutes=5)  # between two mails of one invitation
MAX_AN_HOUR = 100  # invitations of an account: nobody is to send mail through us
MAX_EMAIL = 254
CLOSED = {
    InvitationState.UNKNOWN: "This link is not known.",
    InvitationState.ACCEPTED: "This invitation was accepted already.",
    InvitationState.REVOKED: "This invitation was revoked.",
    InvitationState.EXPIRED: "This invitation has run out.",
    InvitationState.CLOSED: "This account takes nobody in at the moment.",
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """Who accepted, and into which account. `is_new`: the person was made by it."""

    person: Person
    account: AccountRef
    is_new: bool


def invitation_create(
    *, actor: Actor | Operator, account: AccountRef, user_id: str, email: str, site: str
) -> Invitation:
    """Invite the owner of an e-mail address to sign in as a user; an earlier invitation dies.

    The mail is a job of the same transaction; without mail the link is shown to copy.

    Args:
        site: scheme and host for the link in the mail, such as `https://bailiwick.example`; from
            a request whose host was checked.

    Raises:
        InvalidArgument: no e-mail address.
        NotFound: no such user.
        Conflict: the user has a sign-in, or the e-mail signs in as another user of the account.
        ResourceExhausted: the account invited MAX_AN_HOUR in the last hour.
    """
    email = _checked_email(email)
    with tenancy.account(account), transaction.atomic():
        _lock(account)
        user = access.user_for(user_id)
        _check_free(account, user, email)
        _check_pace(account)
        revoke_open(actor, account, user.pk)
        invitation = Invitation(
            account_id=account.id,
            user=user.pk,
            email=email,
            invited_by=actor.principal.id if isinstance(actor, Actor) and actor.principal else None,
            expires_at=timezone.now() + INVITATION_TIME,
        )
        invitation.save(force_insert=True)
        audit.record(actor=actor, action="invitation.created", **_target(invitation))
        _queue(account, invitation, site)
    return invitation


def invitation_renew(
    *, actor: Actor | Operator, account: AccountRef, invitation: UUID, site: str
) -> Invitation:
    """Send an invitation again; the same link then holds for seven days from now.

    Raises:
        NotFound: no such invitation, or it was accepted or revoked.
        Conflict: the last mail was sent less than five minutes ago.
    """
    with tenancy.account(account), transaction.atomic():
        _lock(account)
        row = _waiting(account, invitation)
        sent_at = row.expires_at - INVITATION_TIME
        if settings.MAIL_ENABLED and timezone.now() - sent_at < MAIL_PAUSE:
            raise Conflict("A mail was sent a moment ago; wait five minutes before the next.")
        row.expires_at = timezone.now() + INVITATION_TIME
        row.save(update_fields=["expires_at"])
        audit.record(actor=actor, action="invitation.renewed", **_target(row))
        _queue(account, row, site)
    return row


def invitation_revoke(
    *, actor: Actor | Operator, account: AccountRef, invitation: UUID
) -> Invitation:
    """Revoke an invitation: its link opens nothing any more.

    Raises:
        NotFound: no such invitation, or it was accepted or revoked.
    """
    with tenancy.account(account), transaction.atomic():
        _lock(account)
        row = _waiting(account, invitation)
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        audit.record(actor=actor, action="invitation.revoked", **_target(row))
    return row


def invitation_accept(
    *,
    token: str,
    person: Person | None,
    name: str = "",
    password: str = "",
    request_id: str = "",
) -> Accepted:
    """Let the owner of the e-mail address sign in as the user; makes the person when it is new.

    Whoever has the link may do so while the e-mail has no sign-in. Once it has one, only that
    person, signed in, may: the link gives nobody a way into a person that exists.

    Args:
        person: who is signed in; None: nobody.
        name, password: of a person who is made; else not looked at.

    Raises:
        FailedPrecondition: the invitation is not open (`details["state"]`).
        Conflict: the e-mail is another person's than who is signed in, or nobody is; or one of
            both has such a sign-in already.
        InvalidArgument: the password is refused.
    """
    row = _offered(token)
    account = AccountRef(row.account.id, row.account.account_id, row.account.schema_name)
    with tenancy.account(account), transaction.atomic():
        _lock_active(account)
        row = Invitation.objects.select_for_update().get(pk=row.pk)
        _require_open(invitation_state(row))
        user = User.objects.filter(pk=row.user, is_active=True).first()
        if user is None:
            raise _closed(InvitationState.CLOSED)
        taker, is_new = _taker(row, person, name, password)
        _enroll(account, user, taker)
        row.accepted_at = timezone.now()
        row.save(update_fields=["accepted_at"])
        actor = replace(
            actor_within(account, user.user_id), role=Role(user.role), request_id=request_id
        )
        audit.record(actor=actor, action="invitation.accepted", **_target(row))
    return Accepted(person=taker, account=account, is_new=is_new)


def _offered(token: str) -> Invitation:
    key = invitation_id(token)
    row = Invitation.objects.select_related("account").filter(pk=key).first() if key else None
    if row is None:
        raise _closed(InvitationState.UNKNOWN)
    return row


def _lock_active(account: AccountRef) -> None:
    row = Account.objects.select_for_update().filter(pk=account.id).first()
    if row is None or not row.ready or row.state != Account.State.ACTIVE:
        raise _closed(InvitationState.CLOSED)


def _require_open(state: InvitationState) -> None:
    if state is not InvitationState.OPEN:
        raise _closed(state)


def _closed(state: InvitationState) -> FailedPrecondition:
    return FailedPrecondition(CLOSED[state], state=state.value)


def _taker(row: Invitation, person: Person | None, name: str, password: str) -> tuple[Person, bool]:
    """The person who accepts, and whether it was made just now."""
    owner = Person.objects.filter(email__iexact=row.email).first()
    if owner is None and person is None:
        return person_create(email=row.email, name=name, password=password), True
    if owner is None or person is None or owner.pk != person.pk or not owner.is_active:
        raise Conflict(f"This invitation is for {row.email}: sign in as that to accept it.")
    return owner, False


def _enroll(account: AccountRef, user: User, person: Person) -> None:
    try:
        with transaction.atomic():
            Membership.objects.create(person=person, account_id=account.id, user=user.pk)
    except IntegrityError:
        raise Conflict("You, or this user, have a sign-in for the account already.") from None


def _checked_email(email: str) -> str:
    email = email.strip()
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidArgument("This is no e-mail address.", field="email") from None
    if len(email) > MAX_EMAIL:
        raise InvalidArgument(f"At most {MAX_EMAIL} characters.", field="email")
    return email


def _check_free(account: AccountRef, user: User, email: str) -> None:
    """One sign-in for each user, one user for each person. Only this account is looked at."""
    taken = Membership.objects.filter(account_id=account.id)
    if taken.filter(user=user.pk).exists():
        raise Conflict(f"{user.user_id} has a sign-in already.", field="email")
    if taken.filter(person__email__iexact=email).exists():
        raise Conflict(f"{email} signs in as another user of this account.", field="email")


def _check_pace(account: AccountRef) -> None:
    lately = timezone.now() - timedelta(hours=1)
    made = Invitation.objects.filter(account_id=account.id, created_at__gte=lately)
    if made.count() >= MAX_AN_HOUR:
        raise ResourceExhausted(f"At most {MAX_AN_HOUR} invitations an hour; try again later.")


def _lock(account: AccountRef) -> None:
    Account.objects.select_for_update().get(pk=account.id)


def _waiting(account: AccountRef, invitation: UUID) -> Invitation:
    row = (
        Invitation.objects.select_for_update()
        .filter(pk=invitation, account_id=account.id, accepted_at=None, revoked_at=None)
        .first()
    )
    if row is None:
        raise NotFound("invitation", str(invitation))
    return row


def revoke_open(actor: Actor | Operator, account: AccountRef, user: UUID) -> None:
    """Revoke what waits for a user, inside the caller's transaction and account."""
    rows = Invitation.objects.select_for_update().filter(
        account_id=account.id, user=user, accepted_at=None, revoked_at=None
    )
    for row in rows:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        audit.record(actor=actor, action="invitation.revoked", **_target(row))


def _target(row: Invitation) -> dict[str, Any]:
    return {"target_type": "user", "target": row.user, "invitation": row.pk}


def _queue(account: AccountRef, invitation: Invitation, site: str) -> None:
    if settings.MAIL_ENABLED:
        queue_invitation(account=account.id, invitation=invitation.pk, site=site)
