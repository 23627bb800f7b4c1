"""Following a session: what comes in is asked for every few seconds."""

from __future__ import annotations

import re

import pytest

from accounts import tenancy
from accounts.principals.models import AuditEvent
from sessions_app.models import Session

PAGE = "/a/north/sessions/s1"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def browser(sign_in, api, cast):
    api.say(cast.bob.headers, "s1", "First words")
    return sign_in("alice")


def tail_of(answer) -> str:
    found = re.search(r'hx-get="([^"]+after=[^"]+)"', answer.content.decode())
    assert found is not None
    return found[1].replace("&amp;", "&")


def test_an_open_session_offers_to_be_followed(browser):
    offered = browser.get(PAGE).content.decode()
    assert f'href="{PAGE}?follow=1#live-end"' in offered
    assert "every 4s" not in offered
    followed = browser.get(f"{PAGE}?follow=1").content.decode()
    assert 'hx-trigger="every 4s"' in followed
    assert f'href="{PAGE}#live-end"' in followed
    assert "Check again" in followed


def test_only_what_came_since_comes_in(browser, api, cast):
    tail = tail_of(browser.get(f"{PAGE}?follow=1"))
    nothing = browser.get(tail, headers=HTMX)
    assert b"First words" not in nothing.content
    assert b'id="live"' not in nothing.content
    assert tail_of(nothing) == tail
    api.say(cast.beth.headers, "s1", "Second words")
    api.say(cast.beth.headers, "s1", "Third words")
    answer = browser.get(tail, headers=HTMX)
    came = answer.content.decode()
    assert [int(seq) for seq in re.findall(r'id="m(\d+)"', came)] == [2, 3]
    assert "First words" not in came
    assert re.search(
        r'<p id="live" hx-swap-oob="innerHTML">2 new messages, the last by beth<', came
    )
    assert "3 messages" in came
    assert "<html" not in came
    assert b"Third words" not in browser.get(tail_of(answer), headers=HTMX).content


def test_without_a_script_the_same_address_is_the_page(browser):
    tail = tail_of(browser.get(f"{PAGE}?follow=1"))
    assert browser.get(tail).content.startswith(b"<!DOCTYPE html>")
    boosted = browser.get(tail, headers={**HTMX, "HX-Boosted": "true"})
    assert boosted.content.startswith(b"<!DOCTYPE html>")


def test_more_than_a_page_comes_in_page_by_page(browser, api, cast, monkeypatch):
    monkeypatch.setattr("sessions_app.views.sessions.PAGE", 2)
    tail = tail_of(browser.get(f"{PAGE}?follow=1"))
    for number in range(3):
        api.say(cast.bob.headers, "s1", f"Number {number}")
    first = browser.get(tail, headers=HTMX)
    second = browser.get(tail_of(first), headers=HTMX)
    seqs = [re.findall(r'id="m(\d+)"', answer.content.decode()) for answer in (first, second)]
    assert seqs == [["2", "3"], ["4"]]


def test_an_ended_session_is_asked_about_no_more(browser, api, cast):
    tail = tail_of(browser.get(f"{PAGE}?follow=1"))
    api("PATCH", "/sessions/s1", cast.bob.headers, {"state": "ended"})
    for answer in (browser.get(tail, headers=HTMX), browser.get(f"{PAGE}?follow=1")):
        assert b"This session has ended" in answer.content
        assert b"every 4s" not in answer.content


def test_an_empty_session_can_be_followed(browser, api, cast):
    api.post("/sessions", cast.bob.headers, {"session_id": "empty"})
    assert b"Follow this session" in browser.get("/a/north/sessions/empty").content
    tail = tail_of(browser.get("/a/north/sessions/empty?follow=1"))
    api.say(cast.bob.headers, "empty", "At last")
    assert b"At last" in browser.get(tail, headers=HTMX).content


def test_older_pages_do_not_follow(browser, api, cast, monkeypatch):
    monkeypatch.setattr("sessions_app.views.sessions.PAGE", 1)
    api.say(cast.bob.headers, "s1", "Second words")
    assert b'id="live-end"' in browser.get(PAGE).content
    assert b'id="live-end"' not in browser.get(f"{PAGE}?before=2").content


def test_asking_writes_nothing_but_the_hours_note(browser, cast, django_assert_num_queries):
    tail = tail_of(browser.get(f"{PAGE}?follow=1"))

    def events() -> int:
        with tenancy.account(cast.north):
            return AuditEvent.objects.count()

    before = events()
    for _ in range(3):
        assert browser.get(tail, headers=HTMX).status_code == 200
    assert events() == before


def test_a_follower_loses_the_session_with_the_right_to_see_it(sign_in, api, cast, set_policy):
    set_policy(sessions_visible_to="account")
    api.say(cast.beth.headers, "s1", "First words")
    browser = sign_in("bob")
    tail = tail_of(browser.get(f"{PAGE}?follow=1"))
    assert browser.get(tail, headers=HTMX).status_code == 200
    set_policy(sessions_visible_to="participants")
    assert browser.get(tail, headers=HTMX).status_code == 404


def test_an_ended_sign_in_is_told_to_the_follower(browser):
    tail = tail_of(browser.get(f"{PAGE}?follow=1"))
    browser.logout()
    assert browser.get(tail, headers=HTMX)["HX-Redirect"].startswith("/sign-in?next=")


def test_a_view_follows_too(sign_in, browser, api, cast):
    browser.post("/a/north/view", {"user": "bob", "reason": "Ticket 7"})
    tail = tail_of(browser.get(f"{PAGE}?follow=1"))
    api.say(cast.bob.headers, "s1", "Second words")
    assert b"Second words" in browser.get(tail, headers=HTMX).content
    with tenancy.account(cast.north):
        assert Session.objects.get(session_id="s1").message_count == 2
