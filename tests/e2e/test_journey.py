"""From the sign-in to the sign-out: one long look around, as every kind of visitor."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.office import BY_MAX, MESSAGES, PAGE, SESSIONS, Office
from tests.e2e.window import Window

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("live")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("javascript", [True, False], ids=["scripted", "plain"])
def test_an_admin_looks_around(open_window, office, javascript, width, scheme):
    window = open_window(javascript=javascript, width=width, scheme=scheme)
    window.go(f"{office.home}/sessions")
    window.sign_in(office.person)
    assert window.is_dark() == (scheme == "dark")
    narrows_the_list(window)
    pages_through_the_list(window)
    reads_a_session(window)
    looks_at_the_policy(window, javascript=javascript)
    chooses_dark(window)
    signs_out(window, office)


def rows(page: Page):
    return page.locator(".row-link")


def narrows_the_list(window: Window) -> None:
    page = window.page
    expect(page.get_by_role("heading", level=1)).to_have_text("Sessions")
    expect(rows(page)).to_have_count(PAGE)
    window.fits()

    more = page.get_by_text("Agent, user, participant, state, day")
    if more.is_visible():
        more.click()
    page.get_by_label("Agent", exact=True).select_option("max")
    page.get_by_role("button", name="Filter").click()
    expect(rows(page)).to_have_count(BY_MAX)
    expect(page).to_have_url(re.compile(r"[?&]agent=max\b"))
    expect(page.locator("#results").get_by_text(f"{BY_MAX} sessions")).to_be_visible()

    page.get_by_label("Search titles and messages").fill("heliotrope")
    page.get_by_role("button", name="Filter").click()
    expect(rows(page)).to_have_text(["Errand 02"])
    window.fits()

    page.get_by_role("link", name="Remove filter: with “heliotrope”").click()
    expect(rows(page)).to_have_count(BY_MAX)
    expect(page).to_have_url(re.compile(r"[?&]agent=max\b"))
    assert "heliotrope" not in page.url
    page.get_by_role("link", name="Clear filter").click()
    expect(rows(page)).to_have_count(PAGE)
    expect(page).to_have_url(re.compile(r"/sessions$"))


def pages_through_the_list(window: Window) -> None:
    page = window.page
    newest = rows(page).all_inner_texts()
    page.get_by_role("link", name="Older").click()
    expect(rows(page)).to_have_count(SESSIONS - PAGE)
    assert not set(newest) & set(rows(page).all_inner_texts())
    window.fits()
    page.get_by_role("link", name="Newer").click()
    expect(rows(page)).to_have_text(newest)


def reads_a_session(window: Window) -> None:
    page = window.page
    page.get_by_role("link", name="The long plan").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The long plan")
    entries = page.locator(".timeline .entry")
    expect(entries).to_have_count(PAGE)
    expect(page.locator(f"#m{MESSAGES - 1}")).to_contain_text(f"Line {MESSAGES - 1}")
    window.fits()
    page.get_by_role("link", name="Older messages").click()
    expect(page.locator(f"#m{MESSAGES - PAGE}")).to_contain_text(f"Line {MESSAGES - PAGE}")
    expect(page.locator(f"#m{MESSAGES}")).to_have_count(0)
    page.get_by_role("link", name="Latest messages").click()

    expect(page.get_by_text("the-very-end")).to_have_count(0)
    page.get_by_role("link", name="Show whole message").click()
    expect(page.get_by_text("the-very-end")).to_have_count(1)
    window.fits()


def looks_at_the_policy(window: Window, *, javascript: bool) -> None:
    page = window.page
    window.menu()
    page.get_by_role("link", name="Policy").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Namespace policy")
    addresses = page.locator("#addresses")
    expect(addresses).to_contain_text("viking://user/alice")
    window.fits()
    page.get_by_label("for", exact=True).select_option("bob")
    if not javascript:
        page.get_by_role("button", name="Show").click()
    expect(addresses).to_contain_text("viking://user/bob")
    expect(page).to_have_url(re.compile(r"[?&]user=bob\b"))


def chooses_dark(window: Window) -> None:
    page = window.page
    window.menu()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert window.is_dark()
    # The same page, not the one from which the theme's form once came.
    expect(page.locator("#addresses")).to_contain_text("viking://user/bob")
    window.menu()
    page.get_by_role("link", name="Sessions", exact=True).click()
    expect(rows(page)).to_have_count(PAGE)
    assert window.is_dark()


def signs_out(window: Window, office: Office) -> None:
    page = window.page
    window.menu()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    for _ in range(3):
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        words = page.content()
        for word in ("Errand", "The long plan", "Line 1", "viking://user"):
            assert word not in words
    window.go(f"{office.home}/sessions/plan")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
