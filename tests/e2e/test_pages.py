"""Every page, in both themes, wide and narrow."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("live")]

# The frame around the window, which nothing on the page may lie above.
FRAME = """
(() => {
  const frame = getComputedStyle(document.body, "::after");
  return [frame.position, frame.borderTopWidth];
})()
"""
PAGES = {
    "sessions": ("/sessions", 200),
    "sessions of one agent": ("/sessions?agent=max", 200),
    "no session matches": ("/sessions?q=nothing-like-it", 200),
    "a filter refused": ("/sessions?since=yesterday&agent=nobody", 422),
    "a session": ("/sessions/plan", 200),
    "older messages": ("/sessions/plan?before=11", 200),
    "a whole message": ("/sessions/plan/messages/120", 200),
    "a session, followed": ("/sessions/plan?follow=1", 200),
    "the title of a session": ("/sessions/plan/title", 200),
    "a session to delete": ("/sessions/plan/delete", 200),
    "overview": ("/overview", 200),
    "jobs": ("/jobs", 200),
    "jobs of a state": ("/jobs?status=failed", 200),
    "policy": ("/policy", 200),
    "policy of a sample": ("/policy?user=bob&agent=max", 200),
    "a sample refused": ("/policy?user=nobody", 422),
    "users": ("/users", 200),
    "a new user": ("/users/new", 200),
    "a user": ("/users/bob", 200),
    "a user to delete": ("/users/bob/delete", 200),
    "keys": ("/keys", 200),
    "a new key": ("/keys/new?user=bob", 200),
    "agents": ("/agents", 200),
    "an agent": ("/agents/ada", 200),
    "settings": ("/settings", 200),
    "audit log": ("/audit", 200),
    "who looked": ("/looked", 200),
    "view as": ("/view", 200),
    "no such page": ("/nowhere", 404),
}


@pytest.mark.parametrize("name", PAGES)
def test_page_of_an_account(open_window, office, name):
    path, status = PAGES[name]
    window = open_window(cookies=office.cookies)
    window.go(f"{office.home}{path}", status)
    for _ in window.everywhere():
        window.is_accessible()
        window.fits()


def test_the_pages_of_a_view_say_so_all_the_way_round(open_window, office):
    window = open_window(cookies=office.cookies)
    window.go(f"{office.home}/view")
    page = window.page
    page.get_by_label("User").select_option(label="bob")
    page.get_by_label("Reason").fill("A reason that is longer than the bar has room for " * 3)
    page.get_by_role("button", name="Begin to view").click()
    banner = page.locator(".view-banner")
    try:
        for path, status in {
            "/sessions": 200,
            "/keys": 200,
            "/users": 403,
            "/nowhere": 404,
        }.items():
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
