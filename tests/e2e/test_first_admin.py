"""Somebody who never saw it, after the first `make run`: only the pages tell what to do."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.window import Window
from tests.live import Server, collect_static
from tests.live.quickstart import Quickstart, installation

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("quickstart")]
APPEARS = 15_000  # ms; the page asks every five seconds


@pytest.fixture
def house() -> Iterator[Quickstart]:
    collect_static()
    with installation() as house:
        house.start()
        yield house


@pytest.fixture
def window(house: Quickstart, chromium: Browser) -> Iterator[Window]:
    address = house.printed("Sign in").removesuffix("/sign-in")
    window = Window.open(chromium, Server(address, {}))
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield window
    complaints = window.complaints()
    window.close()
    assert complaints == []


def run(line: str) -> dict[str, object]:
    """Paste it into a terminal; what came back."""
    done = subprocess.run(
        ["sh", "-c", line.replace("curl ", "curl -sS --noproxy '*' ", 1)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_from_the_first_sign_in_to_a_key_that_opens_nothing_any_more(house, window):
    page = window.page
    signs_in(house, page)
    line = adds_rosa(page)
    watches_her_session_appear(page, line)
    sees_what_she_sees(page)
    revokes_her_key(page)
    refusal = run(line)
    assert refusal["status"] == "error"
    assert refusal["error"]["code"] == "UNAUTHENTICATED"


def signs_in(house: Quickstart, page: Page) -> None:
    page.goto(house.printed("Sign in"))
    email, password = house.output.split("/sign-in\n")[1].split()[:2]
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def adds_rosa(page: Page) -> str:
    """The line that the page says to run."""
    page.get_by_role("link", name="Users").click()
    page.get_by_role("link", name="Add user").click()
    page.get_by_label("User id").fill("rosa")
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("User rosa was added")
    page.get_by_role("button", name="Copy the line").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    line: str = page.evaluate("navigator.clipboard.readText()")
    assert line.startswith("curl ")
    return line


def watches_her_session_appear(page: Page, line: str) -> None:
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_text("rosa owns no session yet")).to_be_visible()
    assert run(line)["status"] == "ok"
    session = page.get_by_role("link", name="hello-rosa")
    expect(session).to_be_visible(timeout=APPEARS)
    session.click()
    expect(page.locator("#m1")).to_contain_text("Hello")


def sees_what_she_sees(page: Page) -> None:
    page.get_by_role("link", name="Users").click()
    page.get_by_role("link", name="rosa").click()
    page.get_by_role("link", name="View as rosa").click()
    page.get_by_label("Reason").fill("To see whether she finds her session")
    page.get_by_role("button", name="Begin to view").click()
    banner = page.locator(".view-banner")
    expect(banner).to_contain_text("rosa")
    expect(page.get_by_role("link", name="hello-rosa")).to_be_visible()
    expect(page.get_by_role("link", name="Users")).to_have_count(0)
    banner.get_by_role("button", name="Leave view").click()
    expect(banner).to_have_count(0)


def revokes_her_key(page: Page) -> None:
    page.get_by_role("link", name="Users").click()
    page.get_by_role("link", name="rosa").click()
    page.get_by_role("link", name=re.compile("^Revoke key")).click()
    page.get_by_role("button", name="Revoke key default").click()
    expect(page.get_by_text("No key: no program can act as rosa.")).to_be_visible()
