"""The entrance."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.pages import code_of, submit

INVITE = """
from accounts import tenancy
from accounts.actor import Operator
from accounts.principals.services import invitation_create
from accounts.principals.tokens import invitation_link
account = tenancy.find("{account}")
print(invitation_link(invitation_create(
    actor=Operator(), account=account, user_id="bob", email="{email}", site="")))
"""

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("live")]


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("javascript", [True, False], ids=["scripted", "plain"])
def test_a_wrong_password_is_refused_and_the_right_one_enters(
    open_window, newcomer, javascript, width
):
    window = open_window(javascript=javascript, width=width)
    page = window.page
    window.expected.add(422)
    window.go("/")
    page.get_by_label("E-mail").fill(newcomer.email)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value(newcomer.email)
    expect(page.get_by_label("Password")).to_have_value("")
    expect(page.get_by_label("Password")).to_be_focused()
    window.fits()
    if javascript:
        window.is_accessible()

    page.get_by_label("Password").fill(newcomer.password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{newcomer.home}/overview")
    expect(page.get_by_role("heading", level=2)).to_have_text("Three steps to the first session")


def test_the_refusal_does_not_tell_whether_the_address_is_known(server, newcomer):
    server.forget_attempts()
    alerts = []
    for email in (newcomer.email, "nobody@nowhere.example"):
        with server.pages() as client:
            answer = submit(client, "/sign-in", login=email, password="a wrong one")
        assert answer.status_code == 422
        alerts.append(re.findall(r'role="alert".*?</div>', answer.text, re.DOTALL))
    assert alerts[0]
    assert alerts[0] == alerts[1]


def test_after_five_wrong_passwords_the_right_one_has_to_wait(server, newcomer):
    server.forget_attempts()
    with server.pages() as client:
        for _ in range(5):
            wrong = submit(client, "/sign-in", login=newcomer.email, password="a wrong one")
        right = submit(client, "/sign-in", login=newcomer.email, password=newcomer.password)
        assert (wrong.status_code, right.status_code) == (422, 422)
        assert "Too many failed login attempts" in right.text
        server.forget_attempts()
        right = submit(client, "/sign-in", login=newcomer.email, password=newcomer.password)
        assert right.status_code == 302


def test_after_the_sign_in_one_is_where_one_wanted_to_go(open_window, office):
    window = open_window()
    window.go(f"{office.home}/sessions?agent=max")
    expect(window.page).to_have_url(re.compile(r"/sign-in\?next="))
    window.sign_in(office.person)
    expect(window.page).to_have_url(re.compile(rf"{office.home}/sessions\?agent=max$"))


@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example/"])
def test_the_sign_in_leads_to_no_other_site(server, newcomer, target):
    server.forget_attempts()
    sign_in = {"login": newcomer.email, "password": newcomer.password}
    with server.pages() as client:
        entered = submit(client, "/sign-in", **sign_in, next=target)
        assert (entered.status_code, entered.headers["location"]) == (302, "/")
        dark = submit(client, "/theme", theme="dark", next=target)
        assert (dark.status_code, dark.headers["location"]) == (302, "/")


def test_pages_around_the_sign_in_are_accessible(open_window, newcomer):
    window = open_window()
    closed = {"/password/reset/0/0": 410, "/invitation/0": 404}
    for path in ("/sign-in", "/password/reset", "/password/reset/sent", *closed):
        window.go(path, closed.get(path, 200))
        for _ in window.everywhere():
            window.is_accessible()
            window.fits()
    window.go("/sign-in")
    window.sign_in(newcomer)
    for path in (
        *(f"{newcomer.home}/sessions", "/sign-out", "/account", "/account/password"),
        "/account/code",  # the password is asked for first
    ):
        window.go(path)
        for _ in window.everywhere():
            window.is_accessible()
            window.fits()


def test_a_person_without_an_account_is_told_what_to_do(open_window, server):
    person = server.person()
    suspend = "UPDATE accounts_account SET state = 'suspended' WHERE account_id = '{}' RETURNING id"
    server.rows(suspend.format(person.account_id))
    window = open_window()
    page = window.page
    window.go("/")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("No account yet")
    for _ in window.everywhere():
        window.is_accessible()
        window.fits()
    window.go(f"{person.home}/sessions", 404)
    window.go("/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


@pytest.mark.parametrize("javascript", [True, False], ids=["scripted", "plain"])
def test_an_invitation_is_accepted_and_a_code_is_set_up(open_window, server, javascript):
    """From the link that an admin copied, through a password, to a second factor."""
    host = server.person()
    server.user(host.account_id, "bob")
    email = f"bob@{host.account_id}.example"
    made = server.manage("shell", "-v0", "-c", INVITE.format(account=host.account_id, email=email))
    window = open_window(javascript=javascript)
    page = window.page
    window.expected.add(422)
    window.go(made.stdout.strip())
    page.get_by_label("Choose a password").fill("short")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was accepted yet")
    page.get_by_label("Choose a password").fill(host.password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{host.home}/sessions")

    window.go("/account")
    page.get_by_role("link", name="Set up a code").click()
    page.get_by_label("Password").fill(host.password)
    page.get_by_role("button", name="Go on").click()
    secret = page.locator("#totp_secret").text_content()
    page.get_by_label("The code that it shows now").fill(code_of(secret))
    page.get_by_role("button", name="Ask for a code from now on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    expect(page.locator(".codes code")).to_have_count(10)
    spare = page.locator(".codes code").first.text_content()
    window.fits()

    server.forget_attempts()
    later = open_window(javascript=javascript)
    later.go("/sign-in")
    later.page.get_by_label("E-mail").fill(email)
    later.page.get_by_label("Password").fill(host.password)
    later.page.keyboard.press("Enter")
    expect(later.page.get_by_role("heading", level=1)).to_have_text("Your code")
    later.page.get_by_role("link", name="Use a recovery code").click()
    later.page.get_by_label("Recovery code").fill(spare)
    later.page.get_by_role("button", name="Sign in").click()
    later.page.wait_for_url(f"**{host.home}/sessions")
