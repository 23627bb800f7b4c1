"""Another namespace policy: the preview, that it is what then happens, and the way back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.window import Window
from tests.live import Person, Server, result

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

AGENTS = ("ada", "default")
# who, with which agent, whose it is, what is kept
KEPT = (
    ("bob", "ada", "user", "Bob takes tea."),
    ("bob", "ada", "user", "Bob sits by the window."),
    ("bob", "default", "user", "Bob rides a bicycle."),
    ("bob", "ada", "agent", "Ask Bob before noon."),
    ("carol", "ada", "agent", "Carol writes short letters."),
    ("carol", "ada", "user", "Carol has the spare key."),
)
# What bob has listed with ada: under ff all of his and all of ada's; under tt what is of both.
OPEN = {row[3] for row in KEPT if row[0] == "bob" or row[2] == "agent"}
SPLIT = {row[3] for row in KEPT if row[:2] == ("bob", "ada")}
# (now, after, lost, gained) from ff to tt
BOB_WITH_ADA = ("5", "3", "\N{MINUS SIGN}2", "none")
PAIRS = (("bob", "ada"), ("bob", "default"), ("carol", "ada"))


@pytest.fixture
def host(server: Server) -> Person:
    """An account under ff, in which two users have kept something with two agents."""
    person = server.person()
    keys = {user: server.user(person.account_id, user) for user in ("bob", "carol")}
    with server.client(person.headers) as client:
        settings = {"agent_memory_writers": "anyone"}
        result(client.patch(f"/admin/accounts/{person.account_id}/settings", json=settings))
        result(client.post("/agents", json={"agent_id": "ada"}))
        for agent in AGENTS:
            result(client.patch(f"/agents/{agent}", json={"memory_system": "structured"}))
        for user, agent, scope, content in KEPT:
            headers = {**keys[user], "X-Bailiwick-Agent": agent}
            body = {"content": content, "scope": scope}
            result(client.post("/memories", json=body, headers=headers))
    return person


@pytest.mark.parametrize("javascript", [True, False], ids=["scripted", "plain"])
def test_a_policy_is_previewed_applied_seen_and_reverted(open_window, server, host, javascript):
    window = open_window(javascript=javascript, cookies=server.sign_in(host))
    window.go(f"{host.home}/policy")
    said = previews(window)
    applies(window)
    for user, agent in PAIRS:
        listed = lists_as(window, host, user, agent)
        assert len(listed) == said[user, agent]
        if (user, agent) == ("bob", "ada"):
            assert listed == SPLIT
    previews_what_crosses(window, host)
    reverts(window, host)
    assert lists_as(window, host, "bob", "ada") == OPEN


def pair(page: Page, user: str, agent: str) -> Locator:
    """A pair's part of the preview: its line and its samples."""
    name = re.compile(rf"\b{user}\b.*\b{agent}\b", re.DOTALL)
    return page.locator(".pair-changes tbody", has=page.locator(".pair-name", has_text=name))


def previews(window: Window) -> dict[tuple[str, str], int]:
    """The numbers, one sample, and how many each pair would then have."""
    page = window.page
    page.get_by_role("link", name="Preview tt").click()
    expect(page.get_by_role("heading", name="Preview: ff to tt")).to_be_visible()
    line = pair(page, "bob", "ada")
    expect(line.locator("td.num")).to_have_text(BOB_WITH_ADA)
    line.get_by_text("Samples").click()
    expect(line.get_by_role("heading", name="Lost, 2")).to_be_visible()
    expect(line.get_by_role("link", name="Bob rides a bicycle.")).to_be_visible()
    expect(line.get_by_role("link", name="Carol writes short letters.")).to_be_visible()
    window.fits()
    return {one: int(pair(page, *one).locator("td.num").nth(1).inner_text()) for one in PAIRS}


