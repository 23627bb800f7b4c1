"""`/admin/accounts/{a}`: looking at, renaming, suspending and deleting an account."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client

from accounts import tenancy
from accounts.models import Account, Membership, OperatorEvent, Person, PolicyVersion
from accounts.principals.models import User
from accounts.tenancy import AccountRef
from sessions_app.models import Archive
from sessions_app.tasks import complete_archive
from tests.accounts.kit import with_key
from tests.cast import Api
from tests.rows import row_counts

NORTH = "/admin/accounts/north"
ROUTES = (("GET", None), ("PATCH", {"name": "The north"}), ("DELETE", None))


@pytest.fixture
def change(api, cast):
    return lambda body: api("PATCH", NORTH, cast.root, body)


def jobs_of(account):
    with tenancy.public():
        return tenancy.fetch_row(
            "SELECT count(*) AS n FROM procrastinate_jobs WHERE args ->> 'account' = %s",
            [str(account.id)],
        )["n"]


def schemas(name):
    row = tenancy.fetch_row("SELECT count(*) AS n FROM pg_namespace WHERE nspname = %s", [name])
    return row["n"]


@pytest.mark.parametrize(("method", "body"), ROUTES)
class TestWhoMay:
    @pytest.mark.parametrize("who", ["alice", "bob", "charlie"])
    @pytest.mark.parametrize("account", ["north", "south", "absent"])
    def test_nobody_but_root(self, api, cast, method, body, who, account):
        before = row_counts(cast.north, cast.south)
        path = f"/admin/accounts/{account}"
        answer = api(method, path, getattr(cast, who).headers, body)
        assert (answer.status, answer.code) == (403, "PERMISSION_DENIED")
        assert api(method, path, {}, body).status == 401
        assert row_counts(cast.north, cast.south) == before
        assert api(method, NORTH, cast.root, body).status == 200

    @pytest.mark.parametrize("account", ["absent", "northern"])
    def test_what_is_not_there(self, api, cast, method, body, account):
        answer = api(method, f"/admin/accounts/{account}", cast.root, body)
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
        assert answer.body["error"]["details"] == {"resource": account, "type": "account"}

    def test_case_is_ignored(self, api, cast, method, body):
        assert api(method, "/admin/accounts/NORTH", cast.root, body).status == 200


def test_get(api, cast):
    found = api.get(NORTH, cast.root).result
    assert found == {
        "account_id": "north",
        "name": "north",
        "created_at": found["created_at"],
        "user_count": 4,
        "state": "active",
        "isolate_user_scope_by_agent": False,
        "isolate_agent_scope_by_user": False,
    }


class TestChanging:
    def test_name(self, api, cast, change):
        assert change({"name": " The north "}).result["name"] == "The north"
        found = api.get(NORTH, cast.root).result
        assert (found["name"], found["state"]) == ("The north", "active")

    def test_nothing(self, api, cast, change):
        before = api.get(NORTH, cast.root).result
        for body in ({}, {"name": None, "state": None}):
            assert change(body).result == before

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"name": ""}, 400),
            ({"name": "  "}, 400),
            ({"name": "x" * 201}, 400),
            ({"name": 5}, 422),
            ({"state": "deleting"}, 400),
            ({"state": "SUSPENDED"}, 400),
            ({"state": ""}, 400),
            ({"state": True}, 422),
            ({"account_id": "west"}, 422),
            ({"name": "West", "state": "gone"}, 400),
        ],
        ids=str,
    )
    def test_refusals(self, api, cast, change, body, status):
        rows, before = row_counts(), api.get(NORTH, cast.root).result
        answer = change(body)
        assert (answer.status, answer.code) == (status, "INVALID_ARGUMENT")
        assert api.get(NORTH, cast.root).result == before
        assert row_counts() == rows
        assert change({"name": "West", "state": "active"}).status == 200

    def test_it_is_a_row_of_the_operators_log(self, cast, change):
        change({"name": "The north"})
        event = OperatorEvent.objects.get(action="account.updated", account=cast.north.id)
        assert "north" not in str(event.data)


class TestSuspension:
    """It binds at once, on every surface, and ends at once."""

    def test_on_the_api(self, api, cast, change):
        everyone = (cast.bob.headers, cast.alice.headers, cast.root_as("bob"))
        for state, status in (("suspended", 403), ("active", 200), ("suspended", 403)):
            assert change({"state": state}).result["state"] == state
            for headers in everyone:
                assert api.get("/sessions", headers).status == status
                assert api.say(headers, "s1").status == status
            assert api.get(f"{NORTH}/users", cast.alice.headers).status == status
            assert api.get("/sessions", cast.charlie.headers).status == 200

    def test_on_the_dashboard(self, change, sign_in):
        browser = sign_in("alice")
        for state, status in (("suspended", 404), ("active", 200)):
            change({"state": state})
            assert browser.get("/a/north/sessions").status_code == status
            assert browser.get("/a/north/policy").status_code == status

    def test_in_trusted_mode(self, api, change, settings):
        settings.GATEWAY_KEYS = ()
        headers = {"X-Bailiwick-Account": "north", "X-Bailiwick-User": "bob"}
        for state, status in (("suspended", 403), ("active", 200)):
            settings.AUTH_MODE = "api_key"
            change({"state": state})
            settings.AUTH_MODE = "trusted"
            assert api.get("/sessions", headers).status == status

    def test_in_jobs(self, api, cast, change):
        api.say(cast.bob.headers, "s1")
        api.post("/sessions/s1/commit", cast.bob.headers)

        def run():
            with tenancy.account(cast.north):
                archive = Archive.objects.get().pk
            complete_archive(account=str(cast.north.id), archive=str(archive))
            with tenancy.account(cast.north):
                return Archive.objects.get().state

        change({"state": "suspended"})
        assert run() == "pending"
        change({"state": "active"})
        assert run() == "completed"

    def test_root_still_runs_the_account(self, api, cast, change):
        change({"state": "suspended"})
        assert api.get(NORTH, cast.root).result["state"] == "suspended"
        assert api.post(f"{NORTH}/users", cast.root, {"user_id": "carol"}).status == 200


class TestDeleting:
    @pytest.fixture
    def west(self, api, cast):
        """An account with a session, a key, a sign-in and a job; its reference and a key."""
        body = {"account_id": "west", "admin_user_id": "anna"}
        key = with_key(api.post("/admin/accounts", cast.root, body).result["user_key"])
        api.say(key, "s1")
        assert api.post("/sessions/s1/commit", key).status == 200
        ref = tenancy.find("west")
        person = Person.objects.create(email="anna@west.example")
        with tenancy.account(ref):
            anna = User.objects.get(user_id="anna").pk
        Membership.objects.create(person=person, account_id=ref.id, user=anna)
        connection.check_constraints()  # else they would be pending, and hold the tables
        return ref, key, person

    @pytest.fixture
    def delete(self, api, cast):
        return lambda: api("DELETE", "/admin/accounts/west", cast.root)

    def test_everything_is_gone(self, api, cast, west, delete):
        ref, key, person = west
        browser = Client(raise_request_exception=False)
        browser.force_login(person)
        assert browser.get("/a/west/sessions").status_code == 200
        assert (schemas(ref.schema_name), jobs_of(ref)) == (1, 1)
        assert delete().result == {"deleted": True}
        assert (schemas(ref.schema_name), jobs_of(ref)) == (0, 0)
        assert not Account.objects.filter(account_id="west").exists()
        assert not Membership.objects.filter(account_id=ref.id).exists()
        assert not PolicyVersion.objects.filter(account_id=ref.id).exists()
        assert api.get("/sessions", key).status == 401
        assert browser.get("/a/west/sessions").status_code == 404
        assert api.get("/admin/accounts/west", cast.root).status == 404
        assert delete().status == 404
        listed = {row["account_id"] for row in api.get("/admin/accounts", cast.root).result}
        assert listed == {"north", "south"}

    @pytest.mark.usefixtures("west")
    def test_others_stay(self, api, cast, delete):
        before = row_counts(cast.north, cast.south)
        delete()
        after = row_counts(cast.north, cast.south)
        changed = {name for name in before if before[name] != after[name]}
        assert all(name.startswith("public.") for name in changed)
        for member in (cast.alice, cast.charlie):
            assert api.get("/sessions", member.headers).status == 200

    def test_it_is_told(self, west, delete):
        delete()
        event = OperatorEvent.objects.get(action="account.deleted")
        assert event.account == west[0].id

    def test_its_id_can_be_used_again(self, api, cast, west, delete):
        body = {"account_id": "West", "admin_user_id": "anna"}
        assert api.post("/admin/accounts", cast.root, body).status == 409
        delete()
        new = with_key(api.post("/admin/accounts", cast.root, body).result["user_key"])
        assert api.get("/sessions", new).result == []
        assert api.get("/sessions", west[1]).status == 401
        assert tenancy.find("west").schema_name != west[0].schema_name

    def test_one_that_was_cut_off_is_finished(self, api, cast, west, delete):
        Account.objects.filter(account_id="west").update(state="deleting")
        assert api.get("/sessions", west[1]).status == 403
        patched = api("PATCH", "/admin/accounts/west", cast.root, {"state": "active"})
        assert patched.status == 404
        assert delete().status == 200
        assert schemas(west[0].schema_name) == 0

    @pytest.mark.usefixtures("west")
    def test_a_suspended_one_can_be_deleted(self, api, cast, delete):
        api("PATCH", "/admin/accounts/west", cast.root, {"state": "suspended"})
        assert delete().status == 200

    def test_its_job_finds_nothing(self, west, delete):
        ref = west[0]
        with tenancy.account(ref):
            archive = Archive.objects.get().pk
        delete()
        complete_archive(account=str(ref.id), archive=str(archive))


class TestOtherProcesses:
    """They remember the schema of an account that this one has deleted."""

    @pytest.fixture
    def deleted(self, committed):
        """The account south was deleted elsewhere: this process still knows it."""
        api, ref = Api(), committed.south
        assert api.get("/sessions", committed.charlie.headers).status == 200
        path = f"/admin/accounts/{ref.account_id}"
        assert api("DELETE", path, committed.root).status == 200
        self.remember(ref)
        return committed

    def remember(self, ref: AccountRef):
        tenancy._refs[ref.account_id.lower()] = ref

    def test_its_keys_open_nothing(self, deleted):
        api = Api()
        for _ in range(2):
            assert api.get("/sessions", deleted.charlie.headers).status == 401
        assert tenancy.find(deleted.south.account_id) is None
        assert api.get("/sessions", deleted.alice.headers).status == 200

    def test_root_finds_nothing(self, deleted):
        account = deleted.south.account_id
        for method, path, body in (
            ("GET", "", None),
            ("PATCH", "", {"name": "South"}),
            ("DELETE", "", None),
            ("GET", "/users", None),
            ("POST", "/keys", {"user_id": "charlie", "name": "second"}),
            ("GET", "/policy", None),
            ("PATCH", "/settings", {"max_users": 7}),
        ):
            self.remember(deleted.south)
            where = f"/admin/accounts/{account}{path}"
            assert Api()(method, where, deleted.root, body).status == 404
        self.remember(deleted.south)
        assert Api().get("/sessions", deleted.root_as("charlie", account)).status == 404

    def test_a_new_one_of_that_id_is_found(self, deleted):
        api, account = Api(), deleted.south.account_id
        body = {"account_id": account, "admin_user_id": "charlie"}
        made = api.post("/admin/accounts", deleted.root, body)
        assert made.status == 200
        new = with_key(made.result["user_key"])
        self.remember(deleted.south)
        assert api.say(new, "s1").status == 200
        self.remember(deleted.south)
        assert api.get("/sessions", deleted.charlie.headers).status == 401
        self.remember(deleted.south)
        users = api.get(f"/admin/accounts/{account}/users", deleted.root).result
        assert {row["user_id"] for row in users} == {"default", "charlie"}
        self.remember(deleted.south)
        assert api("DELETE", f"/admin/accounts/{account}", deleted.root).status == 200
        assert not Account.objects.filter(account_id=account).exists()
