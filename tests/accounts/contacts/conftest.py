"""The cast of the contacts' tests."""

from __future__ import annotations

import pytest

from tests.accounts.kit import contact_header, make_contact, peer_header
from tests.sessions_app.channel import Channel, gateway_headers


@pytest.fixture
def gateway(cast):
    return gateway_headers(cast.north)


@pytest.fixture
def channel(api, gateway):
    return Channel(api, gateway)


@pytest.fixture
def people(cast):
    """Contacts: bobs (Bob's), shared (the default user's), group (the default user's)."""
    return {
        "bobs": make_contact(cast.north, "telegram", "b", owner="bob"),
        "shared": make_contact(cast.north, "telegram", "s"),
        "group": make_contact(cast.north, "telegram", "s", kind="group"),
    }


@pytest.fixture
def who(cast, gateway, people):
    """who("owner") → headers of somebody, about Bob's contact."""
    callers = {
        "owner": cast.bob.headers,
        "other": cast.beth.headers,
        "gateway": gateway,
        "admin": cast.alice.headers,
        "admin as bob": cast.alice_as("bob"),
        "admin as beth": cast.alice_as("beth"),
        "root as bob": cast.root_as("bob"),
        "root as beth": cast.root_as("beth"),
        "itself": contact_header(gateway, people["bobs"]),
        "another": contact_header(gateway, people["shared"]),
        "a new peer": peer_header(cast.bob.headers, "new"),
        "outsider": cast.charlie.headers,
    }
    return callers.__getitem__


@pytest.fixture
def create(api, cast):
    def make(name="Dana", headers=None, **fields):
        answer = api.post(
            "/contacts", headers or cast.alice.headers, {"display_name": name, **fields}
        )
        assert answer.status == 200, answer.body
        return answer.result

    return make  # fmt: skip


@pytest.fixture
def merge(api, cast):
    def into(first, other, status=200, headers=None):
        path, body = f"/contacts/{first}/merge", {"into": str(other)}
        answer = api.post(path, headers or cast.alice.headers, body)
        assert answer.status == status, answer.body
        return answer

    return into


@pytest.fixture
def unmerge(api, cast):
    def undo(first, status=200):
        answer = api.post(f"/contacts/{first}/unmerge", cast.alice.headers)
        assert answer.status == status, answer.body
        return answer

    return undo
