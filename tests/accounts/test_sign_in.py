"""What ends a sign-in: person, membership and user are looked at on every request.

The form itself, its limits and where it leads are tried in a browser (tests/e2e).
"""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from accounts import tenancy
from accounts.models import Membership, Person
from accounts.principals.models import User
from tests.cast import PASSWORD

EMAIL = "alice@north.example"


@pytest.fixture
def browser(cast):
    cache.clear()
    return Client(raise_request_exception=False)


@pytest.fixture
def enter(browser):
    """Send the sign-in form."""

    def send(email=EMAIL, password=PASSWORD, query=""):
        return browser.post(f"/sign-in{query}", {"login": email, "password": password})

    return send


@pytest.fixture
def inside(browser):
    """Whether the browser is signed in to the account."""
    return lambda: browser.get("/a/north/sessions").status_code == 200


@pytest.mark.parametrize("email", [EMAIL, EMAIL.upper(), f" {EMAIL} "])
def test_it_works(enter, inside, browser, email):
    assert not inside()
    answer = enter(email)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert inside()
    assert browser.get("/")["Location"] == "/a/north/"


@pytest.mark.parametrize(
    ("email", "password"),
    [(EMAIL, "wrong"), ("nobody@north.example", PASSWORD), (EMAIL, ""), ("", ""), ("a\0b", "\0")],
)
def test_refusals_show_the_form_again(enter, inside, email, password):
    assert enter(email, password).status_code == 422
    assert not inside()
    assert enter().status_code == 302


def test_nobody_signs_up(browser):
    for path in ("/signup", "/sign-up", "/accounts/signup/", "/admin"):
        assert browser.get(path).status_code == 404


def test_inactive_person(enter, inside, browser):
    assert enter().status_code == 302
    assert inside()
    Person.objects.filter(email=EMAIL).update(is_active=False)
    assert not inside()
    refused = enter()
    assert (refused.status_code, refused["Location"]) == (302, "/sign-in/inactive")
    assert browser.get("/sign-in/inactive").status_code == 403
    assert not inside()


def test_membership_taken_away(enter, inside, browser):
    enter()
    assert inside()
    Membership.objects.filter(person__email=EMAIL).delete()
    assert browser.get("/a/north/sessions").status_code == 404
    home = browser.get("/")
    assert home.status_code == 200  # signed in, and nowhere to go
    assert b"/a/north" not in home.content


def test_user_taken_away(cast, enter, inside):
    enter()
    assert inside()
    with tenancy.account(cast.north):
        User.objects.filter(user_id="alice").update(is_active=False)
    assert not inside()


def test_sign_out(enter, inside, browser):
    enter()
    assert inside()
    stolen = browser.cookies["sessionid"].value
    assert browser.get("/sign-out").status_code == 200  # asks; a link must not sign one out
    assert inside()
    assert browser.post("/sign-out").status_code == 302
    assert not inside()
    browser.cookies["sessionid"] = stolen
    assert not inside()


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/theme"])
def test_forms_need_their_token(cast, sign_in, path):
    strict = Client(enforce_csrf_checks=True)
    if path == "/sign-out":
        strict.force_login(Person.objects.get(email=EMAIL))
    assert strict.post(path, {"login": EMAIL, "password": PASSWORD}).status_code == 403


class TestTheme:
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_is_kept_in_a_cookie(self, browser, theme):
        answer = browser.post("/theme", {"theme": theme, "next": "/sign-in"})
        assert (answer.status_code, answer["Location"]) == (302, "/sign-in")
        cookie = answer.cookies["bailiwick_theme"]
        assert (cookie.value, cookie["httponly"], cookie["samesite"]) == (theme, True, "Lax")
        assert f'data-theme="{theme}"' in browser.get("/sign-in").content.decode()

    @pytest.mark.parametrize("theme", ["", "system", "<b>", "\0"])
    def test_any_other_is_the_systems(self, browser, theme):
        browser.post("/theme", {"theme": "dark"})
        answer = browser.post("/theme", {"theme": theme})
        assert answer.cookies["bailiwick_theme"].value == ""
        assert "data-theme=" not in browser.get("/sign-in").content.decode()

    @pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "\\\\evil"])
    def test_never_leads_to_another_site(self, browser, elsewhere):
        assert browser.post("/theme", {"next": elsewhere})["Location"] == "/"
