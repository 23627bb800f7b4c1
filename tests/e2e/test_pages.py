"""Every page, in both themes, wide and narrow."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("live")]

PAGES = {
    "sessions": ("/sessions", 200),
    "sessions of one agent": ("/sessions?agent=max", 200),
    "no session matches": ("/sessions?q=nothing-like-it", 200),
    "a filter refused": ("/sessions?since=yesterday&agent=nobody", 422),
    "a session": ("/sessions/plan", 200),
    "older messages": ("/sessions/plan?before=11", 200),
    "a whole message": ("/sessions/plan/messages/120", 200),
    "policy": ("/policy", 200),
    "policy of a sample": ("/policy?user=bob&agent=max", 200),
    "a sample refused": ("/policy?user=nobody", 422),
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
