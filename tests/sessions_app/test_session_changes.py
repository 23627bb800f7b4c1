"""Changing a session from its page."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.principals.models import AuditEvent
from sessions_app.models import Archive, Session
from tests.sessions_app.work import fail_archive

PAGE = "/a/north/sessions/s1"


@pytest.fixture
def browser(sign_in, api, cast):
    api.say(cast.bob.headers, "s1")
    return sign_in("alice")


@pytest.fixture
def stored(cast):
    def read() -> Session | None:
        with tenancy.account(cast.north):
            return Session.objects.filter(session_id="s1").first()

    return read


def test_a_title_is_changed_and_changed_back(browser, stored):
    answer = browser.post(f"{PAGE}/title", {"title": "Spring trip"})
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    assert stored().title == "Spring trip"
    page = browser.get(PAGE).content.decode()
    assert "It is called “Spring trip” now." in page
    assert f'action="{PAGE}/title"' in page
    assert '<input type="hidden" name="title" value="">' in page
    browser.post(f"{PAGE}/title", {"title": ""})
    assert stored().title == ""


def test_a_title_that_is_too_long_is_refused_beside_its_field(browser, stored):
    answer = browser.post(f"{PAGE}/title", {"title": "x" * 301})
    assert answer.status_code == 422
    assert b"A title has at most 300 characters." in answer.content
    assert stored().title == ""


def test_a_session_is_ended_and_opened_again(browser, stored, api, cast):
    browser.post(f"{PAGE}/state", {"state": "ended"})
    assert stored().state == "ended"
    assert api.say(cast.bob.headers, "s1").status == 412
    page = browser.get(PAGE).content.decode()
    assert "The session has ended" in page
    assert '<input type="hidden" name="state" value="active">' in page
    browser.post(f"{PAGE}/state", {"state": "active"})
    assert stored().state == "active"
    assert api.say(cast.bob.headers, "s1").status == 200


@pytest.mark.parametrize("state", ["", "asleep"])
def test_an_unknown_state_changes_nothing(browser, stored, state):
    assert browser.post(f"{PAGE}/state", {"state": state}).status_code == 404
    assert stored().state == "active"


def test_what_is_in_no_archive_is_archived_with_its_number(browser, api, cast):
    api.say(cast.bob.headers, "s1")
    assert "Archive 2 messages" in browser.get(PAGE).content.decode()
    browser.post(f"{PAGE}/commit")
    page = browser.get(PAGE).content.decode()
    assert "2 messages archived; the summary is on its way." in page
    assert "Archive 2 messages" not in page
    browser.post(f"{PAGE}/commit")
    assert "Nothing was archived" in browser.get(PAGE).content.decode()
    with tenancy.account(cast.north):
        assert Archive.objects.count() == 1


def test_a_failed_archive_stops_the_next_one_and_the_page_says_so(browser, api, cast):
    browser.post(f"{PAGE}/commit")
    fail_archive(cast.north, "s1")
    api.say(cast.bob.headers, "s1")
    browser.get(PAGE)
    browser.post(f"{PAGE}/commit")
    page = browser.get(PAGE).content.decode()
    assert "Nothing was archived. archive_001 failed; retry or skip it first." in page


def test_a_session_is_deleted_after_what_goes_was_shown(browser, stored, cast):
    asked = browser.get(f"{PAGE}/delete").content.decode()
    assert "Delete this session and 1 message?" in asked
    assert "Delete session and 1 message</button>" in asked
    assert stored() is not None
    answer = browser.post(f"{PAGE}/delete")
    assert (answer.status_code, answer["Location"]) == (303, "/a/north/sessions")
    assert "“s1” and 1 message were deleted." in browser.get(answer["Location"]).content.decode()
    assert stored() is None
    with tenancy.account(cast.north):
        assert AuditEvent.objects.filter(action="session.deleted").count() == 1
    assert browser.post(f"{PAGE}/delete").status_code == 404


def test_a_user_deletes_nothing_and_is_offered_nothing_to_delete(sign_in, browser, stored):
    bob = sign_in("bob")
    assert "Delete session" not in bob.get(PAGE).content.decode()
    assert "Delete session" in browser.get(PAGE).content.decode()
    assert bob.post(f"{PAGE}/delete").status_code == 403
    assert stored() is not None


@pytest.mark.parametrize(
    ("what", "data"), [("title", {"title": "Mine"}), ("state", {"state": "ended"}), ("commit", {})]
)
def test_who_does_not_see_a_session_does_not_change_it(
    what, data, sign_in, browser, stored, set_policy, cast
):
    set_policy(sessions_visible_to="participants")
    assert sign_in("beth").post(f"{PAGE}/{what}", data).status_code == 404
    assert sign_in("charlie").post(f"/a/south/sessions/s1/{what}", data).status_code == 404
    assert (stored().title, stored().state) == ("", "active")
    assert sign_in("bob").post(f"{PAGE}/{what}", data).status_code == 303


def test_a_view_changes_no_session(browser, stored):
    browser.post("/a/north/view", {"user": "bob", "reason": "Ticket 7"})
    for what, data in (("title", {"title": "Mine"}), ("state", {"state": "ended"}), ("delete", {})):
        assert browser.post(f"{PAGE}/{what}", data).status_code == 403
    assert (stored().title, stored().state) == ("", "active")
