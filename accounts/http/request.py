"""What our middleware adds to a request, for the type checker's eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from accounts.actor import Actor
    from accounts.models import Person


class OurRequest(HttpRequest):
    """Any request: the outermost middleware and django-htmx have seen it."""

    request_id: str
    htmx: HtmxDetails


class AccountRequest(OurRequest):
    """A request for a page of an account: the path middleware has bound who is asking."""

    actor: Actor
    # Signed in, or the middleware would have refused.
    user: Person
