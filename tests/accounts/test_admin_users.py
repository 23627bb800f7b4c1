"""`/admin/accounts/{a}/users/{u}`: one user, deletion, role, and the key named `default`."""

from __future__ import annotations

import pytest

from accounts import keys, tenancy
from accounts.models import Account, Membership
from accounts.principals.models import ApiKey, AuditEvent, ContactHandle, User
from tests.accounts.kit import at_once, make_contact, with_key
from tests.cast import Api
from tests.rows import row_counts

USERS = "/admin/accounts/north/users"
BOB = f"{USERS}/bob"
KEYS = "/admin/accounts/north/keys"
ROUTES = (
    ("GET", BOB, None),
    ("DELETE", BOB, None),
    ("PUT", f"{BOB}/role", {"role": "admin"}),
    ("POST", f"{BOB}/key", None),
)


@pytest.fixture
def delete(api, cast):
    return lambda user_id, **query: api("DELETE", f"{USERS}/{user_id}", cast.alice.headers, **query)


@pytest.fixture
def set_role(api, cast):
    return lambda user_id, role: api(
        "PUT", f"{USERS}/{user_id}/role", cast.alice.headers, {"role": role}
    )


def roles(account):
    with tenancy.account(account):
        return dict(User.objects.filter(is_active=True).values_list("user_id", "role"))


def events(account, action):
    with tenancy.account(account):
        return list(AuditEvent.objects.filter(action=action))


@pytest.mark.parametrize(("method", "path", "body"), ROUTES, ids=str)
class TestWhoMay:
    @pytest.mark.parametrize(
        ("who", "account", "status"),
        [
            ("bob", "north", 403),
            ("beth", "north", 403),
            ("charlie", "north", 403),
            ("alice", "south", 403),
            ("alice", "absent", 403),
            ("root", "absent", 404),
            ("nobody", "north", 401),
        ],
    )
    def test_others_are_refused(self, api, cast, method, path, body, who, account, status):
        headers = {"nobody": {}, "root": cast.root} | {
            name: getattr(cast, name).headers for name in ("alice", "bob", "beth", "charlie")
        }
        before = row_counts(cast.north, cast.south)
        assert api(method, path.replace("north", account), headers[who], body).status == status
        assert row_counts(cast.north, cast.south) == before
        assert roles(cast.north)["bob"] == "user"
        assert api(method, path, cast.root, body).status == 200

    def test_an_admin_may(self, api, cast, method, path, body):
        assert api(method, path, cast.alice.headers, body).status == 200

    @pytest.mark.parametrize("spelling", ["BOB", "Bob"])
    def test_case_is_ignored(self, api, cast, method, path, body, spelling):
        answer = api(method, path.replace("bob", spelling), cast.alice.headers, body)
        assert answer.status == 200
        assert answer.result.get("user_id", "bob") == "bob"

    @pytest.mark.parametrize(("user_id", "status"), [("nobody", 404), ("charlie", 404)])
    def test_who_is_not_there(self, api, cast, method, path, body, user_id, status):
        answer = api(method, path.replace("bob", user_id), cast.alice.headers, body)
        assert (answer.status, answer.code) == (status, "NOT_FOUND")
        assert api(method, path, cast.alice.headers, body).status == 200

    def test_a_deleted_one_is_not_there(self, api, cast, delete, method, path, body):
        assert delete("bob").status == 200
        assert api(method, path, cast.alice.headers, body).status == 404
        assert api(method, path.replace("bob", "beth"), cast.alice.headers, body).status == 200


@pytest.mark.parametrize("user_id", ["two words", "x" * 65])
def test_malformed_ids(api, cast, user_id):
    statuses = [
        api(method, path.replace("bob", user_id), cast.alice.headers, body).status
        for method, path, body in ROUTES
    ]
    assert statuses == [400] * len(ROUTES)


def test_get(api, cast):
    found = api.get(BOB, cast.alice.headers).result
    assert found == {
        "user_id": "bob",
        "display_name": "",
        "role": "user",
        "is_default": False,
        "created_at": found["created_at"],
    }
    assert api.get(f"{USERS}/default", cast.alice.headers).result["is_default"] is True


