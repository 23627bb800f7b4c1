"""The ledger of what contacts agreed to (memory.md, Consent)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from accounts.errors import InvalidArgument, NotFound
from accounts.http.parser import check_text
from accounts.principals import audit
from accounts.principals.contacts import contact_for
from accounts.principals.models import Contact
from memory import access
from memory.models import Consent
from memory.services.checks import expiry
from sessions_app.access import sessions_of
from sessions_app.models import Message

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.actor import Actor

MAX_CHANNEL = 64


def consent_set(
    *,
    actor: Actor,
    contact_id: UUID,
    state: str,
    purpose: str = Consent.Purpose.MEMORY,
    channel: str = "",
    evidence_message_id: str | None = None,
    expires_at: datetime | None = None,
) -> Consent:
    """Write down that a contact agreed, or no longer does; the last word counts.

    It is said for every contact that counts as this one, so that the stricter rule of merged
    contacts cannot hold back what was said after they were merged.

    Raises:
        PermissionDenied: the caller is no admin as itself, with the scope `manage`.
        NotFound: no such contact, or no such message.
        InvalidArgument: a value that is refused.
    """
    access.require_keeper(actor)
    if state not in Consent.State.values:
        raise InvalidArgument("state must be 'granted' or 'withdrawn'.", field="state")
    if purpose not in Consent.Purpose.values:
        raise InvalidArgument("purpose must be 'memory'.", field="purpose")
    check_text(channel)
    if len(channel) > MAX_CHANNEL:
        raise InvalidArgument(f"channel has at most {MAX_CHANNEL} characters.", field="channel")
    expires_at = expiry(expires_at)
    with transaction.atomic():
        contact = contact_for(actor, contact_id)
        evidence = _message(actor, evidence_message_id)
        # The rows of the contacts stand for the ledger's lock: two last words at once must wait.
        family = list(Contact.objects.filter(root=contact.root).order_by("pk").select_for_update())
        Consent.objects.filter(contact__in=family, purpose=purpose, is_current=True).update(
            is_current=False
        )
        rows = [
            Consent(
                contact=member,
                purpose=purpose,
                state=state,
                channel=channel,
                evidence=evidence,
                expires_at=expires_at,
                written_by=actor.written_by,
                written_key=actor.key,
            )
            for member in family
        ]
        Consent.objects.bulk_create(rows)
        audit.record(
            actor=actor,
            action="consent.granted" if state == Consent.State.GRANTED else "consent.withdrawn",
            target_type="contact",
            target=contact.root,
        )
    return next(row for row in rows if row.contact_id == contact.pk)


def _message(actor: Actor, message_id: str | None) -> Message | None:
    if not message_id:
        return None
    try:
        key = UUID(message_id.removeprefix("msg_"))
    except ValueError:
        raise InvalidArgument(
            "evidence_message_id is a message's id.", field="evidence_message_id"
        ) from None
    found = Message.objects.filter(pk=key, session__in=sessions_of(actor)).first()
    if found is None:
        raise NotFound("message", message_id)
    return found
