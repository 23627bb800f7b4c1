"""The code after the password: set up, asked for, used once, recovered, taken away."""

from __future__ import annotations

import re
from functools import partial

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from accounts import selectors
from accounts.adapter import CodeAdapter
from accounts.models import Person
from accounts.passwords import password_link
from accounts.services import password_set, sign_ins_end
from tests.cast import PASSWORD
from tests.pages import code_of

EMAIL = "alice@north.example"
SIGN_IN = {"login": EMAIL, "password": PASSWORD}


def wrong_code(secret):
    """Six digits that are not right now, nor in a moment."""
    right = {code_of(secret, ahead) for ahead in (-1, 0, 1)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in right)


@pytest.fixture
def alice(cast):
    cache.clear()
    return Person.objects.get(email=EMAIL)


@pytest.fixture
def own(sign_in, alice):
    """A browser in which alice has just typed her password again."""
    browser = sign_in("alice")
    again = browser.post("/sign-in/again?next=/account/code", {"password": PASSWORD})
    assert (again.status_code, again["Location"]) == (302, "/account/code")
    return browser


@pytest.fixture
def secret(own):
    """A code is asked for from now on; what it is computed from."""
    page = own.get("/account/code")
    assert page.status_code == 200
    assert b'src="data:image/svg+xml;base64,' in page.content
    secret = re.search(r'id="totp_secret">([A-Z2-7]{32})<', page.content.decode())[1]
    answer = own.post("/account/code", {"code": code_of(secret)})
    assert (answer.status_code, answer["Location"]) == (303, "/account/recovery-codes")
    cache.clear()  # the code that proved it does not count as used
    return secret


@pytest.fixture
def half_way(secret):
    """A browser that gave the right password and is asked for the code."""
    browser = Client(raise_request_exception=False)
    answer = browser.post("/sign-in?next=/a/north/sessions", SIGN_IN)
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/code")
    return browser


def is_in(browser):
    return browser.get("/a/north/sessions").status_code == 200


def recovery_codes(browser):
    page = browser.get("/account/recovery-codes")
    assert page.status_code == 200
    return re.findall(r"<code>(\d{8})</code>", page.content.decode())


class TestSigningIn:
    def test_the_password_alone_opens_nothing(self, half_way):
        assert not is_in(half_way)
        assert half_way.get("/account").status_code == 302
        page = half_way.get("/sign-in/code")
        assert page.status_code == 200
        assert EMAIL in page.content.decode()

    def test_the_code_does_and_leads_to_where_one_wanted(self, half_way, secret):
        before = half_way.session.session_key
        answer = half_way.post("/sign-in/code", {"code": code_of(secret)})
        assert (answer.status_code, answer["Location"]) == (302, "/a/north/sessions")
        assert is_in(half_way)
        assert half_way.session.session_key != before

    @pytest.mark.parametrize(
        "end", [sign_ins_end, partial(password_set, password="a wholly different phrase")]
    )
    def test_half_a_sign_in_ends_with_the_others(self, half_way, secret, end):
        end(person=Person.objects.get(email=EMAIL))
        answer = half_way.post("/sign-in/code", {"code": code_of(secret)})
        assert (answer.status_code, answer["Location"]) == (302, "/sign-in")
        assert not is_in(half_way)
        assert half_way.get("/sign-in/code").status_code == 302

    def test_a_wrong_code_is_refused(self, half_way, secret):
        for wrong in (wrong_code(secret), "", "x", code_of(secret, -3), "\u0663" * 6):
            assert half_way.post("/sign-in/code", {"code": wrong}).status_code == 422
            cache.clear()
        assert not is_in(half_way)
        assert half_way.post("/sign-in/code", {"code": code_of(secret)}).status_code == 302

    def test_a_code_counts_once(self, half_way, secret):
        code = code_of(secret)
        assert half_way.post("/sign-in/code", {"code": code}).status_code == 302
        second = Client()
        second.post("/sign-in", SIGN_IN)
        assert second.post("/sign-in/code", {"code": code}).status_code == 422
        assert not is_in(second)

    def test_after_five_wrong_codes_the_right_one_has_to_wait(self, half_way, secret):
        for _ in range(5):
            assert half_way.post("/sign-in/code", {"code": wrong_code(secret)}).status_code == 422
        assert half_way.post("/sign-in/code", {"code": code_of(secret)}).status_code == 422
        cache.clear()
        assert half_way.post("/sign-in/code", {"code": code_of(secret)}).status_code == 302

    def test_a_code_without_a_password_leads_to_the_sign_in(self, secret):
        stranger = Client()
        for answer in (
            stranger.get("/sign-in/code"),
            stranger.post("/sign-in/code", {"code": code_of(secret)}),
        ):
            assert (answer.status_code, answer["Location"]) == (302, "/sign-in")
        assert not is_in(stranger)

    def test_back_leads_to_the_password_again(self, half_way):
        assert half_way.get("/sign-in")["Location"] == "/sign-in/code"
        answer = half_way.post("/sign-out", {"next": "/sign-in"})
        assert answer["Location"] == "/sign-in"
        assert half_way.get("/sign-in").status_code == 200

    @pytest.mark.usefixtures("secret")
    def test_a_new_password_by_a_link_does_not_go_round_the_code(self, half_way):
        other = Client()
        pair = {"password1": "a wholly different phrase", "password2": "a wholly different phrase"}
        form = other.get(password_link(Person.objects.get(email=EMAIL)))["Location"]
        assert other.post(form, pair).status_code == 302
        assert not is_in(other)
        assert not is_in(half_way)
        answer = other.post("/sign-in", {"login": EMAIL, "password": pair["password1"]})
        assert answer["Location"] == "/sign-in/code"


