"""An admin and a user of one account: everything that the admin's pages do, and what it does."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.cast import PASSWORD
from tests.e2e.window import Window
from tests.live import Person, Server, result

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]


@dataclass(frozen=True)
class Story:
    """The windows of the admin and of the user whom she adds."""

    server: Server
    host: Person
    admin: Window
    user: Window
    user_id: str

    @property
    def email(self) -> str:
        return f"{self.user_id}@{self.host.account_id}.example"

    def says(self, key: str, words: str, session: str) -> int:
        """The status of a message that is sent with the key."""
        with self.server.client({"X-API-Key": key}) as client:
            said = {"role": "user", "content": words}
            return client.post(f"/sessions/{session}/messages", json=said).status_code


@pytest.fixture(scope="module")
def host(server: Server) -> Person:
    """The admin alice; sessions are seen by who takes part in them."""
    person = server.person()
    with server.client(person.headers) as client:
        policy = {"sessions_visible_to": "participants", "reason": "Fewer readers"}
        result(client.put(f"/admin/accounts/{person.account_id}/policy", json=policy))
        said = {"role": "user", "content": "Only mine"}
        ada = {"X-Bailiwick-Agent": "ada"}
        result(client.post("/sessions/mine/messages", json=said, headers=ada))
    return person


@pytest.mark.parametrize("javascript", [True, False], ids=["scripted", "plain"])
def test_a_user_comes_works_is_looked_after_and_goes(open_window, server, host, javascript):
    admin = open_window(javascript=javascript, cookies=server.sign_in(host))
    user = open_window(javascript=javascript)
    story = Story(server, host, admin, user, "bob" if javascript else "bea")
    admin.go(f"{host.home}/users")
    key, link = adds_the_user(story)
    session = uses_the_key(story, key)
    accepts(story, link)
    makes_a_key_of_their_own(story)
    looks_with_their_eyes(story, session)
    reads_who_looked(story)
    is_renamed_and_named_back(story)
    is_found_in_the_log(story, javascript=javascript)
    loses_the_key(story, key)
    goes(story)


def heading(page: Page) -> object:
    return expect(page.get_by_role("heading", level=1))


def toast(page: Page) -> object:
    return expect(page.locator(".toast"))


def adds_the_user(story: Story) -> tuple[str, str]:
    """Refused first, then made: the key and the invitation's link."""
    page = story.admin.page
    page.get_by_role("link", name="Add user").click()
    page.get_by_label("User id").fill("not an id")
    page.get_by_label("Invite by e-mail").fill(story.email)
    story.admin.expected.add(422)
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("alert")).to_contain_text("No user was added.")
    expect(page.get_by_label("Invite by e-mail")).to_have_value(story.email)
    page.get_by_label("User id").fill(story.user_id)
    page.get_by_role("button", name="Add user").click()
    heading(page).to_have_text(f"User {story.user_id} was added")
    story.admin.fits()
    key = page.locator("#secret").inner_text()
    link = page.locator("pre.command", has_text="/invitation/").inner_text()
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_text(key)).to_have_count(0)
    return key, link.strip()


def uses_the_key(story: Story, key: str) -> str:
    session = f"errand-of-{story.user_id}"
    assert story.says(key, f"Where is the key of {story.user_id}?", session) == 200
    page = story.admin.page
    page.get_by_role("link", name="Sessions", exact=True).click()
    page.get_by_label("Search titles and messages").fill(f"the key of {story.user_id}")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".row-link")).to_have_text([session])
    return session


def accepts(story: Story, link: str) -> None:
    page = story.user.page
    story.user.go(link)
    heading(page).to_contain_text("Invitation to")
    page.get_by_label("Your name").fill("Bo Marsh")
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    heading(page).to_have_text("Sessions")
    expect(page.locator(".row-link")).to_have_text([f"errand-of-{story.user_id}"])
    story.user.go(f"{story.host.home}/sessions/mine", 404)  # the admin's
    story.user.go(f"{story.host.home}/users", 403)


