"""Contacts and the keys that name them."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.principals.models import ContactHandle
from tests.accounts.kit import (
    make_contact,
    peer_header,
    with_key,
)
from tests.accounts.peers.kit import KEYS


@pytest.fixture
def key(api, cast):
    """A named key of Bob's with these scopes, as headers."""

    def made(*scopes, user_id="bob", **more):
        name = f"{user_id} {' '.join(scopes)}"
        body = {"user_id": user_id, "name": name, "scopes": scopes, **more}
        return with_key(api.post(KEYS, cast.alice.headers, body).result["user_key"])

    return made


@pytest.fixture
def gateway(key):
    return key("read", "write", "gateway")


@pytest.fixture
def dana(cast):
    """A contact of the account's default user."""
    return make_contact(cast.north, "telegram", "4711")


@pytest.fixture
def eli(cast):
    return make_contact(cast.north, "telegram", "4712")


@pytest.fixture
def bobs_peer(api, cast):
    """The contact of Bob's peer p1, who spoke once in the session `with-p1`."""
    assert api.say(peer_header(cast.bob.headers, "p1"), "with-p1").status == 200
    with tenancy.account(cast.north):
        return ContactHandle.objects.get(platform="peer", platform_id="p1").contact_id
