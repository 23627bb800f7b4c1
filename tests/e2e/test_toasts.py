"""What is said in passing: it can be closed, survives what asks by itself, and tells a refusal."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("live")]

TOAST = """
document.getElementById("toasts").innerHTML =
  '<div class="toast"><span>Kept.</span><button type="button" data-close>Close</button></div>'
"""
ASK = "htmx.ajax('GET', location.href, '#results')"


def test_a_toast_goes_by_its_cross_and_leaves_the_focus_on_the_page(open_window, office):
    window = open_window(cookies=office.cookies)
    window.go(f"{office.home}/sessions")
    page = window.page
    page.evaluate(TOAST)
    toast = page.locator(".toast")
    expect(toast).to_have_text("Kept.Close")
    toast.get_by_role("button", name="Close").click()
    expect(toast).to_have_count(0)
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_toast_stays_when_the_page_asks_by_itself_and_goes_when_somebody_asks(
    open_window, office
):
    window = open_window(cookies=office.cookies)
    window.go(f"{office.home}/sessions")
    page = window.page
    page.evaluate(TOAST)
    with page.expect_response("**/sessions"):
        page.evaluate(ASK)
    expect(page.locator(".toast")).to_have_count(1)
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".toast")).to_have_count(0)


def test_a_refused_fragment_says_why_and_a_broken_one_that_it_broke(open_window, office):
    window = open_window(cookies=office.cookies)
    window.expected |= {404, 500}
    window.go(f"{office.home}/sessions")
    page = window.page
    page.evaluate("htmx.ajax('GET', location.href + '/no-such-session', '#results')")
    expect(page.locator(".toast")).to_contain_text("Not found. There is nothing at this address")
    expect(page.locator(".row-link").first).to_be_visible()  # the list stays
    page.route("**/sessions?broken", lambda route: route.fulfill(status=500, body="no"))
    page.evaluate("htmx.ajax('GET', location.href + '?broken', '#results')")
    expect(page.locator(".toast")).to_contain_text("That did not work")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_toast_covers_nothing_of_a_page_that_is_scrolled_to_its_end(
    open_window, office, javascript
):
    """What is said after a change stands over the page's foot, and has room of its own there."""
    window = open_window(cookies=office.cookies, javascript=javascript, width=360)
    window.go(f"{office.home}/view")
    page = window.page
    page.get_by_label("User").select_option(label="bob")
    page.get_by_label("Reason").fill("To see whether the toast stands in the way")
    page.get_by_role("button", name="Begin to view").click()
    page.locator(".view-banner").get_by_role("button", name="Leave view").click()
    toast = page.locator(".toast")
    expect(toast).to_be_visible()
    page.mouse.move(180, 300)
    page.mouse.wheel(0, 50_000)
    last = page.locator("main > *").last
    expect(last).to_be_in_viewport()
    below, above = toast.bounding_box(), last.bounding_box()
    assert above["y"] + above["height"] <= below["y"]
    assert page.get_by_role("button", name="Close").is_visible() == javascript
