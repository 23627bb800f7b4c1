"""The namespace policy is live: it changes, is reverted, and binds at once."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.models import PolicyVersion
from accounts.principals.models import AuditEvent
from memory.models import Memory
from tests.accounts.kit import with_key
from tests.rows import row_counts

PATH = "/admin/accounts/north/policy"
FLAGS = ("isolate_user_scope_by_agent", "isolate_agent_scope_by_user")


@pytest.fixture
def put(api, cast):
    return lambda **body: api("PUT", PATH, cast.alice.headers, body)


@pytest.fixture
def revert(api, cast):
    return lambda **body: api("POST", f"{PATH}/revert", cast.alice.headers, body or None)


@pytest.fixture
def versions(cast):
    """versions() → number, both flags, readers and reason of each that is kept."""

    def kept():
        rows = PolicyVersion.objects.filter(account_id=cast.north.id).order_by("version")
        return [
            (row.version, *(getattr(row, flag) for flag in FLAGS), row.sessions_visible_to)
            for row in rows
        ]

    return kept


@pytest.mark.parametrize("combo", ["ff", "ft", "tf", "tt"])
def test_it_binds_at_once_and_touches_no_memory(api, cast, remember, put, combo):
    """Of three memories each combination leaves Bob, asking through `default`, others."""
    ada = with_key(cast.bob.key, agent="ada")
    made = {
        "own": remember(cast.bob.headers, "own"),
        "with ada": remember(ada, "with ada"),
        "alice's of the agent": remember(cast.alice.headers, "alice's of the agent", scope="agent"),
    }
    with tenancy.account(cast.north):
        rows = tenancy.fetch_rows("SELECT xmin::text AS x FROM memory_memory ORDER BY id", {})
    flags = dict(zip(FLAGS, (letter == "t" for letter in combo), strict=True))
    assert put(**flags, reason="Because").status == 200
    expected = {"own"}
    expected |= set() if combo[0] == "t" else {"with ada"}
    expected |= set() if combo[1] == "t" else {"alice's of the agent"}
    found = api.get("/memories", cast.bob.headers).result
    assert {row["content"] for row in found} == expected
    number = api.get("/whoami", cast.bob.headers).result["policy_version"]
    assert {row["policy_version"] for row in found} == {number}
    for name, memory in made.items():
        status = 200 if name in expected else 404
        assert api.get(f"/memories/{memory['id']}", cast.bob.headers).status == status
    with tenancy.account(cast.north):
        again = tenancy.fetch_rows("SELECT xmin::text AS x FROM memory_memory ORDER BY id", {})
        assert again == rows
        assert set(Memory.objects.values_list("version", flat=True)) == {1}


def test_revert_is_a_new_version_that_equals_the_one_before(cast, put, revert, versions):
    put(isolate_user_scope_by_agent=True, sessions_visible_to="participants", reason="one")
    put(isolate_agent_scope_by_user=True, reason="two")
    first = revert(reason="three").result
    assert (first["version"], first["isolate_agent_scope_by_user"]) == (4, False)
    assert (first["isolate_user_scope_by_agent"], first["sessions_visible_to"]) == (
        *(True, "participants"),
    )
    assert revert().result["isolate_agent_scope_by_user"]  # twice is back again
    assert versions() == [
        (1, False, False, "account"),
        (2, True, False, "participants"),
        (3, True, True, "participants"),
        (4, True, False, "participants"),
        (5, True, True, "participants"),
    ]
    reasons = PolicyVersion.objects.filter(account_id=cast.north.id).order_by("version")
    assert [row.reason for row in reasons] == ["", "one", "two", "three", ""]


def test_the_first_version_has_none_before_it(cast, put, revert, versions):
    before = row_counts(cast.north)
    answer = revert()
    assert (answer.status, answer.code) == (409, "CONFLICT")
    assert (row_counts(cast.north), len(versions())) == (before, 1)
    put(isolate_user_scope_by_agent=True)
    assert revert().status == 200


def test_whoever_names_another_version_than_that_in_force_is_refused(put, revert, versions):
    assert put(isolate_user_scope_by_agent=True, version=1).result["version"] == 2
    for answer in (put(isolate_user_scope_by_agent=False, version=1), revert(version=1)):
        assert (answer.status, answer.code) == (409, "CONFLICT")
        assert answer.body["error"]["details"] == {"version": 2}
    assert len(versions()) == 2
    assert revert(version=2).result["version"] == 3
    assert put(isolate_user_scope_by_agent=True, version=3).result["version"] == 4


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"reason": "x" * 1001}, 400),
        ({"reason": 5}, 422),
        ({"version": "2"}, 422),
        ({"sessions_visible_to": "account"}, 422),
    ],
    ids=lambda value: str(value)[:40],
)
def test_refusals_of_a_revert(put, revert, versions, body, status):
    put(isolate_user_scope_by_agent=True)
    answer = revert(**body)
    assert (answer.status, answer.code) == (status, "INVALID_ARGUMENT")
    assert len(versions()) == 2
    assert revert(reason="x" * 1_000).status == 200


def test_both_are_told_without_words(cast, put, revert):
    put(isolate_user_scope_by_agent=True, reason="canary")
    revert(reason="canary")
    with tenancy.account(cast.north):
        events = AuditEvent.objects.filter(action__startswith="policy.").order_by("id")
        assert [(one.action, one.data) for one in events] == [
            ("policy.changed", {"version": 2}),
            ("policy.reverted", {"version": 3}),
        ]


def test_a_preview_needs_an_admin_of_the_account_and_changes_nothing(api, cast, remember, put):
    remember(with_key(cast.bob.key, agent="ada"))
    body, path = {"isolate_user_scope_by_agent": True}, f"{PATH}/preview"
    before = row_counts(cast.north)
    for headers, status in (
        (cast.root, 200),
        (cast.bob.headers, 403),
        (cast.charlie.headers, 403),
        ({}, 401),
    ):
        assert api.post(path, headers, body).status == status
    assert row_counts(cast.north) == before
    found = api.post(path, cast.alice.headers, body).result
    assert {(pair["user_id"], pair["agent_id"], pair["lost"]) for pair in found["pairs"]} == {
        ("bob", "default", 1)
    }
    for wrong, status in (
        ({"sessions_visible_to": "nobody"}, 400),
        ({"isolate_user_scope_by_agent": "yes"}, 422),
        ({"version": 1}, 422),
    ):
        assert api.post(path, cast.alice.headers, wrong).status == status
    with tenancy.account(cast.north):  # alice saw a sample of bob's
        assert AuditEvent.objects.filter(action="read.memories").count() == 1
