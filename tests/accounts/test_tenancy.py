"""One schema per account: entering, leaving, accounts that are gone."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.urls import get_script_prefix

from accounts import tenancy
from accounts.actor import Operator
from accounts.models import Account, Person
from accounts.principals.services import account_create
from tests.accounts.conftest import drop_schema
from tests.cast import Api


def in_public():
    """What Python and what the database think."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        (there,) = cursor.fetchone()
    return (tenancy.current_schema(), there, get_script_prefix()) == ("public", "public", "/")


class TestReturnToPublic:
    def test_after_success(self, api, cast):
        assert api.say(cast.bob.headers, "s1").status == 200
        assert in_public()
        assert api.get("/sessions/s1", cast.alice_as("bob")).status == 200
        assert in_public()

    @pytest.mark.parametrize(
        ("who", "path", "body", "status"),
        [
            ("bob", "/sessions", {"session_id": "a b"}, 400),
            ("nobody", "/sessions", {}, 401),
            ("bob as beth", "/sessions", {}, 403),
            ("bob", "/sessions", {"parent_session_id": "absent"}, 404),
            ("bob", "/sessions", {"session_id": "taken"}, 409),
            ("bob", "/sessions", {"title": 5}, 422),
            ("bob", "/admin/accounts/north/users", {"user_id": "x"}, 403),
            ("alice", "/admin/accounts/north/users", {"user_id": "bob"}, 409),
            ("alice as nobody", "/sessions", {}, 404),
        ],
    )
    def test_after_a_refusal(self, api, cast, who, path, body, status):
        api.post("/sessions", cast.bob.headers, {"session_id": "taken"})
        headers = {
            "bob": cast.bob.headers,
            "alice": cast.alice.headers,
            "nobody": {},
            "bob as beth": {**cast.bob.headers, "X-Bailiwick-User": "beth"},
            "alice as nobody": cast.alice_as("nobody"),
        }[who]
        assert api.post(path, headers, body).status == status
        assert in_public()

    def test_after_an_exception(self, api, cast, monkeypatch):
        seen = []

        def fail(**_kwargs):
            seen.append(tenancy.current_schema())
            raise RuntimeError

        monkeypatch.setattr("sessions_app.selectors.session_page", fail)
        assert api.get("/sessions", cast.bob.headers).status == 500
        assert seen == [cast.north.schema_name]
        assert in_public()

    def test_after_pages(self, sign_in):
        browser = sign_in("alice")
        for path, status in (("sessions", 200), ("nothing", 404), ("sessions/absent", 404)):
            assert browser.get(f"/a/north/{path}").status_code == status
            assert in_public()
        assert browser.get("/a/south/sessions").status_code == 404
        assert in_public()

    def test_after_a_page_that_failed(self, sign_in, monkeypatch):
        def fail(**_kwargs):
            raise RuntimeError

        monkeypatch.setattr("sessions_app.selectors.session_page", fail)
        assert sign_in("alice").get("/a/north/sessions").status_code == 500
        assert in_public()

    def test_blocks_return_to_where_they_began(self, cast):
        with tenancy.account(cast.north):
            with pytest.raises(RuntimeError), tenancy.account(cast.south):
                raise RuntimeError
            assert tenancy.current_schema() == cast.north.schema_name
            with tenancy.public():
                assert tenancy.current_schema() == "public"
            assert tenancy.current_schema() == cast.north.schema_name
        assert in_public()


