"""`/admin/accounts/{a}/settings`: what an account's admins may set."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.models import Account
from accounts.principals.models import AuditEvent
from tests.rows import row_counts

PATH = "/admin/accounts/north/settings"
DEFAULTS = {
    "agent_registration": "open",
    "agent_memory_writers": "bound_keys",
    "shared_inbox": False,
    "contact_consent": "opt_in",
    "secret_policy": "redact",
    "context_tokens": 32_000,
    "language": "english",
    "session_idle_hours": 0,
    "retention_days": 0,
    "monthly_token_budget": 0,
    "max_users": 10_000,
}
OTHERS = {
    "agent_registration": "admins",
    "agent_memory_writers": "anyone",
    "shared_inbox": True,
    "contact_consent": "opt_out",
    "secret_policy": "refuse",
    "context_tokens": 1_000,
    "language": "german",
    "session_idle_hours": 24,
    "retention_days": 30,
    "monthly_token_budget": 1_000_000,
    "max_users": 5,
}


@pytest.fixture
def change(api, cast):
    return lambda **values: api("PATCH", PATH, cast.alice.headers, values)


def test_defaults(api, cast):
    for headers in (cast.alice.headers, cast.root):
        assert api.get(PATH, headers).result == DEFAULTS


@pytest.mark.parametrize("name", DEFAULTS)
def test_each_can_be_changed_and_taken_back(api, cast, change, name):
    changed = {**DEFAULTS, name: OTHERS[name]}
    assert change(**{name: OTHERS[name]}).result == changed
    assert api.get(PATH, cast.root).result == changed
    assert Account.objects.get(pk=cast.north.id).settings == {name: OTHERS[name]}
    assert api.get("/admin/accounts/south/settings", cast.charlie.headers).result == DEFAULTS
    assert change(**{name: DEFAULTS[name]}).result == DEFAULTS
    assert Account.objects.get(pk=cast.north.id).settings == {}


def test_what_is_absent_or_null_stays(change):
    change(**OTHERS)
    assert change().result == OTHERS
    assert change(**dict.fromkeys(OTHERS)).result == OTHERS
    assert change(language="french").result == {**OTHERS, "language": "french"}


def test_it_is_told_without_words(cast, change):
    change(language="german", max_users=7)
    with tenancy.account(cast.north):
        event = AuditEvent.objects.get(action="settings.changed")
    assert (event.target, event.data) == (cast.north.id, {"changed": 2})


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"agent_registration": "nobody"}, 400),
        ({"agent_memory_writers": ""}, 400),
        ({"contact_consent": "granted"}, 400),
        ({"secret_policy": "REDACT"}, 400),
        ({"language": "klingon"}, 400),
        ({"context_tokens": 999}, 400),
        ({"context_tokens": 10_000_001}, 400),
        ({"session_idle_hours": -1}, 400),
        ({"session_idle_hours": 87_601}, 400),
        ({"retention_days": 36_501}, 400),
        ({"monthly_token_budget": 10**12 + 1}, 400),
        ({"monthly_token_budget": 10**400}, 400),
        ({"max_users": 1}, 400),
        ({"max_users": 1_000_001}, 400),
        ({"shared_inbox": "perhaps"}, 422),
        ({"shared_inbox": 5}, 422),
        ({"max_users": "many"}, 422),
        ({"max_users": 7.5}, 422),
        ({"language": 5}, 422),
        ({"state": "suspended"}, 422),
        ({"max_user": 7}, 422),
        ({"language": "german", "max_users": 1}, 400),
    ],
    ids=lambda value: str(value)[:60],
)
def test_refusals(api, cast, change, values, status):
    before = row_counts(cast.north)
    answer = change(**values)
    assert (answer.status, answer.code) == (status, "INVALID_ARGUMENT")
    assert row_counts(cast.north) == before
    assert api.get(PATH, cast.alice.headers).result == DEFAULTS
    assert change(language="german").status == 200


@pytest.mark.parametrize("values", [{"shared_inbox": "true"}, {"max_users": "77"}], ids=str)
def test_texts_are_no_numbers(change, values):
    """A wrong type is 422, also where it could be guessed what was meant."""
    assert change(max_users=77, shared_inbox=True).status == 200
    assert change(**values).status == 422


@pytest.mark.parametrize(
    ("who", "account", "status"),
    [
        ("bob", "north", 403),
        ("charlie", "north", 403),
        ("alice", "south", 403),
        ("alice", "absent", 403),
        ("root", "absent", 404),
        ("nobody", "north", 401),
    ],
)
def test_who_may_not(api, cast, change, who, account, status):
    headers = {"nobody": {}, "root": cast.root} | {
        name: getattr(cast, name).headers for name in ("alice", "bob", "charlie")
    }
    path = PATH.replace("north", account)
    assert api.get(path, headers[who]).status == status
    assert api("PATCH", path, headers[who], {"max_users": 7}).status == status
    assert change().result == DEFAULTS


class TestThatTheyBind:
    """At once, with the next request."""

    def test_max_users(self, api, cast, change):
        path = "/admin/accounts/north/users"
        assert change(max_users=5).status == 200
        assert api.post(path, cast.alice.headers, {"user_id": "carol"}).status == 200
        before = row_counts(cast.north)
        answer = api.post(path, cast.alice.headers, {"user_id": "dave"})
        assert (answer.status, answer.code) == (429, "RESOURCE_EXHAUSTED")
        assert int(answer.headers["Retry-After"]) > 0
        assert row_counts(cast.north) == before
        assert api("DELETE", f"{path}/carol", cast.alice.headers).status == 200
        assert api.post(path, cast.alice.headers, {"user_id": "dave"}).status == 200

    def test_fewer_users_than_there_are(self, api, cast, change):
        """It is taken, and nobody more comes in."""
        assert change(max_users=2).status == 200
        assert api.get("/sessions", cast.bob.headers).status == 200
        body = {"user_id": "carol"}
        assert api.post("/admin/accounts/north/users", cast.alice.headers, body).status == 429

    def test_agent_registration(self, api, cast, change):
        headers = {**cast.bob.headers, "X-Bailiwick-Agent": "ada"}
        change(agent_registration="admins")
        assert api.say(headers, "s1").status == 403
        change(agent_registration="open")
        assert api.say(headers, "s1").status == 200
