"""GET /users: who is in the account, for those who are in it."""

from __future__ import annotations

import pytest

from tests.accounts.kit import contact_header, make_contact, peer_header

ALL = ["default", "alice", "bob", "beth"]


@pytest.fixture
def ids(api):
    """ids(headers) → the user_ids that are listed."""
    return lambda headers: [row["user_id"] for row in api.get("/users", headers).result["users"]]


def test_everybody_knows_everybody(api, cast, ids):
    for headers in (cast.bob.headers, cast.alice.headers, cast.root_as("beth")):
        assert sorted(ids(headers)) == sorted(ALL)
    assert sorted(ids(cast.charlie.headers)) == ["charlie", "default"]
    found = api.get("/users", cast.bob.headers).result
    assert found["default_user_id"] == "default"
    rows = {row["user_id"]: row for row in found["users"]}
    assert rows["default"] == {
        "user_id": "default",
        "display_name": rows["default"]["display_name"],
        "role": "user",
        "is_default": True,
    }
    assert (rows["alice"]["role"], rows["bob"]["role"]) == ("admin", "user")


def test_who_is_deleted_is_listed_no_more(api, cast, ids):
    assert "beth" in ids(cast.bob.headers)
    assert api("DELETE", "/admin/accounts/north/users/beth", cast.alice.headers).status == 200
    assert "beth" not in ids(cast.bob.headers)


def test_a_contact_knows_its_owner_only(cast, ids):
    contact = make_contact(cast.north, "telegram", "1", owner="bob")
    assert ids(contact_header(cast.alice.headers, contact)) == ["bob"]
    assert ids(peer_header(cast.beth.headers, "p1")) == ["beth"]


def test_it_is_read_in_pages(api, cast):
    first = api.get("/users", cast.bob.headers, limit=3)
    cursor = first.body["page"]["next"]
    second = api.get("/users", cast.bob.headers, limit=3, cursor=cursor)
    rows = first.result["users"] + second.result["users"]
    assert sorted(row["user_id"] for row in rows) == sorted(ALL)
    assert second.body["page"]["next"] is None
    for query in ({"limit": 0}, {"cursor": "nonsense"}):
        assert api.get("/users", cast.bob.headers, **query).status == 400
