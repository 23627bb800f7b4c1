"""Those who run the installation, and the people whom they help."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.cast import PASSWORD
from tests.e2e.window import Window
from tests.live import new_id
from tests.pages import browser, submit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
ANOTHER = "a second long password"


@pytest.fixture(scope="module")
def cookies(server, operator):
    """Of a browser in which an operator is signed in."""
    server.forget_attempts()
    with browser(server.url) as client:
        assert submit(client, "/sign-in", login=operator[0], password=operator[1]).is_redirect
        return dict(client.cookies)


@pytest.mark.parametrize("javascript", [True, False], ids=["scripted", "plain"])
def test_an_account_is_made_entered_suspended_and_deleted(open_window, cookies, javascript):
    operator = open_window(javascript=javascript, cookies=cookies)
    admin = open_window(javascript=javascript)
    account = new_id("west")
    operator.go("/operator/")
    link = makes_the_account(operator, account)
    enters_it(admin, account, link)
    renames_it(operator, account)
    suspends_and_resumes_it(operator, admin, account)
    helps_its_admin(operator, admin, account)
    deletes_it(operator, admin, account)


def makes_the_account(operator: Window, account: str) -> str:
    """The first admin's invitation."""
    page = operator.page
    page.get_by_role("link", name="New account").click()
    page.get_by_label("Account id").fill(account)
    page.get_by_label("Name", exact=True).fill("The West")
    page.get_by_label("User id of the first admin").fill("anna")
    page.get_by_label("E-mail of the first admin").fill(f"anna@{account}.example")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"The account {account} is there")
    operator.fits()
    link = page.locator("#invitation").inner_text().strip()
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The West")
    return link


def enters_it(admin: Window, account: str, link: str) -> None:
    page = admin.page
    admin.go(link)
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_role("button", name="Join The West").click()
    page.wait_for_url(f"**/a/{account}/overview")
    expect(page.get_by_role("heading", level=2)).to_have_text("Three steps to the first session")
    admin.go("/operator/", 404)
    admin.go(f"/a/{account}/overview")


def renames_it(operator: Window, account: str) -> None:
    page = operator.page
    page.get_by_role("link", name="Rename").click()
    page.get_by_label("Name").fill("The Far West")
    page.get_by_role("button", name="Rename").click()
    expect(page.locator(".toast")).to_contain_text(f"{account} was renamed.")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The West")


def suspends_and_resumes_it(operator: Window, admin: Window, account: str) -> None:
    page = operator.page
    page.get_by_role("button", name=f"Suspend {account}").click()
    expect(page.locator(".toast")).to_contain_text("nobody enters it")
    admin.go(f"/a/{account}/overview", 404)
    page.get_by_role("button", name=f"Resume {account}").click()
    expect(page.locator(".toast")).to_contain_text("is active again")
    admin.go(f"/a/{account}/overview")


def helps_its_admin(operator: Window, admin: Window, account: str) -> None:
    """Close the sign-in, open it again, and make a link with which a new password is set."""
    page, email = operator.page, f"anna@{account}.example"
    page.get_by_role("link", name="People").click()
    page.get_by_label("Search e-mails and names").fill(email)
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name=email, exact=True).click()
    page.get_by_role("button", name="Close the sign-in").click()
    admin.go(f"/a/{account}/overview")
    expect(admin.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.get_by_role("button", name="Open the sign-in again").click()
    page.get_by_role("link", name="Make a password link").click()
    page.get_by_role("button", name="Make the link").click()
    link = page.locator("#link").inner_text().strip()
    page.get_by_role("link", name="I have copied it").click()

    admin.go(link)
    page = admin.page
    page.get_by_label("New password").fill(ANOTHER)
    page.get_by_label("The same again").fill(f"{ANOTHER}, misspelt")
    admin.expected.add(422)
    page.get_by_role("button", name="Set the password").click()
    expect(page.locator("[aria-invalid=true]")).to_have_count(1)
    page.get_by_label("New password").fill(ANOTHER)
    page.get_by_label("The same again").fill(ANOTHER)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your password is set")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(ANOTHER)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**/a/{account}/overview")
    admin.go(link, 410)  # it worked once


def deletes_it(operator: Window, admin: Window, account: str) -> None:
    page = operator.page
    page.get_by_role("link", name="Accounts", exact=True).first.click()
    page.get_by_label("Search ids and names").fill(account)
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".row-link")).to_have_count(1)
    page.locator(".row-link").click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_label(f"Type {account} to confirm").fill("the other one")
    operator.expected.add(422)
    page.get_by_role("button", name=f"Delete the account {account}").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was deleted.")
    admin.go(f"/a/{account}/overview")
    page.get_by_label(f"Type {account} to confirm").fill(account)
    page.get_by_role("button", name=f"Delete the account {account}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Accounts")
    expect(page.locator(".toast")).to_contain_text(account)
    admin.go(f"/a/{account}/overview", 404)
    page.get_by_role("link", name="Log", exact=True).click()
    expect(page.locator("main")).to_contain_text("deleted the account")