class TestFinding:
    def test_case_is_ignored(self, cast):
        assert tenancy.find("north") == tenancy.find("NORTH") == cast.north

    def test_absent(self, cast):
        assert tenancy.find("absent") is None
        assert tenancy.find("south").id == cast.south.id

    def test_account_whose_schema_is_not_complete_is_absent(self, cast, api):
        tenancy.forget("south")
        Account.objects.filter(pk=cast.south.id).update(ready=False)
        assert tenancy.find("south") is None
        assert api.get("/sessions", cast.charlie.headers).status == 401
        Account.objects.filter(pk=cast.south.id).update(ready=True)
        assert api.get("/sessions", cast.charlie.headers).status == 200

    def test_suspension_binds_at_once(self, cast, api, sign_in):
        browser = sign_in("alice")
        assert api.get("/sessions", cast.bob.headers).status == 200
        assert browser.get("/a/north/sessions").status_code == 200
        Account.objects.filter(pk=cast.north.id).update(state="suspended")
        for headers in (cast.bob.headers, cast.alice.headers, cast.root_as("bob")):
            assert api.get("/sessions", headers).status == 403
        assert browser.get("/a/north/sessions").status_code == 404
        assert api.get("/sessions", cast.charlie.headers).status == 200

    @pytest.mark.parametrize("odd", ["\0", "a\0b", "%", "é", "x" * 300, "a b"])
    @pytest.mark.parametrize(
        ("what", "statuses"),
        [
            ("root names it in a path", {400, 404}),
            ("an admin names it in a path", {400, 403}),
            ("a browser names it in a path", {404}),
            ("a key names it", {401}),
            ("a key names it as its own id", {401}),
        ],
    )
    def test_odd_ids_are_absent(self, api, cast, sign_in, odd, what, statuses):
        path = f"/admin/accounts/{quote(odd)}/users"
        answer = {
            "root names it in a path": lambda: api.get(path, cast.root).status,
            "an admin names it in a path": lambda: api.get(path, cast.alice.headers).status,
            "a browser names it in a path": lambda: (
                sign_in("alice").get(f"/a/{quote(odd)}/sessions").status_code
            ),
            "a key names it": lambda: (
                api.get("/sessions", {"X-API-Key": f"bwk_{odd}.abc.def"}).status
            ),
            "a key names it as its own id": lambda: (
                api.get("/sessions", {"X-API-Key": f"bwk_north.{odd}.def"}).status
            ),
        }[what]
        assert answer() in statuses


class TestDroppedAccount:
    """The account is gone; this process still remembers where it was."""

    @pytest.fixture
    def gone(self, committed):
        api = Api()
        name = committed.north.account_id
        assert api.get("/sessions", committed.bob.headers).status == 200
        assert tenancy.find(name) == committed.north
        self.drop(committed.north)
        return committed

    def drop(self, ref):
        drop_schema(ref.schema_name)
        Account.objects.filter(pk=ref.id).delete()

    def test_answers_401_and_is_forgotten(self, gone):
        api = Api()
        for _ in range(2):
            assert api.get("/sessions", gone.bob.headers).status == 401
            assert tenancy.find(gone.north.account_id) is None
        assert api.get("/sessions", gone.charlie.headers).status == 200

    def test_is_absent_for_root(self, gone):
        api = Api()
        name = gone.north.account_id
        for headers in (gone.root_as("bob", name), gone.root_as("bob", name)):
            assert api.get("/sessions", headers).status in (401, 404)

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_is_absent_for_root_on_admin_routes(self, gone, method):
        api = Api()
        path = f"/admin/accounts/{gone.north.account_id}/users"
        body = {"user_id": "carol"} if method == "POST" else None
        for _ in range(2):
            assert api(method, path, gone.root, body).status == 404
        assert api(method, path.replace("north", "south"), gone.root, body).status == 200

    def test_pages_are_not_found(self, gone):
        browser = Client(raise_request_exception=False)
        browser.force_login(Person.objects.get(email__startswith="alice-"))
        for _ in range(2):
            assert browser.get(f"/a/{gone.north.account_id}/sessions").status_code == 404

    def test_new_account_of_the_same_name_is_found_at_once(self, gone):
        """Its keys open; the keys of the one that was dropped do not."""
        api = Api()
        name = gone.north.account_id
        made = account_create(actor=Operator(), account_id=name, admin_user_id="alice")
        assert api.get("/sessions", {"X-API-Key": made.user_key}).status == 200
        assert api.get("/sessions", gone.alice.headers).status == 401
