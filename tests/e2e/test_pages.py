"""Every page, in both themes, wide and narrow."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.sights import NO_PAGE, sights
from tests.e2e.window import Window
from tests.page_table import page_cells

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("live")]

# The frame around the window, which nothing on the page may lie above.
FRAME = """
(() => {
  const frame = getComputedStyle(document.body, "::after");
  return [frame.position, frame.borderTopWidth];
})()
"""
# What a page of sights.py looks like in other states; below the account's address, for its admin.
STATES = {
    "sessions of one agent": ("/sessions?agent=max", 200),
    "no session matches": ("/sessions?q=nothing-like-it", 200),
    "a filter refused": ("/sessions?since=yesterday&agent=nobody", 422),
    "older messages": ("/sessions/plan?before=11", 200),
    "jobs of a state": ("/jobs?status=failed", 200),
    "no user matches": ("/users?q=nothing-like-it", 200),
    "a policy's sample": ("/policy?user=bob&agent=max", 200),
    "a sample refused": ("/policy?user=nobody", 422),
    "audit log, filtered": ("/audit?action=user.created", 200),
    "audit log, refused": ("/audit?since=yesterday", 422),
}
EMPTY = ("overview", "sessions", "jobs", "looked")


def is_sound(window: Window) -> None:
    """Whatever lies at hand, in light and wide, and in dark and narrow."""
    for _ in window.everywhere():
        window.is_accessible()
        window.fits()


def test_every_page_is_looked_at():
    """A new page goes into sights.py, or, where nothing of ours is shown, into its NO_PAGE."""
    paths = {path for path, visitor, status in page_cells() if visitor == "admin"}
    forms = {
        path for path, visitor, status in page_cells() if visitor == "admin" and status == "405"
    }
    seen = {sight.route for sight in sights()}
    assert paths - forms - NO_PAGE - seen == set()
    assert NO_PAGE - paths == set()


@pytest.mark.parametrize("sight", sights(), ids=lambda one: one.name)
def test_page(open_window, guests, sight):
    window = open_window(cookies=guests.cookies[sight.visitor])
    window.expected.add(sight.status)
    sight.show(window.page, guests)
    is_sound(window)


@pytest.mark.parametrize("name", STATES)
def test_page_in_another_state(open_window, office, name):
    path, status = STATES[name]
    window = open_window(cookies=office.cookies)
    window.go(f"{office.home}{path}", status)
    is_sound(window)


def test_pages_of_an_account_in_which_nothing_happened(open_window, server):
    person = server.person()
    window = open_window(cookies=server.sign_in(person))
    for name in EMPTY:
        window.go(f"{person.home}/{name}")
        is_sound(window)


def test_the_pages_of_a_view_say_so_all_the_way_round(open_window, office):
    window = open_window(cookies=office.cookies)
    window.go(f"{office.home}/view")
    page = window.page
    page.get_by_label("User").select_option(label="bob")
    page.get_by_label("Reason").fill("A reason that is longer than the bar has room for " * 3)
    page.get_by_role("button", name="Begin to view").click()
    banner = page.locator(".view-banner")
    try:
        for path, status in {"/sessions": 200, "/users": 403}.items():
            window.expected.add(status)
            window.go(f"{office.home}{path}", status)
            for _ in window.everywhere():
                window.is_accessible()
                window.fits()
                page.mouse.wheel(0, 50_000)
                for part in (banner, banner.get_by_text("min left"), banner.get_by_role("button")):
                    expect(part).to_be_in_viewport(ratio=1)
                assert page.evaluate(FRAME) == ["fixed", "4px"]
    finally:
        window.go(f"{office.home}/sessions")
        banner.get_by_role("button", name="Leave view").click()
    expect(banner).to_have_count(0)