class TestDeleting:
    def test_it_works(self, cast, delete):
        count = Account.objects.get(pk=cast.north.id).user_count
        assert delete("bob").result == {"deleted": True}
        assert Account.objects.get(pk=cast.north.id).user_count == count - 1
        with tenancy.account(cast.north):
            bob = User.objects.get(user_id="bob").pk
        (event,) = events(cast.north, "user.deleted")
        assert (event.target, event.data) == (bob, {"keys": 1, "memories": 0})

    def test_all_keys_die_at_once(self, api, cast, delete):
        body = {"user_id": "bob", "name": "second"}
        second = with_key(api.post(KEYS, cast.alice.headers, body).result["user_key"])
        for headers in (cast.bob.headers, second):
            assert api.get("/sessions", headers).status == 200
        assert delete("bob").status == 200
        for headers in (cast.bob.headers, second):
            assert api.get("/sessions", headers).status == 401
        assert api.get("/sessions", cast.beth.headers).status == 200
        assert {row["user_id"] for row in api.get(KEYS, cast.alice.headers).result} == {
            "alice",
            "beth",
        }
        with tenancy.account(cast.north):
            assert not ApiKey.objects.filter(user__user_id="bob", revoked_at=None).exists()

    def test_the_sign_in_dies_at_once(self, cast, delete, sign_in):
        browser, other = sign_in("bob"), sign_in("alice")
        assert browser.get("/a/north/sessions").status_code == 200
        assert delete("bob").status == 200
        assert browser.get("/a/north/sessions").status_code == 404
        assert other.get("/a/north/sessions").status_code == 200
        assert Membership.objects.filter(account_id=cast.north.id).count() == 1

    def test_bindings_of_handles_die_at_once(self, cast, delete):
        contact = make_contact(cast.north, "telegram", "1")
        with tenancy.account(cast.north):
            bob = User.objects.get(user_id="bob")
            ContactHandle.objects.filter(contact=contact).update(user=bob)
        assert delete("bob").status == 200
        with tenancy.account(cast.north):
            assert ContactHandle.objects.get(contact=contact).user_id is None

    def test_the_row_stays_as_owner_of_its_sessions(self, api, cast, delete):
        api.say(cast.bob.headers, "s1")
        assert delete("bob").status == 200
        found = api.get("/sessions/s1", cast.alice.headers).result
        assert found["created_by_user_id"] == "bob"
        assert found["participant_user_ids"] == ["bob"]
        with tenancy.account(cast.north):
            assert User.objects.get(user_id="bob").is_active is False

    def test_it_is_no_longer_listed(self, api, cast, delete):
        def listed():
            return {row["user_id"] for row in api.get(USERS, cast.alice.headers).result}

        assert "bob" in listed()
        assert delete("bob").status == 200
        assert "bob" not in listed()

    @pytest.mark.parametrize("spelling", ["bob", "BOB"])
    def test_its_id_is_not_given_out_again(self, api, cast, delete, spelling):
        assert delete("bob").status == 200
        answer = api.post(USERS, cast.alice.headers, {"user_id": spelling})
        assert (answer.status, answer.code) == (409, "ALREADY_EXISTS")
        assert api.post(USERS, cast.alice.headers, {"user_id": "rob"}).status == 200

    def test_nobody_acts_for_it(self, api, cast, delete):
        for headers in (cast.alice_as("bob"), cast.root_as("bob")):
            assert api.get("/sessions", headers).status == 200
        assert delete("bob").status == 200
        for headers in (cast.alice_as("bob"), cast.root_as("bob")):
            assert api.get("/sessions", headers).status == 404
            assert api.say(headers, "s1").status == 404
        assert api.say(cast.alice.headers, "s1", role_id="bob").status == 400

    @pytest.mark.parametrize("user_id", ["default", "Default"])
    def test_not_the_default_user(self, cast, delete, user_id):
        before = row_counts(cast.north)
        answer = delete(user_id)
        assert (answer.status, answer.code) == (409, "CONFLICT")
        assert row_counts(cast.north) == before

    def test_not_the_last_admin(self, api, cast, delete, set_role):
        answer = delete("alice")
        assert (answer.status, answer.code) == (409, "CONFLICT")
        assert api.get(USERS, cast.alice.headers).status == 200
        assert set_role("bob", "admin").status == 200
        assert delete("alice").status == 200
        assert api.get(USERS, cast.alice.headers).status == 401
        assert api("DELETE", BOB, cast.bob.headers).status == 409

    def test_a_deleted_admin_does_not_count(self, delete, set_role):
        set_role("bob", "admin")
        assert delete("bob").status == 200
        assert delete("alice").status == 409
        assert set_role("alice", "user").status == 409

    @pytest.mark.parametrize(
        ("memories", "status"), [("erase", 200), ("keep", 200), ("burn", 400), ("", 400)]
    )
    def test_what_becomes_of_memories(self, api, cast, delete, memories, status):
        assert delete("bob", memories=memories).status == status
        assert api.get("/sessions", cast.bob.headers).status == (401 if status == 200 else 200)


