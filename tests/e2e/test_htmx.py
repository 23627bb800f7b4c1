"""The same addresses asked by htmx: fragments, refusals, and a sign-in that has ended."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.pages import submit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("live")]

HTMX = {"HX-Request": "true"}
WHOLE = {
    "plain": {},
    "boosted": {**HTMX, "HX-Boosted": "true"},
    "history": {**HTMX, "HX-History-Restore-Request": "true"},
}
# path → what the fragment holds
FRAGMENTS = {
    "/sessions": 'class="row-link',
    "/sessions/plan": 'id="m120"',
    "/sessions/plan/messages/120": "the-very-end",
    "/policy": "viking://",
}


@pytest.fixture
def browser(server, office):
    with server.pages(office.cookies) as client:
        yield client


@pytest.mark.parametrize("path", FRAGMENTS)
def test_htmx_gets_the_fragment_and_everyone_else_the_page(browser, office, path):
    fragment = browser.get(f"{office.home}{path}", headers=HTMX)
    assert fragment.status_code == 200
    assert FRAGMENTS[path] in fragment.text
    for tag in ("<!DOCTYPE", "<html", "<head", "<main", '<nav class="entries"'):
        assert tag not in fragment.text
    for headers in WHOLE.values():
        whole = browser.get(f"{office.home}{path}", headers=headers)
        assert whole.status_code == 200
        assert whole.text.startswith("<!DOCTYPE html>")
        assert FRAGMENTS[path] in whole.text
        assert '<nav class="entries"' in whole.text


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("since=yesterday", "since", "Write the day as year-month-day"),
        ("agent=nobody", "agent", "Choose one of the agents in the list."),
        ("state=asleep", "state", "Choose one of the states in the list."),
        (f"q={'x' * 201}", "q", "Search for at most 200 characters."),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_a_refused_filter_says_so_by_its_field(browser, office, query, field, words, headers):
    answer = browser.get(f"{office.home}/sessions?{query}", headers=headers)
    assert answer.status_code == 422
    assert answer.text.startswith("<!DOCTYPE html>") != bool(headers)
    control = re.search(rf'<(?:input|select)[^>]*name="{field}"[^>]*>', answer.text)
    assert control is not None
    assert 'aria-invalid="true"' in control[0]
    described = re.search(r'aria-describedby="([^"]+)"', control[0])
    assert described is not None
    fault = answer.text.split(f'id="{described[1]}"')[1].split("</p>")[0]
    assert words in fault
    assert 'class="row-link' not in answer.text


def test_a_refused_filter_is_shown_and_focused(open_window, office):
    window = open_window(cookies=office.cookies, width=360)
    window.expected.add(422)
    window.go(f"{office.home}/sessions")
    page = window.page
    page.get_by_text("Agent, user, participant, state, day").click()
    # Somebody took the agent away meanwhile, say: the page offers what is no longer there.
    page.get_by_label("Agent", exact=True).evaluate("field => field.add(new Option('gone'))")
    page.get_by_label("Agent", exact=True).select_option("gone")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("Choose one of the agents in the list.")).to_be_visible()
    expect(page.get_by_label("Agent", exact=True)).to_be_focused()
    expect(page.locator("#live")).to_contain_text("Not filtered: 1 field needs a change.")
    window.fits()
    page.get_by_label("Agent", exact=True).select_option("max")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".row-link")).to_have_count(3)


def test_an_ended_sign_in_is_told_to_htmx(server, office):
    cookies = server.sign_in(office.person)
    with server.pages(cookies) as other_tab:
        assert other_tab.get(f"{office.home}/sessions").status_code == 200
        assert submit(other_tab, "/sign-out").status_code == 302
    path = f"{office.home}/sessions?agent=max"
    with server.pages(cookies) as client:
        here = {"HX-Current-URL": f"{server.url}{office.home}/policy"}
        told = client.get(path, headers={**HTMX, **here})
        assert told.headers["HX-Redirect"] == f"/sign-in?next={office.home}/policy"
        assert told.text == ""
        for kind in ("plain", "boosted"):
            sent = client.get(path, headers=WHOLE[kind])
            assert sent.status_code == 302
            assert sent.headers["location"] == f"/sign-in?next={office.home}/sessions%3Fagent%3Dmax"


def test_an_ended_sign_in_leads_back_to_the_same_page(open_window, server, office):
    window = open_window(cookies=server.sign_in(office.person))
    page = window.page
    window.go(f"{office.home}/sessions?agent=max")
    with server.pages({one["name"]: one["value"] for one in window.context.cookies()}) as tab:
        submit(tab, "/sign-out")
    page.get_by_role("link", name="Clear filter").click()
    page.wait_for_url("**/sign-in?**")
    window.sign_in(office.person)
    expect(page).to_have_url(re.compile(rf"{office.home}/sessions\?agent=max$"))


def test_a_failing_server_is_told_in_a_toast(open_window, office):
    window = open_window(cookies=office.cookies)
    window.expected.add(500)
    page = window.page
    window.go(f"{office.home}/sessions")
    page.route("**/sessions?*", lambda route: route.fulfill(status=500, body="oh"))
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("status").get_by_text("That did not work")).to_be_visible()
    expect(page.locator(".row-link")).to_have_count(50)
    page.unroute("**/sessions?*")
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".row-link")).to_have_count(15)
    expect(page.get_by_text("That did not work")).to_be_hidden()


def test_a_slow_server_shows_that_it_is_waited_for(open_window, office):
    window = open_window(cookies=office.cookies)
    page = window.page
    window.go(f"{office.home}/sessions")
    held = []

    def hold(route):
        held.append(route)

    page.route("**/sessions?*", hold)
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".skeleton")).to_be_visible()
    expect(page.locator("#live")).to_have_text("Loading")
    held[0].continue_()
    expect(page.locator(".row-link")).to_have_count(15)
    expect(page.locator(".skeleton")).to_be_hidden()


def test_back_and_forward_after_swaps_show_what_the_address_says(open_window, office):
    window = open_window(cookies=office.cookies)
    page = window.page
    window.go(f"{office.home}/sessions")
    page.get_by_label("Agent", exact=True).select_option("max")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".row-link")).to_have_count(3)
    page.go_back()
    expect(page.locator(".row-link")).to_have_count(50)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    page.go_forward()
    expect(page.locator(".row-link")).to_have_count(3)
    expect(page.get_by_label("Agent", exact=True)).to_have_value("max")
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert "Errand" not in kept
