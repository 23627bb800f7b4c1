"""`GET /whoami`: who one is taken for."""

from __future__ import annotations

import pytest

from tests.accounts.kit import contact_header, make_contact, peer_header, with_key


@pytest.fixture
def who(api):
    return lambda headers: api.get("/whoami", headers).result


def test_it_works(cast, who):
    assert who(cast.bob.headers) == {
        "account_id": "north",
        "role": "user",
        "user_id": "bob",
        "agent_id": "default",
        "contact_id": None,
        "scopes": ["read", "write"],
        "simulated_by": None,
        "policy": {
            "isolate_user_scope_by_agent": False,
            "isolate_agent_scope_by_user": False,
            "sessions_visible_to": "account",
        },
        "policy_version": 1,
    }


@pytest.mark.parametrize(
    ("headers", "role", "user", "simulated_by"),
    [
        (lambda cast: cast.bob.headers, "user", "bob", None),
        (lambda cast: cast.alice.headers, "admin", "alice", None),
        (lambda cast: cast.alice_as("ALICE"), "admin", "alice", None),
        (lambda cast: cast.alice_as("Bob"), "admin", "bob", "alice"),
        (lambda cast: cast.root_as("bob"), "root", "bob", "root"),
        (lambda cast: cast.charlie.headers, "admin", "charlie", None),
    ],
    ids=["a user", "an admin", "itself", "for Bob", "root", "elsewhere"],
)
def test_role_and_simulation(cast, who, headers, role, user, simulated_by):
    found = who(headers(cast))
    assert (found["role"], found["user_id"], found["simulated_by"]) == (role, user, simulated_by)


def test_scopes(api, cast, who):
    assert who(cast.alice.headers)["scopes"] == ["manage", "read", "write"]
    body = {"user_id": "alice", "name": "second", "scopes": ["gateway", "read"]}
    made = api.post("/admin/accounts/north/keys", cast.alice.headers, body).result["user_key"]
    assert who(with_key(made))["scopes"] == ["gateway", "read"]


def test_agent(cast, who):
    assert who({**cast.bob.headers, "X-OpenViking-Agent": "ada"})["agent_id"] == "ada"


def test_contact(cast, who):
    contact = make_contact(cast.north, "telegram", "1")
    found = who(contact_header(cast.alice.headers, contact))
    assert (found["contact_id"], found["user_id"]) == (str(contact), "default")
    assert found["simulated_by"] == "alice"
    found = who(peer_header(cast.bob.headers, "p1"))
    assert (found["contact_id"], found["user_id"], found["simulated_by"]) == (None, "bob", None)


def test_policy(api, cast, who):
    change = {"sessions_visible_to": "participants", "reason": "a test"}
    answer = api("PUT", "/admin/accounts/north/policy", cast.alice.headers, change)
    assert answer.status == 200
    for headers in (cast.bob.headers, cast.root_as("bob")):
        found = who(headers)
        assert found["policy"]["sessions_visible_to"] == "participants"
        assert found["policy_version"] == answer.result["version"] == 2
    assert who(cast.charlie.headers)["policy_version"] == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-API-Key": "garbage"}, 401),
        ({"X-Bailiwick-User": "beth"}, 403),
        ({"X-Bailiwick-Account": "south"}, 403),
        ({"X-Bailiwick-Agent": "a b"}, 400),
    ],
    ids=str,
)
def test_refusals(api, cast, headers, status):
    assert api.get("/whoami", cast.bob.headers).status == 200
    sent = headers if status == 401 else {**cast.bob.headers, **headers}
    assert api.get("/whoami", sent).status == status
