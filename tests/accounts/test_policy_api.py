"""`/admin/accounts/{a}/policy`: what splits memories, who reads sessions, and its versions."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.actor import Operator
from accounts.models import PolicyVersion
from accounts.principals.models import AuditEvent, User
from accounts.principals.services import account_create
from tests.rows import row_counts

PATH = "/admin/accounts/north/policy"


@pytest.fixture
def put(api, cast):
    return lambda **body: api("PUT", PATH, cast.alice.headers, body)


def versions(account):
    rows = PolicyVersion.objects.filter(account_id=account.id).order_by("version")
    return [(row.version, row.sessions_visible_to, row.reason) for row in rows]


def test_get(api, cast):
    found = api.get(PATH, cast.alice.headers).result
    assert found == {
        "isolate_user_scope_by_agent": False,
        "isolate_agent_scope_by_user": False,
        "sessions_visible_to": "account",
        "version": 1,
        "updated_at": found["updated_at"],
        "updated_by": None,
    }
    assert api.get(PATH, cast.root).result == found
    assert versions(cast.north) == [(1, "account", "")]


def test_both_ways(api, cast, put):
    for number, value in enumerate(("participants", "account", "participants"), 2):
        found = put(sessions_visible_to=value, reason=f"reason {number}").result
        assert (found["version"], found["sessions_visible_to"]) == (number, value)
        assert found["updated_by"] == "alice"
        assert api.get(PATH, cast.alice.headers).result == found
    assert versions(cast.north) == [
        (1, "account", ""),
        (2, "participants", "reason 2"),
        (3, "account", "reason 3"),
        (4, "participants", "reason 4"),
    ]
    assert versions(cast.south) == [(1, "account", "")]


def test_by_root(api, cast):
    found = api("PUT", PATH, cast.root, {"sessions_visible_to": "participants"}).result
    assert (found["version"], found["updated_by"]) == (2, None)


def test_it_binds_at_once(api, cast, put):
    api.say(cast.bob.headers, "bobs")
    for number, (value, status) in enumerate(
        (("participants", 404), ("account", 200), ("participants", 404)), 2
    ):
        put(sessions_visible_to=value)
        assert api.get("/sessions/bobs", cast.beth.headers).status == status
        assert api.get("/sessions/bobs", cast.root_as("beth")).status == status
        assert len(api.get("/sessions", cast.beth.headers).result) == (status == 200)
        for headers in (cast.bob.headers, cast.alice.headers):
            assert api.get("/sessions/bobs", headers).status == 200
        who = api.get("/whoami", cast.beth.headers).result
        assert (who["policy_version"], who["policy"]["sessions_visible_to"]) == (number, value)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": "for no reason"},
        {"sessions_visible_to": "account"},
        {"sessions_visible_to": None},
        {"isolate_user_scope_by_agent": False, "isolate_agent_scope_by_user": False},
        {"sessions_visible_to": "account", "isolate_agent_scope_by_user": False, "reason": "x"},
    ],
    ids=str,
)
def test_no_change_makes_no_version(api, cast, put, body):
    before = api.get(PATH, cast.alice.headers).result, row_counts(cast.north)
    assert put(**body).result == before[0]
    assert row_counts(cast.north) == before[1]
    assert versions(cast.north) == [(1, "account", "")]
    assert put(sessions_visible_to="participants").result["version"] == 2


@pytest.mark.parametrize("flag", ["isolate_user_scope_by_agent", "isolate_agent_scope_by_user"])
class TestNamespaceFlags:
    def test_change_and_bind_at_once(self, api, cast, put, flag):
        for number, value in enumerate((True, False, True), 2):
            found = put(**{flag: value}, reason=f"reason {number}").result
            assert (found["version"], found[flag]) == (number, value)
            who = api.get("/whoami", cast.bob.headers).result
            assert (who["policy_version"], who["policy"][flag]) == (number, value)
        assert [reason for *_, reason in versions(cast.north)] == [
            *("", "reason 2", "reason 3", "reason 4")
        ]

    def test_what_is_not_named_stays(self, api, cast, flag):
        account_create(actor=Operator(), account_id="west", admin_user_id="anna", **{flag: True})
        path = "/admin/accounts/west/policy"
        assert api.get(path, cast.root).result[flag] is True
        same = api("PUT", path, cast.root, {"sessions_visible_to": "participants"})
        assert (same.result[flag], same.result["version"]) == (True, 2)
        row = PolicyVersion.objects.get(account_id=tenancy.find("west").id, version=2)
        assert getattr(row, flag) is True
        changed = api("PUT", path, cast.root, {flag: False}).result
        assert (changed[flag], changed["sessions_visible_to"]) == (False, "participants")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"sessions_visible_to": "nobody"}, 400),
        ({"sessions_visible_to": "ACCOUNT"}, 400),
        ({"sessions_visible_to": ""}, 400),
        ({"sessions_visible_to": 1}, 422),
        ({"isolate_user_scope_by_agent": "perhaps"}, 422),
        ({"reason": "x" * 1_001, "sessions_visible_to": "participants"}, 400),
        ({"reason": 5}, 422),
        ({"version": "7"}, 422),
        ({"updated_by": "bob"}, 422),
    ],
    ids=lambda value: str(value)[:60],
)
def test_refusals(cast, put, body, status):
    before = row_counts(cast.north), versions(cast.north)
    answer = put(**body)
    assert (answer.status, answer.code) == (status, "INVALID_ARGUMENT")
    assert (row_counts(cast.north), versions(cast.north)) == before
    assert put(sessions_visible_to="participants", reason="x" * 1_000).status == 200


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
def test_who_may_not(api, cast, put, who, account, status):
    headers = {"nobody": {}, "root": cast.root} | {
        name: getattr(cast, name).headers for name in ("alice", "bob", "charlie")
    }
    path = PATH.replace("north", account)
    body = {"sessions_visible_to": "participants"}
    assert api.get(path, headers[who]).status == status
    assert api("PUT", path, headers[who], body).status == status
    assert versions(cast.north) == versions(cast.south) == [(1, "account", "")]
    assert put(**body).status == 200


def test_it_is_told_without_words(cast, put):
    put(sessions_visible_to="participants", reason="canary-reason")
    with tenancy.account(cast.north):
        event = AuditEvent.objects.get(action="policy.changed")
        assert event.actor == User.objects.get(user_id="alice").pk
    assert (event.target, event.data) == (cast.north.id, {"version": 2})