def makes_a_key_of_their_own(story: Story) -> None:
    page = story.user.page
    page.get_by_role("link", name="Go to Sessions").click()
    page.get_by_role("link", name="Keys").click()
    page.get_by_role("link", name="New key").click()
    page.get_by_label("Name").fill("kitchen tablet")
    page.get_by_label("write").uncheck()
    page.get_by_role("button", name="Make key").click()
    heading(page).to_have_text("Key kitchen tablet was made")
    key = page.locator("#secret").inner_text()
    assert story.says(key, "It may only read", "none") == 403
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("link", name="Revoke key… kitchen tablet").click()
    page.get_by_role("button", name="Revoke key kitchen tablet").click()
    toast(page).to_contain_text("It opens nothing any more.")
    assert story.says(key, "It was taken away", "none") == 401


def looks_with_their_eyes(story: Story, session: str) -> None:
    """Everything there, nothing changed; and out again."""
    page = story.admin.page
    story.admin.go(f"{story.host.home}/view?user={story.user_id}")
    expect(page.get_by_label("User")).to_have_value(story.user_id)
    page.get_by_label("Reason").fill(f"To see what {story.user_id} sees")
    page.get_by_role("button", name="Begin to view").click()
    banner = page.locator(".view-banner")
    expect(banner).to_contain_text(story.user_id)
    expect(page.locator(".row-link")).to_have_text([session])
    expect(page.get_by_role("link", name="Users", exact=True)).to_have_count(0)

    page.get_by_role("link", name=session).click()
    page.get_by_role("link", name="Change title").click()
    page.get_by_label("Title").fill("Changed by somebody else")
    story.admin.expected.add(403)
    page.get_by_role("button", name="Change title").click()
    expect(page.get_by_text("Nothing was changed").first).to_be_visible()
    story.admin.go(f"{story.host.home}/sessions/{session}")
    heading(page).to_have_text(session)
    banner.get_by_role("button", name="Leave view").click()
    expect(banner).to_have_count(0)
    heading(page).to_have_text("Overview")


def reads_who_looked(story: Story) -> None:
    page = story.user.page
    page.get_by_role("link", name="Who looked").click()
    looks = page.locator(".looks tbody tr")
    expect(looks.filter(has_text=f"To see what {story.user_id} sees")).to_have_count(1)


def is_renamed_and_named_back(story: Story) -> None:
    page = story.admin.page
    page.get_by_role("link", name="Users", exact=True).click()
    page.get_by_role("link", name=story.user_id).click()
    page.get_by_role("link", name="Change name or role").click()
    page.get_by_label("Display name").fill("Bo of the market")
    page.get_by_role("button", name="Save").click()
    heading(page).to_have_text("Bo of the market")
    toast(page).to_contain_text(f"{story.user_id} was saved.")
    page.get_by_role("button", name="Undo").click()
    heading(page).to_have_text(story.user_id)


