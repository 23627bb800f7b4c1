"""Your sign-in: name and zone, password, code, recovery codes, other browsers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.cast import PASSWORD
from tests.pages import code_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
ANOTHER = "a second long password"


def test_name_and_time_zone_show_on_the_pages(open_window, server, newcomer):
    window = open_window(cookies=server.sign_in(newcomer))
    page = window.page
    window.go(f"{newcomer.home}/overview")
    page.locator(".rail a[href='/account']").click()
    page.get_by_label("Name").fill("Alice of the market")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Save name and time zone").click()
    expect(page.locator(".toast")).to_contain_text("Your name and time zone are saved.")
    window.go(f"{newcomer.home}/audit")
    expect(page.locator("main time").first).to_contain_text("JST")
    expect(page.locator(".rail")).to_contain_text("Alice of the market")


@pytest.mark.parametrize("javascript", [True, False], ids=["scripted", "plain"])
def test_a_new_password_and_a_press_sign_other_browsers_out(
    open_window, server, newcomer, javascript
):
    here = open_window(javascript=javascript, cookies=server.sign_in(newcomer))
    there = open_window(javascript=javascript, cookies=server.sign_in(newcomer))
    page = here.page
    there.go("/account")
    here.go("/account")
    page.get_by_role("button", name="Sign out everywhere else").click()
    expect(page.locator(".toast")).to_contain_text("Every other browser has to sign in again.")
    there.go("/account")
    expect(there.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    there.go("/sign-in")
    there.sign_in(newcomer)

    here.go("/account/password")
    here.expected.add(422)
    changes_password(page, "not the present one", ANOTHER)
    expect(page.get_by_label("Present password")).to_have_attribute("aria-invalid", "true")
    there.go(f"{newcomer.home}/overview")
    changes_password(page, PASSWORD, ANOTHER)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your sign-in")
    there.go("/account")
    expect(there.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    here.go("/account/password")
    changes_password(page, ANOTHER, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your sign-in")


def changes_password(page: Page, present: str, new: str) -> None:
    page.get_by_label("Present password").fill(present)
    page.get_by_label("New password").fill(new)
    page.get_by_label("The same again").fill(new)
    page.get_by_role("button", name="Change the password").click()


def test_a_code_is_set_up_renewed_and_taken_away(open_window, server, newcomer):
    window = open_window(cookies=server.sign_in(newcomer))
    page = window.page
    window.go("/account")
    page.get_by_role("link", name="Set up a code").click()
    page.get_by_label("Password").fill(newcomer.password)
    page.get_by_role("button", name="Go on").click()
    secret = page.locator("#totp_secret").inner_text()
    window.expected.add(422)
    page.get_by_label("The code that it shows now").fill("000000")
    page.get_by_role("button", name="Ask for a code from now on").click()
    expect(page.get_by_label("The code that it shows now")).to_be_focused()
    assert page.locator("#totp_secret").inner_text() == secret
    page.get_by_label("The code that it shows now").fill(code_of(secret))
    page.get_by_role("button", name="Ask for a code from now on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")

    codes = page.locator(".codes code")
    before = set(codes.all_inner_texts())
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as a file").click()
    assert before == set(download.value.path().read_text().split()) & before
    page.get_by_role("link", name="Make new ones").click()
    page.get_by_role("button", name="Make 10 new codes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    after = set(codes.all_inner_texts())
    assert len(after) == 10
    assert not before & after

    page.get_by_role("link", name="Your sign-in").click()
    page.get_by_role("link", name="Stop asking for a code…").click()
    page.get_by_role("button", name="Stop asking for a code").click()
    expect(page.locator(".toast")).to_contain_text("No code is asked for any more.")
    page.get_by_role("link", name="Back to Bailiwick").click()
    window.menu()
    page.get_by_role("button", name="Sign out").click()
    window.sign_in(newcomer)
