"""Changing the public schema. Each function is one transaction with its event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import tenancy
from accounts.errors import AlreadyExists, InvalidArgument
from accounts.models import (
    Account,
    Membership,
    NamespacePolicy,
    OperatorEvent,
    Person,
    PolicyVersion,
)
from accounts.names import is_plain_number
from accounts.settings import AccountSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from accounts.actor import Operator
    from accounts.tenancy import AccountRef


def account_migrated(*, account: AccountRef, heads: str) -> None:
    """Note that the account's schema is at these heads. No event: nothing changed for anyone."""
    Account.objects.filter(pk=account.id).update(migrated_to=heads)


def operator_event(*, actor: Operator, action: str, account: UUID, **data: Any) -> None:
    """Write one row of the operators' log, inside the caller's transaction.

    Args:
        data: UUIDs and counts only, never words or names.
    """
    OperatorEvent.objects.create(
        action=action,
        person=actor.person,
        account=account,
        data={key: str(value) for key, value in data.items()},
        request_id=actor.request_id if is_plain_number(actor.request_id) else "",
    )


def delete_jobs(account: UUID) -> None:
    """Delete the queued and finished jobs of an account, inside the caller's transaction."""
    tenancy.execute("DELETE FROM procrastinate_jobs WHERE args ->> 'account' = %s", [str(account)])


def policy_set(
    *,
    account: AccountRef,
    sessions_visible_to: str,
    reason: str,
    updated_by: UUID | None,
) -> NamespacePolicy:
    """Put a new version of the policy in force, inside the caller's transaction.

    It binds at once: every request reads the policy with its credential.

    Raises:
        InvalidArgument: a value other than account and participants.
    """
    if sessions_visible_to not in NamespacePolicy.SessionsVisibleTo.values:
        raise InvalidArgument(
            "sessions_visible_to must be 'account' or 'participants'.",
            field="sessions_visible_to",
        )
    policy = NamespacePolicy.objects.select_for_update().get(account_id=account.id)
    if policy.sessions_visible_to == sessions_visible_to:
        return policy
    policy.sessions_visible_to = sessions_visible_to
    policy.version += 1
    policy.updated_at = timezone.now()
    policy.updated_by = updated_by
    policy.save(update_fields=["sessions_visible_to", "version", "updated_at", "updated_by"])
    PolicyVersion.objects.create(
        account_id=account.id,
        version=policy.version,
        isolate_user_scope_by_agent=policy.isolate_user_scope_by_agent,
        isolate_agent_scope_by_user=policy.isolate_agent_scope_by_user,
        sessions_visible_to=sessions_visible_to,
        reason=reason,
        updated_by=updated_by,
    )
    return policy


def settings_change(*, account: AccountRef, values: Mapping[str, Any]) -> AccountSettings:
    """Change some settings, inside the caller's transaction.

    Raises:
        InvalidArgument: an unknown name, or a value that is refused.
    """
    row = Account.objects.select_for_update().get(pk=account.id)
    changed = AccountSettings.of(row.settings).changed(values)
    Account.objects.filter(pk=account.id).update(settings=changed.overrides())
    return changed


def person_enroll(
    *, actor: Operator, email: str, name: str, password: str, account: AccountRef, user: UUID
) -> Person:
    """Let a person sign in as one User of an account; makes the person when the e-mail is new.

    An existing person keeps the password that they have.

    Args:
        user: the User's id in the account's schema; the caller has looked it up there.

    Raises:
        InvalidArgument: the e-mail or the password is refused.
        AlreadyExists: the person, or that User, is enrolled in the account already.
    """
    with tenancy.public(), transaction.atomic():
        person = Person.objects.filter(email__iexact=email).first()
        if person is None:
            person = _new_person(email, name, password)
        try:
            with transaction.atomic():
                Membership.objects.create(person=person, account_id=account.id, user=user)
        except IntegrityError:
            raise AlreadyExists(
                "This person, or this user, already has a sign-in for the account."
            ) from None
        operator_event(
            actor=actor, action="person.enrolled", account=account.id, enrolled=person.id, user=user
        )
    return person


def check_sign_in(email: str, password: str) -> None:
    """Raise InvalidArgument when a new person could not get this e-mail and password."""
    if Person.objects.filter(email__iexact=email.strip()).exists():
        return  # who has a password keeps it
    try:
        validate_email(email.strip())
        validate_password(password, Person(email=email.strip()))
    except ValidationError as error:
        raise InvalidArgument(" ".join(error.messages)) from None


def _new_person(email: str, name: str, password: str) -> Person:
    check_sign_in(email, password)
    person = Person(email=email.strip(), name=name.strip())
    person.set_password(password)
    person.save()
    return person
