"""One mechanism for all writes that name an Idempotency-Key (domain.md, Idempotency record).

(principal, effective user, agent and contact, method and address, key) stands for one write, for
24 hours. The record is committed first, as in flight; the write and the mark that it is done share
one transaction. So a repetition never writes twice, a refused write leaves no record, and a crash
leaves one that the next attempt may take over after LEASE.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid5

from django.db import transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts import tenancy
from accounts.actor import ROOT_PRINCIPAL, Actor, Operator, Principal
from accounts.errors import Conflict, DomainError, InvalidArgument
from accounts.http.parser import check_text
from accounts.principals.models import IdempotencyRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.http import HttpRequest

    from accounts.tenancy import AccountRef


T = TypeVar("T")
A = TypeVar("A")
LEASE = timedelta(seconds=60)  # a write that is in flight for longer was cut off
KEPT = timedelta(hours=24)
MAX_KEY = 255


class KeyReused(DomainError):
    """The key stood for another body."""

    code, status = "INVALID_ARGUMENT", 422


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request that names a key."""

    principal: UUID
    acting_as: UUID
    route: bytes
    key: str
    body: bytes


def key_of(request: HttpRequest) -> str | None:
    """The header's value, or None.

    Raises:
        InvalidArgument: longer than 255 characters.
    """
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key:
        return None
    check_text(key)
    if len(key) > MAX_KEY:
        raise InvalidArgument(f"Idempotency-Key has at most {MAX_KEY} characters.")
    return key


def once(
    request: HttpRequest,
    actor: Actor | Operator,
    *,
    work: Callable[[], T],
    reference: Callable[[T], dict[str, Any]],
    again: Callable[[dict[str, Any]], A],
) -> T | A:
    """Do the work, unless a request with the same key did it: then answer from its reference.

    Args:
        work: one service call.
        reference: ids of what the work made, JSON types, no words.
        again: from that reference to the result of the work.

    Raises:
        KeyReused: the key stood for another body.
        Conflict: the first request with this key is still in flight.
    """
    key = key_of(request)
    if key is None:
        return work()
    attempt = Attempt(
        principal=_principal(actor),
        acting_as=_acting_as(actor),
        route=hashlib.sha256(_route(request, actor).encode()).digest(),
        key=key,
        body=hashlib.sha256(request.body).digest(),
    )
    number = uuid7()
    done = _claim(attempt, number)
    if done is not None:
        return again(done)
    try:
        with transaction.atomic():
            result = work()
            _finish(attempt, number, reference(result))
    except BaseException:
        _rows(attempt).filter(attempt=number, done_at=None).delete()
        raise
    return result


def _route(request: HttpRequest, actor: Actor | Operator) -> str:
    """Method, address, and on behalf of which agent and contact."""
    who = ""
    if isinstance(actor, Actor):
        contact = actor.contact
        known_as = ""
        if contact is not None:  # as it was named: a peer has no id before its first write
            named = f"{contact.platform}:{contact.platform_id}"
            known_as = named if contact.platform else str(contact.id)
        who = f"{actor.agent.agent_id.lower()} {known_as}"
    return f"{request.method} {request.get_full_path()} {who}"


def _principal(actor: Actor | Operator) -> UUID:
    if isinstance(actor, Operator):
        return actor.person or ROOT_PRINCIPAL
    if actor.trusted and actor.principal:
        return _vouched_for(actor, actor.principal)
    return actor.key or actor.written_by


def _acting_as(actor: Actor | Operator) -> UUID:
    if isinstance(actor, Operator):
        return ROOT_PRINCIPAL
    return _vouched_for(actor, actor.user) if actor.trusted else actor.user.id


def _vouched_for(actor: Actor, user: Principal) -> UUID:
    """The same for each request: a user whom a gateway vouches for has no row at first."""
    return uuid5(actor.account.id, user.user_id.lower())


def _claim(attempt: Attempt, number: UUID) -> dict[str, Any] | None:
    """Record the attempt as in flight, or return the reference of the one that is done."""
    now = timezone.now()
    row = IdempotencyRecord(
        principal=attempt.principal,
        acting_as=attempt.acting_as,
        route=attempt.route,
        key=attempt.key,
        body=attempt.body,
        attempt=number,
        started_at=now,
    )
    _rows(attempt).filter(created_at__lt=now - KEPT).delete()
    IdempotencyRecord.objects.bulk_create([row], ignore_conflicts=True)
    found = _rows(attempt).first()
    if found is None or found.attempt == number:
        return None
    if bytes(found.body) != attempt.body:
        raise KeyReused("This Idempotency-Key was used for another body.")
    if found.done_at is not None:
        reference: dict[str, Any] = found.reference
        return reference
    taken_over = (
        _rows(attempt)
        .filter(attempt=found.attempt, done_at=None, started_at__lt=now - LEASE)
        .update(attempt=number, started_at=now)
    )
    if not taken_over:
        raise Conflict("A request with this Idempotency-Key is in flight.", retry_after=1)
    return None


def _finish(attempt: Attempt, number: UUID, reference: dict[str, Any]) -> None:
    marked = (
        _rows(attempt).filter(attempt=number).update(done_at=timezone.now(), reference=reference)
    )
    if not marked:  # taken over while this one was slow: the other's write stands
        raise Conflict("A request with this Idempotency-Key is in flight.", retry_after=1)


def _rows(attempt: Attempt) -> Any:
    return IdempotencyRecord.objects.filter(
        principal=attempt.principal,
        acting_as=attempt.acting_as,
        route=attempt.route,
        key=attempt.key,
    )


def once_within(
    request: HttpRequest,
    actor: Actor | Operator,
    account: AccountRef,
    work: Callable[[], T],
    *,
    secret_of: str | None = None,
) -> T | None:
    """As `once`, for admin routes: their record lies in the account that they run.

    Args:
        secret_of: what the work makes, when the answer holds a secret. It is kept nowhere, so a
            repetition cannot be answered with it.

    Returns:
        What the work returned; None when it was done before.

    Raises:
        Conflict: it was done before, and the answer held a secret.
    """

    def again(_reference: dict[str, Any]) -> None:
        if secret_of is not None:
            raise Conflict(
                f"This request made {secret_of} before; its secret is not kept.", object=secret_of
            )

    with tenancy.account(account):
        return once(request, actor, work=work, reference=lambda _made: {}, again=again)


def forget_old() -> None:
    """Delete the records that have outlived their time, in the current account."""
    IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
