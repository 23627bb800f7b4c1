"""The operators' console: who enters, and its accounts."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client

from accounts import tenancy
from accounts.actor import Operator
from accounts.errors import NotFound
from accounts.models import Account, Invitation, Person
from accounts.principals.models import AuditEvent
from accounts.principals.services import account_delete
from accounts.tenancy.placement import placements
from tests.accounts.kit import with_key
from tests.accounts.operators.kit import NEW, person, text
from tests.rows import row_counts


def places(person_id):
    """(method, address) of everything in the console."""
    person = f"/operator/people/{person_id}"
    return [
        ("GET", "/operator/"),
        ("GET", "/operator/accounts"),
        ("GET", "/operator/accounts/new"),
        ("POST", "/operator/accounts/new"),
        ("GET", "/operator/accounts/north"),
        ("GET", "/operator/accounts/north/name"),
        ("POST", "/operator/accounts/north/name"),
        ("POST", "/operator/accounts/north/state"),
        ("GET", "/operator/accounts/north/delete"),
        ("POST", "/operator/accounts/north/delete"),
        ("GET", "/operator/people"),
        ("GET", person),
        ("POST", f"{person}/rights"),
        ("GET", f"{person}/link"),
        ("POST", f"{person}/link"),
        ("GET", "/operator/log"),
        ("GET", "/operator/health"),
    ]


BODY = {**NEW, "state": "suspended", "act": "close", "name": "north"}


class TestWhoEnters:
    @pytest.mark.parametrize("who", ["alice", "bob", "charlie", "nobody"])
    def test_for_others_it_is_not_there(self, cast, sign_in, who):
        target = person("dana@west.example")
        browser = Client() if who == "nobody" else sign_in(who)
        before = row_counts(cast.north, cast.south)
        for method, path in places(target.pk):
            answer = browser.generic(method, path)
            if who == "nobody":
                assert (answer.status_code, answer["Location"]) == (302, f"/sign-in?next={path}")
            else:
                assert answer.status_code == 404, path
                absent = browser.get("/operator/none-such")
                assert answer.content == absent.content.replace(b"none-such", b"")
        assert row_counts(cast.north, cast.south) == before

    def test_an_operator_does(self, console):
        target = person("dana@west.example")
        for method, path in places(target.pk):
            if method == "GET":
                answer = console.get(path)
                assert answer.status_code == (302 if path == "/operator/" else 200), path
                assert answer["Cache-Control"] == "no-store"

    def test_who_is_asked_to_sign_in_within_a_page_is_led_there(self):
        answer = Client().get("/operator/log", headers={"HX-Request": "true"})
        assert answer["HX-Redirect"] == "/sign-in?next=/operator/log"

    def test_rights_that_are_taken_end_at_once(self, console, olga):
        assert console.get("/operator/log").status_code == 200
        Person.objects.filter(pk=olga.pk).update(is_operator=False)
        assert console.get("/operator/log").status_code == 404

    def test_an_operator_enters_no_account(self, console, cast, api):
        api.say(cast.bob.headers, "errand")
        for path in ("sessions", "sessions/errand", "audit", "users", "looked"):
            assert console.get(f"/a/north/{path}").status_code == 404

    def test_who_is_a_member_too_has_both(self, sign_in):
        browser = sign_in("bob")
        Person.objects.filter(email="bob@north.example").update(is_operator=True)
        assert browser.get("/operator/accounts").status_code == 200
        assert browser.get("/a/north/sessions").status_code == 200
        assert browser.get("/a/north/audit").status_code == 403
        assert browser.get("/a/south/sessions").status_code == 404
        assert "Your accounts" in text(browser.get("/operator/accounts"))

    def test_every_form_needs_its_token(self, olga):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(olga)
        for method, path in places(olga.pk):
            if method == "POST":
                assert strict.post(path, BODY).status_code == 403


class TestAccounts:
    def test_the_list(self, console):
        answer = console.get("/operator/accounts")
        rows = {row.account_id: row for row in answer.context["rows"]}
        assert set(rows) == {"north", "south"}
        assert rows["north"].user_count == 4
        assert rows["north"].bytes > 100_000
        assert rows["north"].at_head

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"q": "ORT"}, {"north"}),
            ({"q": "none"}, set()),
            ({"state": "suspended"}, {"south"}),
            ({"state": "active"}, {"north"}),
            ({"state": "behind"}, {"north"}),
        ],
        ids=str,
    )
    def test_filters(self, console, query, found):
        Account.objects.filter(account_id="south").update(state="suspended")
        Account.objects.filter(account_id="north").update(migrated_to="before")
        answer = console.get("/operator/accounts", query)
        assert {row.account_id for row in answer.context["rows"]} == found
        assert answer.context["total"] == len(found)

    @pytest.mark.parametrize(
        ("query", "status"), [("state=x", 422), ("q=%00", 422), ("older=x", 404), ("newer=x", 404)]
    )
    @pytest.mark.parametrize("what", ["accounts", "people"])
    def test_odd_questions(self, console, what, query, status):
        query = query.replace("state", "who") if what == "people" else query
        assert console.get(f"/operator/{what}?{query}").status_code == status

    def test_the_page_tells_counts_and_no_words(self, console, api, cast):
        api.say(cast.bob.headers, "secret-session", "secret words")
        body = text(console.get("/operator/accounts/north"))
        assert "Users" in body
        for word in ("secret", "alice", "bob", "beth"):
            assert word not in body
        assert console.get("/operator/accounts/NORTH").status_code == 200
        assert console.get("/operator/accounts/absent").status_code == 404

    def test_sizes_come_from_one_statement(self, cast, django_assert_num_queries):
        names = [cast.north.schema_name, cast.south.schema_name, "no_such_schema"]
        placements(names[:1])  # the first statement of a test sets the search path as well
        with django_assert_num_queries(1):
            found = placements(names)
        assert found[names[0]].bytes > 100_000
        assert {"agent_sessions_message", "principals_user"} <= set(found[names[0]].rows)
        assert (found[names[2]].bytes, found[names[2]].is_there) == (0, False)
        assert placements([]) == {}

    def test_a_new_one_shows_its_key_once_and_the_key_works(self, console, api, events):
        answer = console.post("/operator/accounts/new", NEW)
        assert answer.status_code == 201
        key = re.search(r'<code id="secret">(\S+)</code>', answer.content.decode())[1]
        assert api.get("/whoami", with_key(key)).result["user_id"] == "anna"
        assert key not in text(console.get("/operator/accounts/west"))
        assert events() == ["account.created"]
        assert Account.objects.get(account_id="west").name == "The West"

    def test_its_first_admin_is_invited(self, console):
        answer = console.post("/operator/accounts/new", {**NEW, "email": "anna@west.example"})
        (row,) = Invitation.objects.filter(account__account_id="west")
        assert (row.email, row.invited_by) == ("anna@west.example", None)
        link = re.search(r"http://testserver(/invitation/\S+)</pre>", answer.content.decode())[1]
        offered = Client().get(link)
        assert offered.status_code == 200
        assert "The West" in text(offered)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"account_id": "no/id"}, "account_id"),
            ({"account_id": ""}, "account_id"),
            ({"account_id": "North"}, None),
            ({"admin_user_id": "system"}, "admin_user_id"),
            ({"email": "no e-mail"}, "email"),
            ({"name": "x" * 201}, "name"),
        ],
        ids=str,
    )
    def test_refusals_make_nothing(self, console, events, change, field):
        answer = console.post("/operator/accounts/new", {**NEW, **change})
        assert answer.status_code == 422
        assert field is None or field in answer.context["form"].errors
        assert events() == []
        assert console.post("/operator/accounts/new", NEW).status_code == 201

    def test_a_new_name_and_back(self, console, events):
        answer = console.post("/operator/accounts/north/name", {"name": "The North"}, follow=True)
        assert "north was renamed" in text(answer)
        assert '<input type="hidden" name="name" value="north">' in text(answer)
        assert console.post("/operator/accounts/north/name", {"name": " "}).status_code == 422
        assert Account.objects.get(account_id="north").name == "The North"
        assert events() == ["account.updated"]

    def test_suspending_binds_at_once_and_is_undone(self, console, api, cast, sign_in):
        alice = sign_in("alice")
        for state, status, page in (("suspended", 403, 404), ("active", 200, 200)):
            answer = console.post("/operator/accounts/north/state", {"state": state})
            assert answer.status_code == 303
            assert api.get("/sessions", cast.bob.headers).status == status
            assert alice.get("/a/north/sessions").status_code == page
        for odd in ("deleting", "", "x"):
            answer = console.post("/operator/accounts/north/state", {"state": odd})
            assert answer.status_code == 404
        log = text(console.get("/operator/log"))
        assert log.index("resumed the account") < log.index("suspended the account")


class TestDeleting:
    @pytest.fixture
    def west(self, console):
        console.post("/operator/accounts/new", {**NEW, "email": "anna@west.example"})
        connection.check_constraints()  # else they would be pending, and hold the tables
        return tenancy.find("west")

    def test_only_with_its_id_typed(self, console, west, events):
        page = console.get("/operator/accounts/west/delete")
        goes = dict(page.context["rows"])
        assert (goes["Users with their keys"], goes["Open invitations"]) == (2, 1)
        for typed in ("", "West", "The West", "north"):
            answer = console.post("/operator/accounts/west/delete", {"name": typed})
            assert answer.status_code == 422
            assert Account.objects.filter(account_id="west").exists()
        assert events() == []
        answer = console.post("/operator/accounts/west/delete", {"name": "west"}, follow=True)
        assert "The account west is deleted." in text(answer)
        assert not placements([west.schema_name])[west.schema_name].is_there
        assert events() == ["account.deleted"]
        assert console.get("/operator/accounts/west").status_code == 404
        assert "The West" not in text(console.get("/operator/log"))

    def test_a_second_call_finds_nothing(self, west, events):
        account_delete(actor=Operator(), account=west)
        with pytest.raises(NotFound):
            account_delete(actor=Operator(), account=west)
        assert events() == ["account.deleted"]

    @pytest.mark.usefixtures("west")
    def test_one_that_was_cut_off_is_shown_and_finished(self, console):
        Account.objects.filter(account_id="west").update(state="deleting")
        assert "cut off" in text(console.get("/operator/accounts/west"))
        assert console.post("/operator/accounts/west/state", {"state": "active"}).status_code == 404
        answer = console.post("/operator/accounts/west/delete", {"name": "west"})
        assert answer.status_code == 303


def test_the_accounts_own_log_does_not_tell_operators_names(console, cast, sign_in):
    console.post("/operator/accounts/new", {**NEW, "email": "anna@west.example"})
    with tenancy.account(tenancy.find("west")):
        rows = list(AuditEvent.objects.values_list("action", "actor", "actor_role"))
    assert ("invitation.created", None, "root") in rows