def is_found_in_the_log(story: Story, *, javascript: bool) -> None:
    page = story.admin.page
    page.get_by_role("link", name="Audit log").click()
    page.get_by_label("What", exact=True).select_option("user.created")
    page.get_by_label("About user").fill(story.user_id)
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".row-link")).to_have_count(1)
    expect(page).to_have_url(re.compile(rf"about={story.user_id}"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "user.created" in lines[1]
    page.locator(".row-link").click()
    expect(page.locator(".record")).to_contain_text("user.created")


def loses_the_key(story: Story, key: str) -> None:
    page = story.admin.page
    page.get_by_role("link", name="Users", exact=True).click()
    page.get_by_role("link", name=story.user_id).click()
    page.get_by_role("link", name=re.compile("^Revoke key")).click()
    page.get_by_role("link", name="Keep key default").click()
    assert story.says(key, "Still there", f"errand-of-{story.user_id}") == 200
    page.get_by_role("link", name=re.compile("^Revoke key")).click()
    page.get_by_role("button", name="Revoke key default").click()
    toast(page).to_contain_text("It opens nothing any more.")
    assert story.says(key, "Gone", f"errand-of-{story.user_id}") == 401


def goes(story: Story) -> None:
    page = story.admin.page
    page.get_by_role("link", name="Delete user…").click()
    heading(page).to_contain_text(f"Delete {story.user_id}")
    page.get_by_role("button", name=f"Delete {story.user_id}").click()
    toast(page).to_contain_text(f"User {story.user_id} was deleted.")
    expect(page.get_by_role("link", name=story.user_id)).to_have_count(0)
    story.user.go(f"{story.host.home}/sessions", 404)


@pytest.mark.parametrize("javascript", [True, False], ids=["scripted", "plain"])
def test_settings_are_refused_saved_and_undone(open_window, server, host, javascript):
    window = open_window(javascript=javascript, cookies=server.sign_in(host))
    page = window.page
    window.go(f"{host.home}/settings")
    days = page.get_by_label("Ended sessions are kept for")
    days.fill("99999999")
    window.expected.add(422)
    # The browser's own check would stop it before the server's does.
    page.locator("form.form").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed.")
    window.fits()
    days.fill("90")
    page.get_by_role("button", name="Save settings").click()
    toast(page).to_contain_text("1 setting changed.")
    expect(days).to_have_value("90")
    page.get_by_role("button", name="Undo").click()
    toast(page).to_contain_text("1 setting changed.")
    expect(days).to_have_value("0")


def test_an_agents_choice_shows_its_effect_before_it_is_applied(open_window, server, host):
    window = open_window(cookies=server.sign_in(host))
    page = window.page
    window.go(f"{host.home}/agents")
    page.get_by_role("link", name="ada").click()
    apply = page.get_by_role("button", name=re.compile("Per sender|per sender"))
    expect(apply).to_be_hidden()
    page.get_by_text("Per sender", exact=True).click()
    expect(apply).to_be_visible()
    expect(page.get_by_role("heading", name="What this does")).to_be_visible()
    window.is_accessible()
    apply.click()
    toast(page).to_contain_text("Session scope of ada is per sender now.")
    expect(page.get_by_label("Per sender")).to_be_checked()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Global")).to_be_checked()

    page.get_by_role("link", name="Rename agent").click()
    page.get_by_label("Display name").fill("Ada of the shop")
    page.get_by_role("button", name="Rename agent").click()
    heading(page).to_have_text("Ada of the shop")
    page.get_by_role("link", name=re.compile("^Delete agent")).click()
    expect(page.get_by_role("button", name=re.compile("^Delete agent"))).to_have_count(0)
    page.get_by_role("link", name="Keep ada").click()
    page.get_by_role("link", name="Agents", exact=True).first.click()
    page.get_by_role("link", name="Add agent").click()
    page.get_by_label("Agent id").fill("quinn")
    page.get_by_role("button", name="Add agent").click()
    page.get_by_role("link", name=re.compile("^Delete agent")).click()
    page.get_by_role("button", name="Delete agent quinn").click()
    toast(page).to_contain_text("Agent quinn was deleted.")


def test_the_overview_leads_to_what_waits_and_a_failed_job_runs_again(open_window, server, host):
    with server.client(host.headers) as client:
        result(client.post("/sessions/mine/commit", json={}))
    for table, field in (("task", "status"), ("archive", "state")):  # as if its job had failed
        fail = f"UPDATE agent_sessions_{table} SET {field} = 'failed' RETURNING id"
        assert server.rows(fail, host.account_id)
    window = open_window(cookies=server.sign_in(host))
    page = window.page
    window.go(f"{host.home}/overview")
    expect(page.locator(".warnings")).to_contain_text("1 job failed")
    window.is_accessible()
    page.get_by_role("link", name=re.compile("^Jobs")).click()
    expect(page.locator(".warnings")).to_contain_text("1 job failed")
    page.get_by_role("button", name="Retry 1 job").click()
    toast(page).to_contain_text("1 job waits again.")
    expect(page.locator(".warnings")).to_have_count(0)
