"""Your sign-in: who one is, where one is signed in, where one goes from there."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from accounts import tenancy
from accounts.actor import Operator
from accounts.models import Membership, Person
from accounts.principals.models import AuditEvent, User, ViewAs
from accounts.services import person_enroll
from tests.cast import PASSWORD

EMAIL = "alice@north.example"


@pytest.fixture
def alice(sign_in):
    cache.clear()
    return sign_in("alice")


def person():
    return Person.objects.get(email=EMAIL)


class TestPage:
    def test_tells_who_one_is_and_where_one_may_go(self, alice):
        page = alice.get("/account")
        assert page.status_code == 200
        words = page.content.decode()
        for part in (EMAIL, "Alice North", 'href="/a/north/"', "None is asked for"):
            assert part in words
        assert "/a/south" not in words

    def test_needs_a_sign_in(self):
        answer = Client().get("/account")
        assert (answer.status_code, answer["Location"]) == (302, "/sign-in?next=/account")

    def test_name_and_time_zone_are_saved_and_used(self, alice):
        answer = alice.post("/account", {"name": " Ann  North ", "time_zone": "Asia/Tokyo"})
        assert (answer.status_code, answer["Location"]) == (303, "/account")
        assert b"are saved" in alice.get("/account").content
        assert (person().name, person().time_zone) == ("Ann North", "Asia/Tokyo")
        assert b"Ann North" in alice.get("/a/north/sessions").content

    @pytest.mark.parametrize(
        "fields",
        [
            {"time_zone": "Mars/Olympus"},
            {"time_zone": ""},
            {"time_zone": "../../etc/passwd"},
            {"name": "x" * 201},
        ],
    )
    def test_refusals_save_nothing(self, alice, fields):
        sent = {"name": "Ann", "time_zone": "Asia/Tokyo", **fields}
        answer = alice.post("/account", sent)
        assert answer.status_code == 422
        assert b"Nothing was saved" in answer.content
        assert (person().name, person().time_zone) == ("Alice North", "UTC")
        assert alice.get("/account").status_code == 200

    @pytest.mark.parametrize("zone", ["UTC", "America/Argentina/Ushuaia", "EST5EDT", "Etc/GMT+12"])
    def test_every_zone_is_offered(self, alice, zone):
        assert alice.post("/account", {"name": "", "time_zone": zone}).status_code == 303
        assert f'value="{zone}" selected' in alice.get("/account").content.decode()


class TestSignOutElsewhere:
    def test_ends_the_others_and_keeps_this_one(self, alice, sign_in):
        other, charlie = sign_in("alice"), sign_in("charlie")
        assert other.get("/a/north/sessions").status_code == 200
        answer = alice.post("/account/elsewhere")
        assert (answer.status_code, answer["Location"]) == (303, "/account")
        assert alice.get("/a/north/sessions").status_code == 200
        assert other.get("/a/north/sessions").status_code == 302
        assert charlie.get("/a/south/sessions").status_code == 200

    def test_is_never_done_by_a_link(self, alice, sign_in):
        other = sign_in("alice")
        assert alice.get("/account/elsewhere").status_code == 405
        assert other.get("/a/north/sessions").status_code == 200


@pytest.mark.parametrize(
    "path", ["/account", "/account/elsewhere", "/account/password", "/password/reset"]
)
def test_forms_need_their_token(cast, path):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person())
    assert strict.post(path).status_code == 403


class TestHome:
    @pytest.fixture
    def two(self, cast, alice):
        """Alice is also a user of south, whose name comes after north's."""
        with tenancy.account(cast.south):
            user = User.objects.create(user_id="alice-too")
        person_enroll(
            actor=Operator(),
            email=EMAIL,
            name="",
            password="",
            account=cast.south,
            user=user.pk,
            existing=True,
        )
        return alice

    def test_leads_to_where_one_was_last(self, two):
        assert two.get("/")["Location"] == "/a/north/"
        two.get("/a/south/")
        assert two.get("/")["Location"] == "/a/south/"
        two.get("/a/north/")
        assert two.get("/")["Location"] == "/a/north/"

    def test_not_to_an_account_that_one_left(self, cast, two):
        two.get("/a/south/")
        assert two.get("/")["Location"] == "/a/south/"
        Membership.objects.filter(person=person(), account_id=cast.south.id).delete()
        assert two.get("/")["Location"] == "/a/north/"

    def test_an_operator_without_accounts_goes_to_the_console(self, alice):
        Person.objects.filter(email=EMAIL).update(is_operator=True)
        assert alice.get("/")["Location"] == "/a/north/"
        Membership.objects.filter(person=person()).delete()
        assert alice.get("/")["Location"] == "/operator/"
        Person.objects.filter(email=EMAIL).update(is_operator=False)
        assert alice.get("/").status_code == 200


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"]
)
def test_no_form_leads_to_another_site(cast, alice, elsewhere):
    signed_out = Client().post("/sign-out", {"next": elsewhere})
    assert signed_out["Location"] == "/sign-in"
    entered = Client().post("/sign-in", {"login": EMAIL, "password": PASSWORD, "next": elsewhere})
    assert entered["Location"] == "/"
    again = alice.post("/sign-in/again", {"password": PASSWORD, "next": elsewhere})
    assert (again.status_code, again["Location"]) == (302, "/")


def test_signing_out_ends_the_views_that_the_browser_holds(cast, alice):
    begun = alice.post("/a/north/view", {"user": "bob", "reason": "Ticket 1"})
    assert begun.status_code == 303
    with tenancy.account(cast.north):
        assert ViewAs.objects.get().ended_at is None
    assert alice.post("/sign-out").status_code == 302
    with tenancy.account(cast.north):
        assert ViewAs.objects.get().ended_at is not None
        assert AuditEvent.objects.filter(action="view.ended").count() == 1
