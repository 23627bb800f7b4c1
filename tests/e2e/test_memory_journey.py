"""Memories from the switch that lets an agent keep them to the file that takes them along."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.guests import join
from tests.e2e.window import Window
from tests.live import Person, Server, result

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

TITLE = "Thyme in the second bed"
FIRST = "The thyme stands in the second bed by the wall."
THEN = "The thyme stands in the third bed by the wall."
BOBS = "Bob leaves his bicycle in the shed."


@dataclass(frozen=True)
class Story:
    """Alice, who looks after the account, and bob, who uses it."""

    host: Person
    admin: Window
    user: Window
    javascript: bool

    @property
    def home(self) -> str:
        return self.host.home


@pytest.fixture
def story_of(open_window, server: Server):
    """A story whose agent `default` was switched off again after bob kept something with it."""

    def begin(*, javascript: bool) -> Story:
        host = server.person()
        bob = server.user(host.account_id, "bob")
        with server.client(host.headers) as client:
            result(client.patch("/agents/default", json={"memory_system": "structured"}))
            result(client.post("/memories", json={"content": BOBS}, headers=bob))
            result(client.patch("/agents/default", json={"memory_system": "summarization"}))
        cookies = server.sign_in(host)
        return Story(
            host=host,
            admin=open_window(javascript=javascript, cookies=cookies),
            user=open_window(
                javascript=javascript, cookies=join(server.url, cookies, host.home, "bob")
            ),
            javascript=javascript,
        )

    return begin


@pytest.mark.parametrize("javascript", [True, False], ids=["scripted", "plain"])
def test_a_memory_is_kept_found_changed_held_back_and_brought_back(story_of, javascript):
    story = story_of(javascript=javascript)
    opens_the_gate(story)
    keeps_by_hand(story)
    finds_by_words_and_facets(story)
    place = opens_one(story)
    edits_and_reads_the_history(story)
    holds_back_and_releases(story)
    deletes_two_and_takes_it_back(story)
    sees_only_their_own(story, place)
    looks_with_their_eyes(story)
    takes_them_along(story)


def heading(page: Page) -> object:
    return expect(page.get_by_role("heading", level=1))


def toast(page: Page) -> object:
    return expect(page.locator(".toast"))


def titles(page: Page) -> object:
    return expect(page.locator(".row-link"))


def opens_the_gate(story: Story) -> None:
    """Nothing can be written before; the switch says what appears, then it does."""
    page = story.admin.page
    story.admin.go(f"{story.home}/memories")
    titles(page).to_have_text([BOBS])
    expect(page.locator(".row-marks")).to_contain_text("hidden: default uses summarization")
    page.get_by_role("link", name="New memory").click()
    expect(page.get_by_role("button", name="Keep this memory")).to_have_count(0)
    page.get_by_role("link", name="Switch the memory system of default").click()
    heading(page).to_have_text("default")
    apply = page.get_by_role("button", name="Turn on Structured, show 1 memory")
    expect(apply).to_be_hidden()
    page.get_by_text("Structured", exact=True).click()
    effect = page.get_by_role("row", name="Memories of default that can be recalled")
    expect(effect.filter(visible=True)).to_have_text(re.compile(r"0\s*1\s*\+1$"))
    apply.click()
    toast(page).to_contain_text("structured")
    expect(page.get_by_label("Structured", exact=True)).to_be_checked()


def keeps_by_hand(story: Story) -> None:
    page = story.admin.page
    page.get_by_role("link", name="Memories", exact=True).click()
    for content, summary, kind, whose in (
        (FIRST, TITLE, "facts", "of the user alice"),
        ("Alice likes to be asked in the morning.", "", "preferences", "of the user alice"),
        ("Answer in short sentences.", "", "preferences", "of the agent default"),
    ):
        page.get_by_role("link", name="New memory").click()
        page.get_by_label("What is kept").fill(content)
        page.get_by_label("Summary").fill(summary)
        page.get_by_label("Kind").select_option(label=kind)
        page.get_by_label("Whose it is").select_option(label=whose)
        page.get_by_role("button", name="Keep this memory").click()
        heading(page).to_have_text(summary or content)
        toast(page).to_contain_text("It is kept.")
        page.get_by_role("link", name="Memories", exact=True).first.click()
    titles(page).to_have_count(4)


def finds_by_words_and_facets(story: Story) -> None:
    page = story.admin.page
    page.get_by_label("Search memories").fill("thyme wall")
    page.get_by_role("button", name="Filter").click()
    titles(page).to_have_text([TITLE])
    expect(page).to_have_url(re.compile(r"[?&]q=thyme(\+|%20)wall"))
    page.get_by_role("link", name="Clear filter").first.click()
    titles(page).to_have_count(4)
    facets = page.get_by_role("navigation", name="Narrow the list")
    facets.get_by_role("link", name=re.compile(r"^preferences\s*2$")).click()
    titles(page).to_have_count(2)
    expect(page).to_have_url(re.compile("kind=preferences"))
    facets.get_by_role("link", name=re.compile(r"^agent\s*1$")).click()
    titles(page).to_have_text(["Answer in short sentences."])
    page.go_back()
    titles(page).to_have_count(2)
    page.get_by_role("link", name="Clear filter").first.click()
    titles(page).to_have_count(4)


def opens_one(story: Story) -> str:
    """Beside the list where a script runs, and as a page; where it stands."""
    page = story.admin.page
    page.get_by_role("link", name=TITLE).click()
    if story.javascript:
        beside = page.get_by_label("The opened memory")
        expect(beside).to_contain_text(FIRST)
        titles(page).to_have_count(4)
        beside.get_by_role("link", name=TITLE).click()
    heading(page).to_have_text(TITLE)
    expect(page.locator(".memory-content")).to_have_text(FIRST)
    expect(page.get_by_label("About this memory")).to_contain_text("Why you see it")
    return re.sub(r"^https?://[^/]+", "", page.url)


def edits_and_reads_the_history(story: Story) -> None:
    page = story.admin.page
    page.get_by_role("link", name="Edit memory").click()
    page.get_by_label("What is kept").fill(THEN)
    page.get_by_role("button", name="Save as version 2").click()
    toast(page).to_contain_text("this is version 2")
    expect(page.locator(".memory-content")).to_have_text(THEN)
    page.get_by_role("link", name="All 2 versions").click()
    heading(page).to_have_text("History")
    expect(page.locator(".diff del")).to_have_text("second")
    expect(page.locator(".diff ins")).to_have_text("third")
    story.admin.fits()
    page.get_by_role("button", name="Restore version 1").click()
    toast(page).to_contain_text("It says again what version 1 said; this is version 3.")
    expect(page.locator(".memory-content")).to_have_text(FIRST)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".memory-content")).to_have_text(THEN)


def holds_back_and_releases(story: Story) -> None:
    page = story.admin.page
    page.get_by_role("button", name="Quarantine", exact=True).click()
    toast(page).to_contain_text("The memory is in quarantine now.")
    expect(page.locator(".memory-body .state")).to_contain_text("uarantine")
    page.get_by_role("button", name="Release", exact=True).click()
    toast(page).to_contain_text("The memory is released.")
    expect(page.locator(".memory-body .state")).to_have_count(0)


def deletes_two_and_takes_it_back(story: Story) -> None:
    page = story.admin.page
    page.get_by_role("link", name="Memories", exact=True).first.click()
    delete = "Delete the chosen"
    if story.javascript:
        expect(page.locator(".selection")).to_be_hidden()
    for name in ("Choose “Alice likes", "Choose “Answer in"):
        page.get_by_label(name).check()
    if story.javascript:
        expect(page.locator("[data-chosen]")).to_have_text("2 selected")
        delete = "Delete 2 memories"
        story.admin.is_accessible()
    page.get_by_role("button", name=delete).click()
    toast(page).to_contain_text("2 memories are deleted.")
    titles(page).to_have_text([TITLE, BOBS])
    page.get_by_role("button", name="Undo").click()
    toast(page).to_contain_text("2 memories are restored.")
    titles(page).to_have_count(4)


def sees_only_their_own(story: Story, place: str) -> None:
    """Bob reads his, and the agent's under this policy; not alice's."""
    page = story.user.page
    story.user.go(f"{story.home}/memories")
    titles(page).to_have_text(["Answer in short sentences.", BOBS])
    expect(page.get_by_text("4 memories")).to_have_count(0)
    story.user.go(place, 404)


def looks_with_their_eyes(story: Story) -> None:
    """The same list, none of the buttons of admins; and whatever is pressed changes nothing."""
    page = story.admin.page
    story.admin.go(f"{story.home}/view?user=bob")
    page.get_by_label("Reason").fill("To see what bob has kept")
    page.get_by_role("button", name="Begin to view").click()
    banner = page.locator(".view-banner")
    page.get_by_role("link", name="Memories", exact=True).click()
    titles(page).to_have_text(["Answer in short sentences.", BOBS])
    expect(page.get_by_role("link", name="Users", exact=True)).to_have_count(0)
    page.get_by_label(f"Choose “{BOBS}”").check()
    expect(page.get_by_role("button", name=re.compile("Quarantine"))).to_have_count(0)
    story.admin.expected.add(403)
    page.get_by_role("button", name=re.compile("^Delete")).click()
    expect(page.get_by_text("Nothing was changed").first).to_be_visible()
    story.admin.go(f"{story.home}/memories")
    titles(page).to_have_count(2)
    banner.get_by_role("button", name="Leave view").click()
    expect(banner).to_have_count(0)


def takes_them_along(story: Story) -> None:
    """The file holds what the list holds, filter and all."""
    page = story.admin.page
    story.admin.go(f"{story.home}/memories?kind=preferences")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export 2 memories").click()
    file = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert {one["content"] for one in file["memories"]} == {
        "Alice likes to be asked in the morning.",
        "Answer in short sentences.",
    }
