"""`/api/v1/contacts/{id}/consent`: the ledger of what a contact agreed to."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts.actor import Scope
from accounts.http.envelope import Envelope, ok
from accounts.names import uuid_named
from accounts.principals.auth import AccountAuth, caller
from accounts.principals.idempotency import once
from memory import render, selectors, services
from memory.schemas import ConsentIn, ConsentOut

router = Router(tags=["contacts"])
PATH = "/{contact_id}/consent"


@router.get(PATH, auth=AccountAuth(), response=Envelope[ConsentOut])
def get_consent(request: HttpRequest, contact_id: str) -> Any:
    """Whether something may be kept about a contact, and all that it said about that."""
    return _ledger(request, contact_id)


@router.put(PATH, auth=AccountAuth(scope=Scope.MANAGE), response=Envelope[ConsentOut])
def put_consent(request: HttpRequest, contact_id: str, body: ConsentIn) -> Any:
    """Write down that a contact agreed, or no longer does. Needs an admin as itself."""
    actor = caller(request)
    once(
        request,
        actor,
        work=lambda: services.consent_set(
            actor=actor, contact_id=uuid_named(contact_id, "contact"), **body.model_dump()
        ),
        reference=lambda _made: {},
        again=lambda _found: None,
    )
    return _ledger(request, contact_id)


def _ledger(request: HttpRequest, contact_id: str) -> Any:
    found = selectors.consent_ledger(
        actor=caller(request), contact_id=uuid_named(contact_id, "contact")
    )
    return ok(request, render.consent(found))