class TestRole:
    def test_promotion_binds_at_once(self, api, cast, set_role):
        assert api.get(USERS, cast.bob.headers).status == 403
        assert set_role("bob", "admin").result == {
            "account_id": "north",
            "user_id": "bob",
            "role": "admin",
        }
        assert api.get(USERS, cast.bob.headers).status == 200
        (event,) = events(cast.north, "user.role_changed")
        assert event.data == {"admin": True}

    def test_demotion_binds_at_once(self, api, cast, set_role):
        set_role("bob", "admin")
        assert api.get(USERS, cast.bob.headers).status == 200
        assert set_role("bob", "user").status == 200
        assert api.get(USERS, cast.bob.headers).status == 403
        assert api.get("/sessions", cast.bob.headers).status == 200

    @pytest.mark.parametrize(
        ("role", "status"),
        [
            ("root", 400),
            ("Root", 400),
            ("ADMIN", 400),
            ("operator", 400),
            ("", 400),
            (None, 422),
            (1, 422),
        ],
    )
    def test_others_are_refused_and_change_nothing(self, api, cast, set_role, role, status):
        before = row_counts(cast.north), roles(cast.north)
        for user in ("bob", "alice"):
            assert set_role(user, role).status == status
        root = api("PUT", f"{BOB}/role", cast.root, {"role": role})
        assert (root.status, root.code) == (status, "INVALID_ARGUMENT")
        assert (row_counts(cast.north), roles(cast.north)) == before
        assert set_role("bob", "admin").status == 200

    def test_not_without_one(self, api, cast):
        assert api("PUT", f"{BOB}/role", cast.alice.headers, {}).status == 422

    @pytest.mark.parametrize("role", ["admin", "user"])
    def test_the_default_user_has_none_other(self, cast, set_role, role):
        answer = set_role("default", role)
        assert (answer.status, answer.code) == (409, "CONFLICT")
        assert roles(cast.north)["default"] == "user"

    def test_the_last_admin_keeps_it(self, api, cast, set_role):
        for demote in (
            lambda: set_role("alice", "user"),
            lambda: api("PUT", f"{USERS}/alice/role", cast.root, {"role": "user"}),
        ):
            answer = demote()
            assert (answer.status, answer.code) == (409, "CONFLICT")
        assert roles(cast.north)["alice"] == "admin"
        assert set_role("alice", "admin").status == 200
        set_role("bob", "admin")
        assert set_role("alice", "user").status == 200
        assert roles(cast.north)["bob"] == "admin"


class TestTwoAdminsAtOnce:
    """In real transactions: whatever they do to each other, one is left."""

    @pytest.mark.parametrize(
        ("first", "second"), [("PUT", "PUT"), ("DELETE", "DELETE"), ("PUT", "DELETE")]
    )
    def test_one_is_left(self, committed, first, second):
        path = f"/admin/accounts/{committed.north.account_id}/users"

        def role(user, role):
            return Api()("PUT", f"{path}/{user}/role", committed.root, {"role": role}).status

        def away(user, method):
            if method == "DELETE":
                return lambda api: api("DELETE", f"{path}/{user}", committed.root).status
            return lambda api: (
                api("PUT", f"{path}/{user}/role", committed.root, {"role": "user"}).status
            )

        assert role("bob", "admin") == 200
        statuses = at_once(away("alice", first), away("bob", second))
        assert sorted(statuses) == [200, 409]
        left = [user for user, role in roles(committed.north).items() if role == "admin"]
        assert len(left) == 1
        assert left == [["alice", "bob"][statuses.index(409)]]


class TestKeyReplacement:
    @pytest.fixture
    def replaced(self, api, cast):
        return lambda user="bob": api.post(f"{USERS}/{user}/key", cast.alice.headers)

    def test_it_works(self, api, cast, replaced):
        answer = replaced().result
        assert set(answer) == {"user_key"}
        assert keys.parse_key(answer["user_key"]).account_id == "north"
        assert api.get("/sessions", cast.bob.headers).status == 401
        assert api.get("/whoami", with_key(answer["user_key"])).result["user_id"] == "bob"
        assert len(events(cast.north, "key.replaced")) == 1

    def test_named_keys_stay(self, api, cast, replaced):
        body = {"user_id": "bob", "name": "second"}
        second = with_key(api.post(KEYS, cast.alice.headers, body).result["user_key"])
        replaced()
        assert api.get("/sessions", second).status == 200
        assert api.get("/sessions", cast.bob.headers).status == 401

    def test_others_keys_stay(self, api, cast, replaced):
        replaced()
        for member in (cast.alice, cast.beth, cast.charlie):
            assert api.get("/sessions", member.headers).status == 200

    def test_again_and_again(self, api, replaced):
        made = [replaced().result["user_key"] for _ in range(3)]
        statuses = [api.get("/sessions", with_key(key)).status for key in made]
        assert statuses == [401, 401, 200]

    def test_ones_own(self, api, cast, replaced):
        mine = with_key(replaced("alice").result["user_key"])
        assert api.get(USERS, cast.alice.headers).status == 401
        assert api.get(USERS, mine).status == 200

    def test_one_that_was_revoked(self, api, cast, replaced):
        own = keys.parse_key(cast.bob.key).key_id
        assert api("DELETE", f"{KEYS}/{own}", cast.alice.headers).status == 200
        assert api.get("/whoami", with_key(replaced().result["user_key"])).status == 200