class TestRecoveryCodes:
    def test_each_works_once(self, own, half_way):
        codes = recovery_codes(own)
        assert len(set(codes)) == 10
        assert half_way.post("/sign-in/code?recovery", {"code": codes[0]}).status_code == 302
        assert is_in(half_way)
        second = Client()
        second.post("/sign-in", SIGN_IN)
        assert second.post("/sign-in/code", {"code": codes[0]}).status_code == 422
        assert second.post("/sign-in/code", {"code": codes[1]}).status_code == 302
        assert recovery_codes(own) == codes[2:]

    def test_new_ones_end_the_old(self, own, half_way):
        old = recovery_codes(own)
        assert own.get("/account/recovery-codes/new").status_code == 200
        assert own.post("/account/recovery-codes/new").status_code == 303
        new = recovery_codes(own)
        assert not set(old) & set(new)
        assert half_way.post("/sign-in/code", {"code": old[0]}).status_code == 422
        assert half_way.post("/sign-in/code", {"code": new[0]}).status_code == 302

    @pytest.mark.usefixtures("secret")
    def test_the_file_holds_those_that_are_left(self, own):
        codes = recovery_codes(own)
        answer = own.get("/account/recovery-codes/file")
        assert answer["Content-Type"].startswith("text/plain")
        assert "attachment" in answer["Content-Disposition"]
        assert "no-store" in answer["Cache-Control"]
        assert re.findall(r"^\d{8}$", answer.content.decode(), re.MULTILINE) == codes


class TestSettingUp:
    def test_a_wrong_first_code_changes_nothing_and_keeps_the_secret(self, own, alice):
        first = own.get("/account/code").content.decode()
        secret = re.search(r'id="totp_secret">([A-Z2-7]+)<', first)[1]
        answer = own.post("/account/code", {"code": wrong_code(secret)})
        assert answer.status_code == 422
        assert secret in answer.content.decode()
        assert selectors.code_facts(alice).since is None
        assert own.post("/account/code", {"code": code_of(secret)}).status_code == 303
        assert selectors.code_facts(alice).since is not None
        assert selectors.code_facts(alice).recovery_left == 10
        assert selectors.persons_with_code([alice.pk]) == {alice.pk}

    @pytest.mark.parametrize(
        "path", ["/account/code", "/account/code/remove", "/account/recovery-codes"]
    )
    @pytest.mark.usefixtures("secret")
    def test_needs_the_password_again(self, sign_in, path):
        other = sign_in("alice")
        assert other.get("/account").status_code == 200
        for answer in (other.get(path), other.post(path, {"code": "000000"})):
            if path == "/account/code":  # set up already: on to its removal, which asks
                assert answer["Location"] in (
                    "/account/code/remove",
                    "/sign-in/again?next=%2Faccount%2Fcode",
                )
            else:
                assert answer.status_code in (302, 405)
                assert answer.status_code == 405 or answer["Location"].startswith("/sign-in/again")
        assert Authenticator.objects.filter(type="totp").exists()
        wrong = other.post("/sign-in/again", {"password": "not this"})
        assert wrong.status_code == 422

    def test_the_secrets_are_sealed_in_the_database(self, own, secret, alice, settings):
        codes = recovery_codes(own)
        kept = str(list(Authenticator.objects.filter(user=alice).values_list("data", flat=True)))
        assert secret not in kept
        assert not any(code in kept for code in codes)
        sealed = Authenticator.objects.get(user=alice, type="totp").data["secret"]
        assert CodeAdapter().decrypt(sealed) == secret
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another secret key of this test"
        assert CodeAdapter().decrypt(sealed) == secret  # what an earlier key sealed
        settings.SECRET_KEY_FALLBACKS = []
        assert CodeAdapter().decrypt(sealed) != secret

    @pytest.mark.usefixtures("secret")
    def test_taken_away_the_password_is_enough(self, own, alice):
        assert own.get("/account/code/remove").status_code == 200
        answer = own.post("/account/code/remove")
        assert (answer.status_code, answer["Location"]) == (303, "/account")
        assert not Authenticator.objects.filter(user=alice).exists()
        fresh = Client()
        assert fresh.post("/sign-in", SIGN_IN)["Location"] == "/"

    @pytest.mark.usefixtures("secret")
    def test_an_operator_can_take_it_away(self, alice):
        call_command("password_link", EMAIL)
        assert Authenticator.objects.filter(user=alice).exists()
        call_command("password_link", EMAIL, "--remove-code")
        assert not Authenticator.objects.filter(user=alice).exists()


def test_passkeys_are_not_offered(own, secret):
    for path in ("/account/keys", "/accounts/2fa/webauthn/", "/2fa/webauthn/"):
        assert own.get(path).status_code == 404
