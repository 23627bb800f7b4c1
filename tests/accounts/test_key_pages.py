"""Keys in the browser: everybody's for admins, one's own for users."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import keys, tenancy
from accounts.actor import Operator, Role, Scope
from accounts.errors import InvalidArgument, NotFound, PermissionDenied
from accounts.principals import access
from accounts.principals.models import Agent, ApiKey, AuditEvent
from accounts.principals.services import key_create, key_replace, key_revoke

KEYS = "/a/north/keys"


@pytest.fixture
def agents(cast):
    with tenancy.account(cast.north):
        Agent.objects.bulk_create(Agent(agent_id=one) for one in ("Ada", "max"))


@pytest.fixture
def make(sign_in, agents):
    """make("alice", user="bob", …) → the answer to the form for a new key."""

    def send(who, user="", **fields):
        query = f"?user={user}" if user else ""
        whole = {"name": "tablet", "scopes": ["read", "write"], **fields}
        return sign_in(who).post(f"{KEYS}/new{query}", whole)

    return send


def words(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def secret_of(answer):
    assert answer.status_code == 201, answer.content[-2000:]
    return re.search(r'<code id="secret">([^<]+)</code>', answer.content.decode())[1]


def key_id(member):
    return keys.parse_key(member.key).key_id


def named(cast, name="tablet"):
    with tenancy.account(cast.north):
        return ApiKey.objects.filter(name=name).select_related("user").first()


# --- Lists ---


def test_admins_see_everybodys_keys_and_users_their_own(sign_in, cast):
    everybody = words(sign_in("alice").get(KEYS))
    assert all(key_id(one) in everybody for one in (cast.alice, cast.bob, cast.beth))
    own = words(sign_in("bob").get(KEYS))
    assert key_id(cast.bob) in own
    assert key_id(cast.beth) not in own
    assert "Invitations" not in own
    assert "Invitations" in everybody


@pytest.mark.parametrize("q", ["beth", "BETH"])
def test_search_narrows_the_keys(q, sign_in, cast):
    found = words(sign_in("alice").get(KEYS, {"q": q}))
    assert key_id(cast.beth) in found
    assert key_id(cast.bob) not in found
    assert key_id(cast.beth) not in words(sign_in("bob").get(KEYS, {"q": q}))


def test_without_a_key_the_page_says_what_to_do(sign_in, cast):
    browser = sign_in("bob")
    assert browser.post(f"{KEYS}/{key_id(cast.bob)}/revoke").status_code == 303
    page = words(browser.get(KEYS))
    assert "No key opens anything" in page
    assert 'href="/a/north/keys/new"' in page


def test_an_admins_default_key_tells_that_it_manages(sign_in, cast):
    page = words(sign_in("alice").get(KEYS, {"q": "alice"}))
    assert "read, write, manage" in page
    assert "read, write, manage" not in words(sign_in("alice").get(KEYS, {"q": "bob"}))


# --- Making ---


def test_an_admin_makes_a_key_for_a_user_that_works_as_it_says(make, api, cast):
    tomorrow = timezone.localdate() + timedelta(days=1)
    answer = make("alice", "bob", agents="ada, MAX ada", expires_at=tomorrow.isoformat())
    headers = {"X-API-Key": secret_of(answer)}
    assert api.get("/whoami", headers).result["user_id"] == "bob"
    row = named(cast)
    assert row.agents == ["Ada", "max"]
    assert timezone.localtime(row.expires_at).date() == tomorrow
    assert api.get("/sessions", {**headers, "X-Bailiwick-Agent": "default"}).status == 403


def test_the_line_of_a_reading_key_reads(make):
    answer = words(make("alice", "bob", scopes=["read"]))
    assert "curl http://testserver/api/v1/sessions -H" in answer
    assert "POST" not in answer.split('id="secret-command"')[1].split("</pre>")[0]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "Name what will use the key"),
        ({"name": "default"}, "is made by replacing it"),
        ({"agents": "ada, mxa"}, "There is no agent “mxa”. Known: Ada, default, max."),
        ({"expires_at": "2020-11-02"}, "2 November 2020 has passed. The earliest is tomorrow."),
        ({"expires_at": "soon"}, "Write the day as year-month-day"),
        ({"expires_at": "2500-01-01"}, "must lie between"),
        ({"scopes": []}, "Choose at least one scope"),
        ({"scopes": ["everything"]}, "You cannot give the scope “everything”"),
        ({"scopes": ["read", "manage"]}, "Only an admin"),
    ],
)
def test_a_refused_key_is_not_made(fields, said, make, cast):
    answer = make("alice", "bob", **fields)
    assert answer.status_code == 422
    assert said in words(answer)
    assert "No key was made." in words(answer)
    assert 'id="secret"' not in words(answer)
    assert named(cast) is None
    secret_of(make("alice", "bob"))


def test_a_taken_name_is_told_at_the_name(make):
    secret_of(make("alice", "bob"))
    again = make("alice", "bob")
    assert again.status_code == 422
    assert "The user has a key of this name." in words(again)


def test_gateway_and_manage_are_given_by_admins_alone(make, cast):
    for scope in ("gateway", "manage"):
        refused = make("bob", scopes=["read", scope])
        assert refused.status_code == 422
        assert named(cast) is None
    secret_of(make("alice", "bob", scopes=["read", "gateway"]))
    secret_of(make("alice", "alice", scopes=["read", "manage"], name="second"))
    assert named(cast).scopes == ["read", "gateway"]


def test_a_user_makes_keys_for_themself_only(make, cast):
    assert make("bob", "beth").status_code == 404
    assert make("bob", "absent").status_code == 404
    assert named(cast) is None
    secret_of(make("bob"))
    assert named(cast).user.user_id == "bob"


# --- Replacing and revoking ---


def test_replacing_the_default_key_kills_the_old_one(sign_in, api, cast):
    bob = sign_in("bob")
    assert "Replace the default key of bob?" in words(bob.get(f"{KEYS}/replace"))
    fresh = secret_of(bob.post(f"{KEYS}/replace"))
    assert api.get("/whoami", cast.bob.headers).status == 401
    assert api.get("/whoami", {"X-API-Key": fresh}).result["user_id"] == "bob"
    assert bob.post(f"{KEYS}/replace?user=beth").status_code == 404
    assert api.get("/whoami", cast.beth.headers).status == 200


def test_revoking_asks_and_then_the_key_is_dead(sign_in, api, cast):
    alice, at = sign_in("alice"), f"{KEYS}/{key_id(cast.bob)}/revoke"
    page = words(alice.get(at))
    assert "Revoke key default of bob?" in page
    assert "cannot be undone" in page
    assert api.get("/whoami", cast.bob.headers).status == 200
    answer = alice.post(at)
    assert (answer.status_code, answer["Location"]) == (303, "/a/north/users/bob")
    assert api.get("/whoami", cast.bob.headers).status == 401
    assert alice.get(at).status_code == alice.post(at).status_code == 404


def test_another_users_key_is_not_there_for_a_user(sign_in, api, cast):
    bob, at = sign_in("bob"), f"{KEYS}/{key_id(cast.beth)}/revoke"
    assert bob.get(at).status_code == bob.post(at).status_code == 404
    assert api.get("/whoami", cast.beth.headers).status == 200
    assert bob.post(f"{KEYS}/{key_id(cast.bob)}/revoke").status_code == 303
    assert api.get("/whoami", cast.bob.headers).status == 401


def test_keys_of_another_account_are_not_there(sign_in, api, cast):
    at = f"/a/south/keys/{key_id(cast.bob)}/revoke"
    assert sign_in("charlie").post(at).status_code == 404
    assert api.get("/whoami", cast.bob.headers).status == 200


def test_a_view_changes_no_key(sign_in, api, cast):
    alice = sign_in("alice")
    assert alice.post("/a/north/view", {"user": "bob", "reason": "Ticket"}).status_code == 303
    seen = words(alice.get(KEYS))
    assert key_id(cast.bob) in seen
    assert key_id(cast.beth) not in seen
    assert alice.post(f"{KEYS}/{key_id(cast.bob)}/revoke").status_code == 403
    assert alice.post(f"{KEYS}/replace").status_code == 403
    assert api.get("/whoami", cast.bob.headers).status == 200


# --- The rights themselves, below every page ---


def test_the_services_keep_the_rights_by_themselves(acting, cast):
    bob = acting("bob")
    with pytest.raises(NotFound):
        key_create(actor=bob, account=cast.north, user_id="beth", name="x")
    with pytest.raises(NotFound):
        key_replace(actor=bob, account=cast.north, user_id="beth")
    with pytest.raises(NotFound):
        key_revoke(actor=bob, account=cast.north, key_id=key_id(cast.beth))
    with pytest.raises(PermissionDenied):
        key_create(
            actor=bob, account=cast.north, user_id="bob", name="x", scopes=["read", "gateway"]
        )
    with pytest.raises(InvalidArgument):
        key_create(actor=bob, account=cast.north, user_id="bob", name="x", scopes=["manage"])
    made, _ = key_create(actor=bob, account=cast.north, user_id="bob", name="x")
    assert key_revoke(actor=bob, account=cast.north, key_id=made.key_id).pk == made.pk
    with tenancy.account(cast.north):
        assert AuditEvent.objects.filter(action="key.revoked", target=bob.user.id).exists()


def test_what_may_be_granted_follows_from_both_roles(acting, cast):
    bob = acting("bob")
    assert bob.role is Role.USER
    with tenancy.account(cast.north):
        for_bob, for_alice = access.user_for("bob"), access.user_for("alice")
        assert access.grantable_scopes(bob, for_bob) == (Scope.READ, Scope.WRITE)
        plain = (Scope.READ, Scope.WRITE, Scope.GATEWAY)
        assert access.grantable_scopes(Operator(), for_bob) == plain
        assert access.grantable_scopes(Operator(), for_alice) == (*plain, Scope.MANAGE)
