"""Everything without a mouse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("live")]

# The focused element as a reader hears it, and whether a ring can be seen around it or, for links
# that cover their row, around the row.
FOCUSED = """() => {
  const here = document.activeElement;
  const rings = [null, "::after"].map((part) => getComputedStyle(here, part));
  return {
    name: (here.labels?.[0] ?? here).innerText?.trim().split("\\n")[0] ?? "",
    ring: rings.some((it) => it.outlineStyle !== "none" && parseFloat(it.outlineWidth) >= 2),
    shown: here.checkVisibility({ opacityProperty: true, visibilityProperty: true }),
    width: here.getBoundingClientRect().width,
    html: here.outerHTML.slice(0, 120),
  };
}"""


@pytest.fixture
def page(open_window, office) -> Page:
    window = open_window(cookies=office.cookies)
    window.go(f"{office.home}/sessions")
    return window.page


def tab_stops(page: Page, last: str, most: int = 100) -> list[dict]:
    """What the Tab key reaches, up to the stop of that name."""
    stops: list[dict] = []
    while not stops or stops[-1]["name"] != last:
        assert len(stops) < most, f"no stop named {last!r} among {[one['name'] for one in stops]}"
        page.keyboard.press("Tab")
        stops.append(page.evaluate(FOCUSED))
    return stops


def test_slash_goes_to_the_search(page):
    page.keyboard.press("/")
    search = page.get_by_label("Search titles and messages")
    expect(search).to_be_focused()
    expect(search).to_have_value("")
    page.keyboard.type("j/k o?")
    expect(search).to_have_value("j/k o?")
    expect(page.locator("dialog")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?q=j%2Fk"))


def test_j_and_k_walk_the_rows_and_o_opens_one(page):
    rows = page.locator(".row-link")
    page.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(2)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(1)).to_be_focused()
    title = rows.nth(1).inner_text()
    page.keyboard.press("o")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_question_mark_shows_the_keys(page):
    page.keyboard.press("j")
    page.keyboard.press("?")
    help_dialog = page.get_by_role("dialog", name="Keys")
    expect(help_dialog).to_be_visible()
    page.keyboard.press("j")
    expect(help_dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(help_dialog).to_be_hidden()
    expect(page.locator(".row-link").first).to_be_focused()


def test_keys_of_the_browser_stay_its_own(page):
    page.keyboard.press("Control+k")
    page.keyboard.press("Alt+j")
    expect(page.locator(".row-link:focus")).to_have_count(0)


def test_the_first_stop_skips_the_rail(page):
    page.keyboard.press("Tab")
    first = page.evaluate(FOCUSED)
    assert first["name"] == "Skip to the page"
    assert first["width"] > 50
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED)["name"] == "Search titles and messages"


@pytest.mark.parametrize(
    ("path", "main_action"),
    [
        ("/sessions", "The long plan"),
        ("/sessions?q=nothing-like-it", "Clear filter"),
        ("/sessions/plan", "Older messages"),
        ("/policy", "Show"),
    ],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tab_reaches_the_main_thing_and_the_focus_is_seen_on_the_way(
    open_window, office, path, main_action, scheme
):
    window = open_window(cookies=office.cookies, scheme=scheme)
    window.go(f"{office.home}{path}")
    stops = tab_stops(window.page, main_action)
    assert [one["html"] for one in stops if not (one["shown"] and one["width"])] == []
    # A date has several stops; the browser draws the ring of the last one itself.
    ringed = {one["html"] for one in stops if one["ring"]}
    assert {one["html"] for one in stops} - ringed == set()


def test_a_whole_sign_in_by_keyboard(open_window, office):
    window = open_window()
    window.go("/sign-in")
    expect(window.page.get_by_label("E-mail")).to_be_focused()
    window.page.keyboard.type(office.person.email)
    assert [one["name"] for one in tab_stops(window.page, "Password")] == ["Password"]
    window.page.keyboard.type(office.person.password)
    assert [one["name"] for one in tab_stops(window.page, "Sign in")] == ["Sign in"]
    window.page.keyboard.press("Enter")
    window.page.wait_for_url(f"**{office.home}/overview")


def test_the_focus_survives_a_swap(page):
    page.get_by_label("Search titles and messages").fill("heliotrope")
    button = page.get_by_role("button", name="Filter")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".row-link")).to_have_count(1)
    expect(button).to_be_focused()
    expect(page.locator("#live")).to_contain_text("1 session")

    # The pressed link is gone after the swap: the next stop is in the list, not the page's start.
    page.get_by_role("link", name="Remove filter").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".row-link")).to_have_count(50)
    expect(page.locator("#results")).to_be_focused()


def test_the_menu_of_a_narrow_window_opens_and_closes_by_keyboard(open_window, office):
    window = open_window(cookies=office.cookies, width=360)
    window.go(f"{office.home}/sessions")
    page = window.page
    stops = tab_stops(page, "Menu")
    assert len(stops) <= 3
    page.keyboard.press("Enter")
    policy = page.get_by_role("link", name="Policy")
    expect(policy).to_be_visible()
    tab_stops(page, "Policy", most=7)
    page.keyboard.press("Escape")
    expect(policy).to_be_hidden()
    expect(page.get_by_role("button", name="Menu")).to_be_focused()


def test_a_user_is_added_by_keyboard(open_window, server, newcomer):
    window = open_window(cookies=server.sign_in(newcomer))
    page = window.page
    window.go(f"{newcomer.home}/users")
    tab_stops(page, "Add user")
    page.keyboard.press("Enter")
    page.wait_for_url("**/users/new")
    tab_stops(page, "User id")
    page.keyboard.type("carol")
    tab_stops(page, "Make a key now, to act as this user from a program")
    page.keyboard.press("Space")  # no key
    tab_stops(page, "Add user")
    page.keyboard.press("Enter")
    page.wait_for_url("**/users/carol")
    expect(page.locator(".toast")).to_contain_text("User carol was added.")


def test_a_view_begins_and_ends_by_keyboard(open_window, server, newcomer):
    server.user(newcomer.account_id, "dora")
    window = open_window(cookies=server.sign_in(newcomer))
    page = window.page
    window.go(f"{newcomer.home}/users/dora")
    tab_stops(page, "View as dora")
    page.keyboard.press("Enter")
    page.wait_for_url("**/view?user=dora")
    tab_stops(page, "Reason")
    page.keyboard.type("To see it without a mouse")
    page.keyboard.press("Enter")
    banner = page.locator(".view-banner")
    expect(banner).to_contain_text("dora")
    tab_stops(page, "Leave view", most=5)
    page.keyboard.press("Enter")
    expect(banner).to_have_count(0)
