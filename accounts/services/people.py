"""Persons: making them, what they sign in with, what ends their sign-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4
from zoneinfo import available_timezones

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts import tenancy
from accounts.actor import Operator
from accounts.errors import AlreadyExists, InvalidArgument
from accounts.jobs import queue_password_link
from accounts.models import Membership, Person
from accounts.passwords import password_link
from accounts.services.accounts import operator_event

if TYPE_CHECKING:
    from accounts.tenancy import AccountRef

MAX_NAME = 200
NOBODY = UUID(int=0)


def person_enroll(
    *,
    actor: Operator,
    email: str,
    name: str,
    password: str,
    account: AccountRef,
    user: UUID,
    existing: bool = False,
) -> Person:
    """Let a person sign in as one User of an account; makes the person when the e-mail is new.

    Args:
        user: the User's id in the account's schema; the caller has looked it up there.
        existing: the e-mail may have a sign-in already, and keeps its password. It may be
            somebody else's: without mail an e-mail is not proven.

    Raises:
        InvalidArgument: the e-mail or the password is refused.
        AlreadyExists: the e-mail has a sign-in and `existing` is not said; the person, or that
            User, is enrolled in the account already.
    """
    with tenancy.public(), transaction.atomic():
        person = Person.objects.filter(email__iexact=email.strip()).first()
        if person is not None and not existing:
            raise _has_sign_in()
        if person is None:
            person = person_create(email=email, name=name, password=password)
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


def check_sign_in(email: str, password: str, *, existing: bool = False) -> None:
    """Raise what person_enroll would raise about the e-mail and the password."""
    if Person.objects.filter(email__iexact=email.strip()).exists():
        if existing:
            return  # who has a password keeps it
        raise _has_sign_in()
    try:
        validate_email(email.strip())
    except ValidationError as error:
        raise InvalidArgument(" ".join(error.messages), field="email") from None
    try:
        validate_password(password, Person(email=email.strip()))
    except ValidationError as error:
        raise InvalidArgument(" ".join(error.messages), field="password") from None


def person_create(*, email: str, name: str, password: str) -> Person:
    """Make a person, inside the caller's transaction.

    Raises:
        InvalidArgument: the e-mail or the password is refused.
        AlreadyExists: the e-mail has a sign-in.
    """
    check_sign_in(email, password)
    person = Person(email=email.strip(), name=" ".join(name.split()))
    person.set_password(password)
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError:
        raise _has_sign_in() from None
    return person


def _has_sign_in() -> AlreadyExists:
    return AlreadyExists("This e-mail has a sign-in already.", field="email")


def person_update(*, person: Person, name: str, time_zone: str) -> None:
    """What a person may change about themselves.

    Raises:
        InvalidArgument: a long name, or no time zone.
    """
    name = " ".join(name.split())
    if len(name) > MAX_NAME or not name.isprintable():
        raise InvalidArgument(f"At most {MAX_NAME} characters.", field="name")
    if time_zone not in available_timezones():
        raise InvalidArgument("There is no such time zone.", field="time_zone")
    person.name, person.time_zone = name, time_zone
    person.save(update_fields=["name", "time_zone"])


def password_set(*, person: Person, password: str) -> None:
    """Give a person a new password, which the form has checked; every sign-in of theirs ends."""
    person.set_password(password)
    person.sign_in_stamp = uuid4()
    with transaction.atomic():
        person.save(update_fields=["password", "sign_in_stamp"])
        sign_in_event(person=person, action="person.password_set")


def sign_ins_end(*, person: Person) -> None:
    """End every sign-in of a person; the caller may renew the one in hand."""
    person.sign_in_stamp = uuid4()
    with transaction.atomic():
        person.save(update_fields=["sign_in_stamp"])
        sign_in_event(person=person, action="person.signed_out_elsewhere")


def sign_in_event(*, person: Person, action: str) -> None:
    """Write down what a person changed about their own sign-in, in the operators' log."""
    own = Operator(person=person.pk)
    operator_event(actor=own, action=action, account=None, subject=person.pk)


def password_ask(*, email: str, site: str) -> None:
    """Send the link for a new password to whoever has that e-mail, by a job.

    Nothing in the answer, nor the time it takes, tells whether anybody has.

    Args:
        site: scheme and host for the link, from a request whose host was checked.
    """
    if settings.MAIL_ENABLED:
        found = Person.objects.filter(email__iexact=email.strip(), is_active=True).first()
        queue_password_link(person=found.pk if found else NOBODY, site=site)


def password_link_make(*, actor: Operator, person: Person, remove_code: bool = False) -> str:
    """The path by which a person sets a new password, for an operator to hand over.

    Args:
        remove_code: also take away the code after the password, for who lost their authenticator.
    """
    with transaction.atomic():
        removed = 0
        if remove_code:
            removed, _ = Authenticator.objects.filter(user=person).delete()
        operator_event(
            actor=actor,
            action="person.link_made",
            account=None,
            enrolled=person.pk,
            codes_removed=removed,
        )
    return password_link(person)
