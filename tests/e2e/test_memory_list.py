"""The list of memories with a script: keys, swaps, what is opened beside it, what is chosen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.live import Person, Server, result

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("live")]

KINDS = ("facts", "facts", "tasks", "preferences")  # the oldest first


@pytest.fixture(scope="module")
def keeper(server: Server) -> Person:
    """Alice, with four memories: Note 3 is the newest."""
    person = server.person()
    with server.client(person.headers) as client:
        result(client.patch("/agents/default", json={"memory_system": "structured"}))
        for number, kind in enumerate(KINDS):
            body = {"content": f"Note {number} of the pantry.", "kind": kind}
            result(client.post("/memories", json=body))
    return person


@pytest.fixture(scope="module")
def cookies(server: Server, keeper: Person) -> dict[str, str]:
    return server.sign_in(keeper)


@pytest.fixture
def page(open_window, keeper, cookies) -> Page:
    window = open_window(cookies=cookies)
    window.go(f"{keeper.home}/memories")
    return window.page


def test_keys_search_walk_and_open_beside_the_list(page):
    page.keyboard.press("/")
    expect(page.get_by_label("Search memories")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    rows = page.locator(".row-link")
    for key, row in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        expect(rows.nth(row)).to_be_focused()
    page.keyboard.press("o")
    beside = page.get_by_label("The opened memory")
    expect(beside.get_by_role("heading", name="Note 2 of the pantry.")).to_be_visible()
    expect(page.locator("#live")).to_have_text("Note 2 of the pantry.")
    # One goes on from where one was.
    expect(rows.nth(1)).to_be_focused()
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("k")
    page.keyboard.press("o")
    expect(beside.get_by_role("heading", name="Note 3 of the pantry.")).to_be_visible()
    expect(page.locator(".row-link[aria-current]")).to_have_count(1)
    expect(page).to_have_url(re.compile("/memories$"))


def test_o_opens_a_page_where_there_is_no_room_beside(open_window, keeper, cookies):
    window = open_window(cookies=cookies, width=360)
    window.go(f"{keeper.home}/memories")
    window.page.keyboard.press("j")
    window.page.keyboard.press("o")
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Note 3 of the pantry.")


def test_a_filter_goes_into_the_address_keeps_the_focus_and_says_the_count(page):
    rows, live = page.locator(".row-link"), page.locator("#live")
    page.get_by_label("Search memories").fill("2")
    button = page.get_by_role("button", name="Filter")
    button.focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_text(["Note 2 of the pantry."])
    expect(page).to_have_url(re.compile(r"\?q=2$"))  # empty fields stay out of it
    expect(button).to_be_focused()
    expect(live).to_have_text("1 memory")
    page.go_back()
    expect(rows).to_have_count(4)
    expect(page.get_by_label("Search memories")).to_have_value("")
    page.go_forward()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("Search memories")).to_have_value("2")


def test_facets_add_up_and_the_way_back_undoes_one_after_the_other(page):
    rows, live = page.locator(".row-link"), page.locator("#live")
    facets = page.get_by_role("navigation", name="Narrow the list")
    facets.get_by_role("link", name=re.compile("^facts")).focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(2)
    expect(live).to_have_text("2 memories")
    expect(page).to_have_url(re.compile(r"\?kind=facts$"))
    # The pressed link is another one after the swap: the next stop is in the list.
    expect(page.locator("#results")).to_be_focused()
    page.get_by_label("Search memories").fill("Note 0")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_text(["Note 0 of the pantry."])
    expect(page).to_have_url(re.compile("kind=facts"))
    expect(facets.locator("[aria-current]").filter(has_text="facts")).to_have_count(1)
    page.go_back()
    expect(rows).to_have_count(2)
    page.go_back()
    expect(rows).to_have_count(4)


def test_what_is_chosen_is_counted_and_let_go(page):
    bar, chosen = page.locator(".selection"), page.locator("[data-chosen]")
    expect(bar).to_be_hidden()
    boxes = page.get_by_role("checkbox")
    boxes.nth(0).check()
    expect(page.get_by_role("button", name="Quarantine 1 memory")).to_be_visible()
    boxes.nth(2).check()
    expect(chosen).to_have_text("2 selected")
    expect(page.get_by_role("button", name="Delete 2 memories")).to_be_visible()
    page.get_by_role("button", name="Clear selection").click()
    expect(bar).to_be_hidden()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)
    boxes.nth(1).check()
    expect(chosen).to_have_text("1 selected")
