"""What operators do from the console. Each is one transaction with its row in their log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.db import transaction

from accounts import tenancy
from accounts.errors import Conflict, NotFound
from accounts.models import Person
from accounts.principals.services import (
    account_create,
    account_delete,
    account_update,
    invitation_create,
)
from accounts.principals.tokens import invitation_link
from accounts.services import operator_event, password_link_make, person_create

if TYPE_CHECKING:
    from accounts.actor import Operator
    from accounts.principals.services import NewAccount

__all__ = [
    "Opened",
    "account_delete",
    "account_open",
    "account_update",
    "operator_create",
    "operator_grant",
    "operator_revoke",
    "person_close",
    "person_link",
    "person_reopen",
]


@dataclass(frozen=True, slots=True)
class Opened:
    """An account just made, and the path of its first admin's invitation, if there is one."""

    made: NewAccount
    invitation: str


def account_open(
    *,
    actor: Operator,
    account_id: str,
    name: str,
    admin_user_id: str,
    isolate_user_scope_by_agent: bool = False,
    isolate_agent_scope_by_user: bool = False,
    email: str = "",
    site: str = "",
) -> Opened:
    """Make an account, and invite its first admin when an e-mail is given: both or nothing.

    Args:
        site: scheme and host for the link in the mail.

    Raises:
        InvalidArgument: an id, or the e-mail, is refused.
        AlreadyExists: the account id is taken, in whatever case.
        Unavailable: the schema template is missing (migrate_accounts has not run).
    """
    with transaction.atomic():
        made = account_create(
            actor=actor,
            account_id=account_id,
            admin_user_id=admin_user_id,
            name=name,
            isolate_user_scope_by_agent=isolate_user_scope_by_agent,
            isolate_agent_scope_by_user=isolate_agent_scope_by_user,
        )
        link = ""
        if email:
            invitation = invitation_create(
                actor=actor, account=made.ref, user_id=admin_user_id, email=email, site=site
            )
            link = invitation_link(invitation)
    return Opened(made, link)


def person_close(*, actor: Operator, person: UUID) -> Person:
    """Close a person's sign-in: where they are signed in, the next page asks them to sign in.

    Raises:
        NotFound: no such person.
        Conflict: oneself, or the last operator.
    """
    with transaction.atomic():
        row = _other(actor, person, "close your own sign-in")
        if row.is_active:
            if row.is_operator:
                _keep_an_operator(row)
            row.is_active, row.sign_in_stamp = False, uuid4()
            row.save(update_fields=["is_active", "sign_in_stamp"])
            _record(actor, "person.closed", row)
    return row


def person_reopen(*, actor: Operator, person: UUID) -> Person:
    """Let a person sign in again, with the password that they had. Raises NotFound."""
    with transaction.atomic():
        row = _locked(person)
        if not row.is_active:
            row.is_active = True
            row.save(update_fields=["is_active"])
            _record(actor, "person.reopened", row)
    return row


def operator_grant(*, actor: Operator, person: UUID) -> Person:
    """Make a person an operator.

    Raises:
        NotFound: no such person.
        Conflict: their sign-in is closed.
    """
    with transaction.atomic():
        row = _locked(person)
        if not row.is_active:
            raise Conflict("Open this sign-in first: it is closed.")
        if not row.is_operator:
            row.is_operator = True
            row.save(update_fields=["is_operator"])
            _record(actor, "operator.granted", row)
    return row


def operator_revoke(*, actor: Operator, person: UUID) -> Person:
    """Take the rights of an operator from a person; binds with their next request.

    Raises:
        NotFound: no such person.
        Conflict: oneself, or the last operator.
    """
    with transaction.atomic():
        row = _other(actor, person, "take the rights from yourself")
        if row.is_operator:
            _keep_an_operator(row)
            row.is_operator = False
            row.save(update_fields=["is_operator"])
            _record(actor, "operator.revoked", row)
    return row


def operator_create(
    *, actor: Operator, email: str, name: str = "", password: str = "", existing: bool = False
) -> bool:
    """Make a person who is an operator, or an operator of a person who is there already.

    Args:
        password: of a person who is made; one that exists keeps theirs.
        existing: the e-mail may have a sign-in already. It may be somebody else's: without mail
            an e-mail is not proven.

    Returns:
        Whether the person was made.

    Raises:
        InvalidArgument: the e-mail or the password is refused.
        AlreadyExists: the e-mail has a sign-in, and `existing` is not said.
        Conflict: the person's sign-in is closed.
    """
    with tenancy.public(), transaction.atomic():
        row = Person.objects.filter(email__iexact=email.strip()).first()
        is_new = row is None
        if row is None or not existing:
            row = person_create(email=email, name=name, password=password)
        operator_grant(actor=actor, person=row.pk)
    return is_new


def person_link(*, actor: Operator, person: UUID, remove_code: bool = False) -> str:
    """The path of the page on which the person sets a new password, to be handed over.

    Raises:
        NotFound: no such person.
        Conflict: their sign-in is closed: the link would open nothing.
    """
    with transaction.atomic():
        row = _locked(person)
        if not row.is_active:
            raise Conflict("Open this sign-in first: it is closed.")
        return password_link_make(actor=actor, person=row, remove_code=remove_code)


def _locked(person: UUID) -> Person:
    row = Person.objects.select_for_update().filter(pk=person).first()
    if row is None:
        raise NotFound("person", str(person))
    return row


def _other(actor: Operator, person: UUID, what: str) -> Person:
    """The person, with every operator's row locked, so that two cannot take away each other."""
    list(_operators())
    row = _locked(person)
    if row.pk == actor.person:
        raise Conflict(f"You cannot {what}; another operator can.")
    return row


def _operators() -> list[UUID]:
    rows = Person.objects.select_for_update().filter(is_operator=True, is_active=True)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _keep_an_operator(row: Person) -> None:
    if row.is_active and not [key for key in _operators() if key != row.pk]:
        raise Conflict("This is the last operator who can sign in: make another one first.")


def _record(actor: Operator, action: str, row: Person) -> None:
    operator_event(actor=actor, action=action, subject=row.pk)
