"""What several test files of this folder share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection

from accounts import tenancy
from accounts.principals.models import Contact, ContactHandle, User
from config.api import api as ninja
from tests.cast import Api

WRITING = frozenset({"post", "put", "patch", "delete"})


def with_key(key, **context):
    """Headers of a key, with context headers: agent="ada" → X-Bailiwick-Agent."""
    named = {f"X-Bailiwick-{name.title()}": value for name, value in context.items()}
    return {"X-API-Key": key, **named}


def peer_header(headers, peer):
    return {**headers, "X-OpenViking-Actor-Peer": peer}


def contact_header(headers, contact):
    return {**headers, "X-Bailiwick-Contact": str(contact)}


def make_contact(account, platform, platform_id, *, owner="default", kind="external"):
    """A contact with one handle; its row's id."""
    with tenancy.account(account):
        user = User.objects.get(user_id=owner)
        row = Contact(owner=user, kind=kind)
        row.root = row.pk
        row.save(force_insert=True)
        ContactHandle.objects.create(
            contact=row, platform=platform, platform_id=platform_id, owner=user, kind=kind
        )
        return row.pk


def furnish_contact(account, contact, path):
    """What a route about that contact of Bob's needs; what the path's places stand for."""
    with tenancy.account(account):
        kind = Contact.objects.get(pk=contact).kind
        into = make_contact(account, "web", "into", owner="bob", kind=kind)
        if path.endswith("/unmerge"):
            Contact.objects.filter(pk=contact).update(merged_into=into, root=into)
        handles = ContactHandle.objects.filter(contact=contact)
        if path.endswith("/unbind"):
            handles.update(user=User.objects.get(user_id="beth"))
        return {
            "contact_id": str(contact),
            "handle_id": str(handles.get().pk),
            "into": str(into),
        }


def contact_count(account):
    with tenancy.account(account):
        assert Contact.objects.count() == ContactHandle.objects.count()
        return Contact.objects.count()


def operations(*, writing):
    """(METHOD, path) of the OpenAPI file: those that write, or those that read."""
    found = set()
    for path, methods in ninja.get_openapi_schema()["paths"].items():
        for method in methods:
            if (method in WRITING) is writing:
                found.add((method.upper(), path.removeprefix("/api/v1")))
    return found


def at_once(*calls):
    """Run the calls in threads that start together; what each returned. call(api)."""
    together = Barrier(len(calls))

    def run(call):
        try:
            together.wait(30)
            return call(Api())
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
