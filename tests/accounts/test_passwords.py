"""New passwords: by a link that says nothing about who exists, and what they end."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import tasks, tenancy
from accounts.actor import Operator
from accounts.models import OperatorEvent, Person
from accounts.passwords import password_link
from accounts.services import password_link_make
from tests.cast import PASSWORD

EMAIL = "alice@north.example"
NEW = "a wholly different phrase"
PAIR = {"password1": NEW, "password2": NEW}


@pytest.fixture
def browser(cast):
    cache.clear()
    return Client(raise_request_exception=False)


@pytest.fixture
def alice(cast):
    return Person.objects.get(email=EMAIL)


@pytest.fixture
def mailing(settings):
    settings.MAIL_ENABLED = True


def jobs():
    return tenancy.fetch_rows(
        "SELECT args FROM procrastinate_jobs WHERE task_name LIKE %s ORDER BY id",
        ["%send_password_link"],
    )


def use(browser, link, pair=None):
    """Follow a link as a browser does, to the page without the key, and send the form."""
    shown = browser.get(link)
    if shown.status_code != 302:
        return shown
    return browser.post(shown["Location"], pair or PAIR)


def enters(password):
    cache.clear()
    return Client().post("/sign-in", {"login": EMAIL, "password": password}).status_code == 302


class TestAsking:
    @pytest.mark.usefixtures("mailing")
    def test_the_mail_has_a_link_that_sets_a_password(self, browser, alice):
        answer = browser.post("/password/reset", {"email": EMAIL.upper()})
        assert (answer.status_code, answer["Location"]) == (302, "/password/reset/sent")
        assert browser.get(answer["Location"]).status_code == 200
        [job] = jobs()
        assert EMAIL not in str(job)
        tasks.send_password_link.func(str(alice.pk), "http://testserver")
        [sent] = mail.outbox
        assert sent.to == [EMAIL]
        link = re.search(r"http://testserver(/password/reset/\S+)", sent.body)[1]
        done = use(browser, link)
        assert (done.status_code, done["Location"]) == (302, "/password/reset/done")
        assert browser.get(done["Location"]).status_code == 200
        assert enters(NEW)
        assert not enters(PASSWORD)

    @pytest.mark.usefixtures("mailing")
    def test_nothing_tells_whether_the_address_is_known(self, browser, alice):
        Person.objects.create(email="closed@north.example", is_active=False)
        seen = []
        for email in (EMAIL, "nobody@north.example", "closed@north.example"):
            answer = browser.post("/password/reset", {"email": email})
            page = browser.get(answer["Location"]).content
            seen.append((answer.status_code, answer["Location"], answer.content, page))
        assert seen[0] == seen[1] == seen[2]
        assert len(jobs()) == 3  # as much is done for each
        assert [str(alice.pk) in str(job) for job in jobs()] == [True, False, False]
        tasks.send_password_link.func("00000000-0000-0000-0000-000000000000", "http://testserver")
        assert mail.outbox == []

    @pytest.mark.usefixtures("mailing")
    def test_a_closed_sign_in_gets_no_mail(self, alice):
        tasks.send_password_link.func(str(alice.pk), "http://testserver")
        assert len(mail.outbox) == 1
        Person.objects.update(is_active=False)
        tasks.send_password_link.func(str(alice.pk), "http://testserver")
        assert len(mail.outbox) == 1

    @pytest.mark.usefixtures("mailing")
    def test_the_limit_counts_known_and_unknown_alike(self, browser):
        for email in (EMAIL, "nobody@north.example"):
            answers = [browser.post("/password/reset", {"email": email}) for _ in range(4)]
            assert [answer.status_code for answer in answers] == [302, 302, 302, 429]
            assert b"Too often" in answers[-1].content
        assert len(jobs()) == 6

    @pytest.mark.usefixtures("mailing")
    def test_an_unknown_host_names_no_link(self, browser):
        wrong = browser.post("/password/reset", {"email": EMAIL}, headers={"host": "evil.example"})
        assert wrong.status_code == 400
        forwarded = {"X-Forwarded-Host": "evil.example"}
        browser.post("/password/reset", {"email": EMAIL}, headers=forwarded)
        [job] = jobs()
        assert "evil" not in str(job)
        assert "http://testserver" in str(job)

    def test_without_mail_it_says_who_can_help(self, browser):
        page = browser.get("/password/reset")
        assert b"password_link" in page.content
        assert b"<input" not in page.content.split(b"<main")[1].split(b"</main>")[0]
        browser.post("/password/reset", {"email": EMAIL})
        assert jobs() == []


class TestLink:
    def test_works_once(self, browser, alice):
        link = password_link(alice)
        assert use(browser, link).status_code == 302
        again = {"password1": "yet another phrase", "password2": "yet another phrase"}
        for other in (browser, Client()):
            over = use(other, link, again)
            assert over.status_code == 410
            assert b"opens nothing" in over.content
        assert enters(NEW)

    def test_keeps_its_key_out_of_the_address_of_the_form(self, browser, alice):
        link = password_link(alice)
        shown = browser.get(link)
        assert shown.status_code == 302
        assert link.rpartition("/")[2] not in shown["Location"]
        page = browser.get(shown["Location"])
        assert page.status_code == 200
        assert page["Referrer-Policy"] == "same-origin"
        assert Client().get(shown["Location"]).status_code == 410  # the key is in the browser

    @pytest.mark.parametrize("change", ["cut", "another", "nobody", "garbage"])
    def test_tampered_with_opens_nothing(self, browser, alice, change):
        link = password_link(alice)
        key = link.rpartition("/")[2]
        charlie = Person.objects.get(email="charlie@south.example")
        wrong = {
            "cut": link[:-1],
            "another": f"/password/reset/{charlie.pk.hex}/{key}",
            "nobody": f"/password/reset/{'0' * 32}/{key}",
            "garbage": "/password/reset/not-an-id/set-password",
        }[change]
        assert use(browser, wrong).status_code == 410
        assert use(browser, link).status_code == 302

    def test_dies_with_a_sign_in_a_stamp_or_the_right_to_sign_in(self, browser, alice):
        assert browser.get(password_link(alice)).status_code == 302
        before = password_link(alice)
        assert enters(PASSWORD)
        assert Client().get(before).status_code == 410
        alice.refresh_from_db()
        before = password_link(alice)
        own = Client()
        own.force_login(alice)
        alice.refresh_from_db()
        before = password_link(alice)
        assert own.post("/account/elsewhere").status_code == 303
        assert Client().get(before).status_code == 410
        alice.refresh_from_db()
        before = password_link(alice)
        Person.objects.filter(pk=alice.pk).update(is_active=False)
        assert Client().get(before).status_code == 410

    @pytest.mark.parametrize(
        "pair",
        [
            {"password1": "short", "password2": "short"},
            {"password1": NEW, "password2": NEW + "!"},
            {"password1": EMAIL, "password2": EMAIL},
            {},
        ],
    )
    def test_a_password_that_will_not_do_is_refused(self, browser, alice, pair):
        link = password_link(alice)
        assert use(browser, link, pair or {"password1": ""}).status_code == 422
        assert enters(PASSWORD)
        alice.refresh_from_db()
        assert use(browser, password_link(alice)).status_code == 302

    def test_ends_every_other_sign_in(self, browser, alice, sign_in):
        elsewhere = sign_in("alice")
        alice.refresh_from_db()
        assert elsewhere.get("/a/north/sessions").status_code == 200
        stamp = alice.sign_in_stamp
        assert use(browser, password_link(alice)).status_code == 302
        assert elsewhere.get("/a/north/sessions").status_code == 302
        assert browser.get("/a/north/sessions").status_code == 302
        alice.refresh_from_db()
        assert alice.sign_in_stamp != stamp

    def test_opened_while_signed_in_as_somebody_else_signs_out(self, alice, sign_in):
        charlie = sign_in("charlie")
        assert charlie.get("/a/south/sessions").status_code == 200
        assert use(charlie, password_link(alice)).status_code == 302
        assert charlie.get("/a/south/sessions").status_code == 302
        assert enters(NEW)

    def test_guessing_is_limited(self, browser, alice):
        shown = browser.get(password_link(alice))["Location"]
        wrong = {"password1": "short", "password2": "short"}
        statuses = [browser.post(shown, wrong).status_code for _ in range(21)]
        assert statuses == [422] * 20 + [429]


class TestCommand:
    def test_prints_a_link_that_works(self, browser, alice):
        out = StringIO()
        call_command("password_link", EMAIL.upper(), stdout=out)
        link = re.search(r"^http://127.0.0.1:\d+(/\S+)$", out.getvalue().strip())[1]
        assert use(browser, link).status_code == 302
        assert enters(NEW)
        event = OperatorEvent.objects.get(action="person.link_made")
        assert event.data["enrolled"] == str(alice.pk)
        own = OperatorEvent.objects.get(action="person.password_set")
        assert (own.person, own.data["subject"]) == (alice.pk, str(alice.pk))

    def test_refuses_nobody_and_who_may_not_sign_in(self, alice):
        assert password_link_make(actor=Operator(), person=alice)
        with pytest.raises(CommandError, match="Nobody"):
            call_command("password_link", "nobody@north.example")
        Person.objects.update(is_active=False)
        with pytest.raises(CommandError, match="closed"):
            call_command("password_link", EMAIL)


class TestChange:
    def send(self, browser, **fields):
        return browser.post("/account/password", {"oldpassword": PASSWORD, **PAIR, **fields})

    def test_keeps_this_sign_in_and_ends_the_others(self, sign_in):
        here, elsewhere = sign_in("alice"), sign_in("alice")
        assert elsewhere.get("/a/north/sessions").status_code == 200
        answer = self.send(here)
        assert (answer.status_code, answer["Location"]) == (303, "/account")
        assert b"Your password is changed" in here.get("/account").content
        assert here.get("/a/north/sessions").status_code == 200
        assert elsewhere.get("/a/north/sessions").status_code == 302
        assert enters(NEW)

    @pytest.mark.parametrize(
        "fields", [{"oldpassword": "wrong"}, {"password2": "other"}, {"password1": "short"}]
    )
    def test_refusals_change_nothing(self, sign_in, fields):
        here = sign_in("alice")
        assert self.send(here, **fields).status_code == 422
        assert enters(PASSWORD)
        assert self.send(here).status_code == 303
