"""What comes in by itself: a session that is followed, jobs that are waited for."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.live import result

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("live")]
POLLS = 15_000  # ms; three of them and some patience


@pytest.fixture
def talk(server):
    """An account of its own, and say("…") that writes into its session."""
    person = server.person()

    def say(content: str) -> None:
        with server.client(person.headers) as client:
            said = {"role": "user", "content": content}
            result(client.post("/sessions/talk/messages", json=said))

    for number in range(20):
        say(f"Line {number}")
    return person, say


def test_messages_come_in_and_the_reader_stays_where_they_are(open_window, server, talk):
    person, say = talk
    window = open_window(cookies=server.sign_in(person))
    page = window.page
    window.go(f"{person.home}/sessions/talk")
    page.get_by_role("link", name="Follow").last.click()
    end, entries = page.locator("#live-end"), page.locator(".entry")
    expect(end).to_be_in_viewport()
    stop = page.get_by_role("link", name="Stop following")
    stop.focus()
    for number in range(6):
        say(f"New line {number}. " * 30)
    expect(entries).to_have_count(26, timeout=POLLS)
    expect(page.locator("#live")).to_have_text("6 new messages, the last by alice")
    expect(page.locator("#message-count")).to_have_text("26 messages")
    expect(stop).to_be_focused()
    expect(end).to_be_in_viewport(ratio=1)
    page.evaluate("scrollTo(0, 0)")
    say("The very last one")
    expect(entries).to_have_count(27, timeout=POLLS)
    assert page.evaluate("scrollY") == 0
    stop.click()
    expect(page.get_by_role("link", name="Follow").last).to_be_visible()
    expect(entries).to_have_count(27)
    window.is_accessible()


def test_following_ends_with_the_session(open_window, server, talk):
    person, _ = talk
    window = open_window(cookies=server.sign_in(person))
    window.go(f"{person.home}/sessions/talk?follow=1")
    with server.client(person.headers) as client:
        result(client.patch("/sessions/talk", json={"state": "ended"}))
    expect(window.page.get_by_text("This session has ended.")).to_be_visible(timeout=POLLS)
    expect(window.page.locator("[hx-trigger]")).to_have_count(0)


def test_without_a_script_one_checks_again(open_window, server, talk):
    person, say = talk
    window = open_window(cookies=server.sign_in(person), javascript=False)
    page = window.page
    window.go(f"{person.home}/sessions/talk")
    page.get_by_role("link", name="Follow").last.click()
    say("After the first look")
    page.get_by_role("link", name="Check again").click()
    expect(page.get_by_text("After the first look")).to_be_visible()
    say("After the second look")
    page.get_by_role("link", name="Check again").click()
    expect(page.get_by_text("After the second look")).to_be_visible()


def test_jobs_are_asked_about_until_they_are_done(open_window, server, talk):
    person, _ = talk
    with server.client(person.headers) as client:
        result(client.post("/sessions/talk/commit", json={}))
    window = open_window(cookies=server.sign_in(person))
    page = window.page
    window.go(f"{person.home}/jobs")
    cancel = page.get_by_role("button", name="Cancel")
    cancel.focus()
    with page.expect_response("**/jobs", timeout=POLLS):
        pass
    expect(cancel).to_be_focused()
    cancel.click()
    expect(page.get_by_text("The job is cancelled.")).to_be_visible()
    expect(page.get_by_text("cancelled", exact=True)).to_be_visible()
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("The job waits again.")).to_be_visible()
    expect(page.locator(".row-link")).to_have_count(2)