def applies(window: Window) -> None:
    """Not without a reason; then it is in force, as one more version."""
    page = window.page
    apply = page.get_by_role("button", name="Apply tt as version 2")
    window.expected.add(422)
    # The browser's own check would stop it before the server's does.
    page.locator(".apply form").evaluate("form => form.noValidate = true")
    apply.click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed.")
    expect(page.locator(".version")).to_contain_text("Version 1")
    page.get_by_label("Reason").fill("Users want their agents apart")
    apply.click()
    expect(page.locator(".toast")).to_contain_text("Version 2 is in force: tt.")
    expect(page.locator(".version")).to_contain_text("Version 2")
    expect(page.locator("td.holds")).to_contain_text("tt")


def lists_as(window: Window, host: Person, user: str, agent: str) -> set[str]:
    """What the user has listed with the agent, looked at with their eyes."""
    page = window.page
    window.go(f"{host.home}/view?user={user}&agent={agent}")
    expect(page.get_by_label("On behalf of agent")).to_have_value(agent)
    page.get_by_label("Reason").fill("To see what the policy shows them")
    page.get_by_role("button", name="Begin to view").click()
    page.get_by_role("link", name="Memories", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Memories")
    titles = page.locator(".row-link").all_inner_texts()
    expect(page.locator("[data-announce]").first).to_contain_text(f"{len(titles)} memor")
    page.locator(".view-banner").get_by_role("button", name="Leave view").click()
    expect(page.locator(".view-banner")).to_have_count(0)
    return set(titles)


def previews_what_crosses(window: Window, host: Person) -> None:
    """Back to ff, bob would have something that carol kept: said, and read before it happens."""
    page = window.page
    window.go(f"{host.home}/policy?to=ff")
    expect(pair(page, "bob", "ada").locator("td.num")).to_have_text(("3", "5", "none", "+2"))
    note = page.locator(".note", has_text="a border between users")
    note.get_by_role("link", name=re.compile("^Read all")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What ff would change")
    crossing = page.locator("tbody tr", has_text="Carol writes short letters.")
    for_whom = page.locator(".cell-for", has_text=re.compile(r"\bbob\b.*\bada\b", re.DOTALL))
    expect(crossing.filter(has=for_whom)).to_have_count(1)
    expect(page.locator("tbody tr", has_text="Bob rides a bicycle.")).to_have_count(0)


def reverts(window: Window, host: Person) -> None:
    page = window.page
    window.go(f"{host.home}/policy")
    page.get_by_role("link", name="Earlier versions").click()
    expect(page.locator(".policy-versions")).to_contain_text("Users want their agents apart")
    page.get_by_label("Reason").fill("Too few memories were left")
    page.get_by_role("button", name="Revert to ff as version 3").click()
    expect(page.locator(".toast")).to_contain_text("ff is in force again, as version 3.")
    rows = page.locator(".policy-versions tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("In force")
    expect(rows.first).to_contain_text("Too few memories were left")


def test_a_preview_of_gains_is_sound_in_both_themes_wide_and_narrow(open_window, server, host):
    with server.client(host.headers) as client:
        body = {"isolate_agent_scope_by_user": True, "reason": "To have something to gain"}
        result(client.put(f"/admin/accounts/{host.account_id}/policy", json=body))
    window = open_window(cookies=server.sign_in(host))
    window.go(f"{host.home}/policy?to=ff")
    expect(window.page.locator(".pair-changes")).to_contain_text("+1")
    for summary in window.page.locator(".pair-changes summary").all():
        summary.click()
    for _ in window.everywhere():
        window.is_accessible()
        window.fits()


def test_the_way_to_a_preview_ends_below_the_bar_of_a_narrow_window(open_window, server, host):
    window = open_window(cookies=server.sign_in(host), width=360)
    page = window.page
    window.go(f"{host.home}/policy")
    page.get_by_role("link", name="Preview tt").click()
    title = page.get_by_role("heading", name="Preview: ff to tt")
    expect(title).to_be_in_viewport(ratio=1)
    bar, box = page.locator(".bar").bounding_box(), title.bounding_box()
    assert bar["y"] + bar["height"] <= box["y"]
