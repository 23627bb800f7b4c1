"""`/admin/accounts/{a}/users`: what each request is answered."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.principals.models import User
from tests.rows import row_counts

PATH = "/admin/accounts/north/users"
UUID_SHAPED = "019f7b9c-1234-7abc-8def-0123456789ab"


@pytest.fixture
def create(api, cast):
    """Register a user as the account's admin."""
    return lambda **fields: api.post(PATH, cast.alice.headers, {"user_id": "carol", **fields})


@pytest.fixture
def refused(cast, create):
    """As `create`, when nothing must be left behind."""

    def post(**fields):
        before = row_counts(cast.north, cast.south)
        answer = create(**fields)
        assert row_counts(cast.north, cast.south) == before
        assert create().status == 200
        return answer.status, answer.code

    return post


def test_it_works(api, create):
    made = create().result
    assert {name: made[name] for name in ("account_id", "user_id")} == {
        "account_id": "north",
        "user_id": "carol",
    }
    answer = api.say({"X-API-Key": made["user_key"]}, "s1")
    assert answer.status == 200


@pytest.mark.parametrize(
    ("sent", "kept"), [({}, "user"), *(({"role": r}, r) for r in ("user", "admin"))]
)
def test_role(api, create, sent, kept):
    key = {"X-API-Key": create(**sent).result["user_key"]}
    assert api.get(PATH, key).status == (200 if kept == "admin" else 403)


@pytest.mark.parametrize("role", ["root", "Root", "ADMIN", "operator", "", " user"])
def test_other_roles_are_refused(refused, role):
    """ROOT is not a role that an account's user can have."""
    assert refused(user_id="mallory", role=role) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("spelling", ["bob", "Bob", "BOB"])
def test_taken_id_is_refused_in_any_case(refused, spelling):
    assert refused(user_id=spelling) == (409, "ALREADY_EXISTS")


def test_same_id_in_the_other_account_is_free(api, cast):
    path = PATH.replace("north", "south")
    assert api.post(path, cast.charlie.headers, {"user_id": "bob"}).status == 200
    assert api.post(path, cast.charlie.headers, {"user_id": "bob"}).status == 409


def test_id_of_a_user_who_is_no_more_stays_taken(cast, refused):
    with tenancy.account(cast.north):
        User.objects.filter(user_id="bob").update(is_active=False)
    assert refused(user_id="bob") == (409, "ALREADY_EXISTS")


@pytest.mark.parametrize("value", ["", " ", "a b", "a.b", "a/b", "é", "x" * 65, "a\n", "\u0661"])
def test_malformed_ids_are_refused(refused, value):
    assert refused(user_id=value) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    "value",
    [
        *("default", "Default", "test", "TEST", "root", "Root", "system", "SYSTEM"),
        *("memories", "Memories", "skills", "instructions", "workspaces"),
        *("00000000-0000-0000-0000-000000000000", UUID_SHAPED, UUID_SHAPED.upper()),
        UUID_SHAPED.replace("-", ""),
    ],
)
def test_reserved_ids_are_refused(refused, value):
    assert refused(user_id=value) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    "value", ["x", "x" * 64, "_", "-", "0", "tester", "roots", "A-b_9", "f" * 31]
)
def test_ids_that_are_taken_as_they_are(create, value):
    assert create(user_id=value).result["user_id"] == value


@pytest.mark.parametrize(
    "fields",
    [
        *({"user_id": value} for value in (None, 5, True, ["carol"], {})),
        *({"role": value} for value in (None, 5, ["user"])),
    ],
    ids=str,
)
def test_wrong_types_are_malformed(refused, fields):
    assert refused(**fields) == (422, "INVALID_ARGUMENT")


def test_missing_id_is_malformed(api, cast):
    answer = api.post(PATH, cast.alice.headers, {"role": "user"})
    assert answer.status == 422
    assert answer.body["error"]["details"]["errors"][0]["loc"][-1] == "user_id"


class TestList:
    @pytest.fixture
    def six(self, api, cast):
        for user_id in ("carol", "dave"):
            assert api.post(PATH, cast.root, {"user_id": user_id}).status == 200
        return ["default", "alice", "bob", "beth", "carol", "dave"]

    def ids(self, answer):
        return [row["user_id"] for row in answer.result]

    def test_rows(self, api, cast, six):
        rows = {row["user_id"]: row for row in api.get(PATH, cast.alice.headers).result}
        assert set(rows) == set(six)
        for user_id, role, is_default in (
            ("default", "user", True),
            ("alice", "admin", False),
            ("bob", "user", False),
        ):
            assert (rows[user_id]["role"], rows[user_id]["is_default"]) == (role, is_default)
            assert not [name for name in rows[user_id] if "key" in name or "hash" in name]

    def test_inactive_users_are_not_listed(self, api, cast, six):
        with tenancy.account(cast.north):
            User.objects.filter(user_id="carol").update(is_active=False)
        assert self.ids(api.get(PATH, cast.alice.headers)) == [*six[:4], "dave"]

    @pytest.mark.parametrize("limit", [1, 2, 6, 200])
    def test_pages_give_every_row_once_and_oldest_first(self, api, cast, six, limit):
        found, cursor = [], ""
        while cursor is not None:
            answer = api.get(PATH, cast.alice.headers, limit=limit, cursor=cursor)
            assert len(answer.result) <= limit
            found += self.ids(answer)
            cursor = answer.body["page"]["next"]
        assert found == six

    def test_pages_are_stable_while_users_are_made(self, api, cast, six):
        first = api.get(PATH, cast.alice.headers, limit=4)
        api.post(PATH, cast.root, {"user_id": "aaron"})
        rest = api.get(PATH, cast.alice.headers, cursor=first.body["page"]["next"])
        assert self.ids(first) + self.ids(rest) == [*six, "aaron"]

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            *(({"limit": value}, 400) for value in ("0", "201", "-1", str(10**30))),
            *(({"limit": value}, 422) for value in ("x", "1.5", "", "true")),
            *(({"cursor": value}, 400) for value in ("x", "AAAA", "é", "\0", "A" * 300, "b64=")),
        ],
        ids=str,
    )
    def test_refused_queries(self, api, cast, query, status):
        assert api.get(PATH, cast.alice.headers, **query).status == status

    def test_account_is_found_in_any_case(self, api, cast):
        for spelling in ("NORTH", "North"):
            path = PATH.replace("north", spelling)
            assert api.get(path, cast.alice.headers).status == 200
            assert api.get(path, cast.root).status == 200
