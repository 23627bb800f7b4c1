"""Get-or-create: one current session for each owner, agent, contact and thread."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import tenancy
from sessions_app.models import Session
from tests.rows import row_counts


@pytest.fixture
def start(api, cast):
    """start(headers, thread_key="t", …) → the result; Bob's when no headers are given."""

    def call(headers: dict[str, str] | None = None, **body):
        return api.post("/sessions/start", headers or cast.bob.headers, body).result

    return call


@pytest.fixture
def idle_after(api, cast):
    """idle_after(hours) sets the account's limit."""

    def change(hours: int) -> None:
        path = "/admin/accounts/north/settings"
        assert api("PATCH", path, cast.alice.headers, {"session_idle_hours": hours}).status == 200

    return change


def silent_for(account, session_id: str, **time: float) -> None:
    """As if the session's last message were that old."""
    with tenancy.account(account):
        Session.objects.filter(session_id=session_id).update(
            last_activity_at=timezone.now() - timedelta(**time)
        )


def peer(headers: dict[str, str], name: str) -> dict[str, str]:
    return {**headers, "X-OpenViking-Actor-Peer": name}


def test_first_call_creates_and_the_second_finds(start):
    made = start(title="Trip", metadata={"a": 1})
    assert made["is_existing"] is False
    assert (made["title"], made["metadata"], made["state"]) == ("Trip", {"a": 1}, "active")
    again = start(title="Another title")
    assert again == {**made, "is_existing": True}


def test_no_body_is_an_empty_one(api, cast, start):
    made = api("POST", "/sessions/start", cast.bob.headers)
    assert made.status == 200
    assert start()["session_id"] == made.result["session_id"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"thread_key": "a"}),
        ({"thread_key": "a"}, {}),
        ({"thread_key": "a"}, {"thread_key": "b"}),
        ({"thread_key": "a"}, {"thread_key": "A"}),
        ({"thread_key": "a"}, {"thread_key": " a"}),
        ({"agent_id": "ada"}, {"agent_id": "max"}),
        ({"agent_id": "ada"}, {}),
    ],
)
def test_another_thread_or_agent_is_another_session(start, first, second):
    one, two = start(**first), start(**second)
    assert one["session_id"] != two["session_id"]
    assert (one["is_existing"], two["is_existing"]) == (False, False)
    assert start(**first) == {**one, "is_existing": True}
    assert start(**second) == {**two, "is_existing": True}


def test_agent_of_body_and_header_are_the_same(cast, start):
    made = start(agent_id="ada")
    again = start({**cast.bob.headers, "X-Bailiwick-Agent": "ADA"})
    assert (again["session_id"], again["is_existing"]) == (made["session_id"], True)
    assert made["user"]["agent_id"] == "ada"


def test_another_user_gets_another_session(cast, start):
    mine = start()
    theirs = start(cast.beth.headers)
    assert theirs["session_id"] != mine["session_id"]
    assert theirs["user"]["user_id"] == "beth"


def test_admin_for_a_user_finds_that_users_session(cast, start):
    mine = start()
    for headers in (cast.alice_as("bob"), cast.root_as("bob")):
        assert start(headers) == {**mine, "is_existing": True}
    assert start(cast.alice.headers)["session_id"] != mine["session_id"]


# --- contacts ---


def test_contact_has_sessions_of_its_own(cast, start):
    bob = cast.bob.headers
    own, walter, willy = start(), start(peer(bob, "walter")), start(peer(bob, "willy"))
    assert len({own["session_id"], walter["session_id"], willy["session_id"]}) == 3
    assert own["contact_id"] is None
    assert walter["contact_id"] != willy["contact_id"]
    assert start() == {**own, "is_existing": True}
    assert start(peer(bob, "walter")) == {**walter, "is_existing": True}


def test_contact_of_the_body_is_the_contact_of_the_header(cast, start):
    made = start(peer(cast.bob.headers, "walter"), thread_key="t")
    again = start(contact_id=made["contact_id"], thread_key="t")
    assert again == {**made, "is_existing": True}
    assert start(contact_id="peer:walter", thread_key="t") == again


def test_thread_of_a_contact_is_not_that_of_its_owner(cast, start):
    own = start(thread_key="t")
    theirs = start(peer(cast.bob.headers, "walter"), thread_key="t")
    assert own["session_id"] != theirs["session_id"]


def test_admin_naming_the_contact_acts_for_its_owner(cast, start):
    made = start(peer(cast.bob.headers, "walter"))
    found = start({**cast.alice.headers, "X-Bailiwick-Contact": made["contact_id"]})
    assert found == {**made, "is_existing": True}
    assert found["user"]["user_id"] == "bob"


def test_contact_of_another_user_is_refused(api, cast, start):
    made = start(peer(cast.bob.headers, "walter"))
    body = {"contact_id": made["contact_id"]}
    assert api.post("/sessions/start", cast.beth.headers, body).status == 403


# --- what ends currency ---


def test_force_new_begins_anew_and_keeps_the_old_one(api, cast, start):
    old = start(thread_key="t")
    new = start(thread_key="t", force_new=True)
    assert (new["session_id"] != old["session_id"], new["is_existing"]) == (True, False)
    assert start(thread_key="t") == {**new, "is_existing": True}
    kept = api.get(f"/sessions/{old['session_id']}", cast.bob.headers).result
    assert kept["state"] == "active"
    assert api.say(cast.bob.headers, old["session_id"]).status == 200
    assert start(thread_key="t")["session_id"] == new["session_id"]


def test_force_new_touches_its_own_thread_only(start):
    without, other = start(), start(thread_key="other")
    start(thread_key="t", force_new=True)
    assert start() == {**without, "is_existing": True}
    assert start(thread_key="other") == {**other, "is_existing": True}


def test_force_new_is_for_a_contact_too(cast, start):
    own = start()
    walter = peer(cast.bob.headers, "walter")
    old = start(walter)
    new = start(walter, force_new=True)
    assert new["session_id"] not in {own["session_id"], old["session_id"]}
    assert start() == {**own, "is_existing": True}


def test_ended_session_is_current_no_longer(api, cast, start):
    old = start()
    path = f"/sessions/{old['session_id']}"
    assert api("PATCH", path, cast.bob.headers, {"state": "ended"}).status == 200
    new = start()
    assert (new["session_id"] != old["session_id"], new["is_existing"]) == (True, False)
    # Reopening does not make it current again: get-or-create alone does.
    assert api("PATCH", path, cast.bob.headers, {"state": "active"}).status == 200
    assert start() == {**new, "is_existing": True}


def test_reopened_session_is_not_found_when_no_other_was_begun(api, cast, start):
    old = start()
    path = f"/sessions/{old['session_id']}"
    for state in ("ended", "active"):
        api("PATCH", path, cast.bob.headers, {"state": state})
    assert start()["session_id"] != old["session_id"]


def test_session_that_ends_in_the_same_moment(cast, start, monkeypatch):
    """Someone begins one just before the attempt to insert, and ends it before the look at it."""
    old = start()
    with tenancy.account(cast.north):
        manager = Session.objects
        Session.objects.update(is_current=False)
    insert = manager.bulk_create

    def insert_too_late(rows, **options):
        others = Session.objects.filter(session_id=old["session_id"])
        others.update(is_current=True)
        done = insert(rows, **options)
        monkeypatch.undo()
        others.update(state=Session.State.ENDED, is_current=False)
        return done

    monkeypatch.setattr(manager, "bulk_create", insert_too_late)
    new = start()
    assert (new["session_id"] != old["session_id"], new["is_existing"]) == (True, False)


def test_deleted_session_is_current_no_longer(api, cast, start):
    old = start()
    api("DELETE", f"/sessions/{old['session_id']}", cast.alice.headers)
    assert start()["is_existing"] is False


def test_idle_session_is_current_no_longer(api, cast, start, idle_after):
    idle_after(2)
    old = start(thread_key="t")
    silent_for(cast.north, old["session_id"], hours=1.9)
    assert start(thread_key="t") == {**old, "is_existing": True}
    silent_for(cast.north, old["session_id"], hours=2.1)
    new = start(thread_key="t")
    assert new["session_id"] != old["session_id"]
    kept = api.get(f"/sessions/{old['session_id']}", cast.bob.headers).result
    assert kept["state"] == "idle"


def test_idle_hours_of_zero_mean_never(cast, start):
    old = start()
    silent_for(cast.north, old["session_id"], days=3000)
    assert start() == {**old, "is_existing": True}


def test_message_keeps_a_session_current(api, cast, start, idle_after):
    idle_after(1)
    old = start()
    silent_for(cast.north, old["session_id"], hours=5)
    api.say(cast.bob.headers, old["session_id"])
    assert start() == {**old, "is_existing": True}


# --- what does not make a session current ---


def test_only_get_or_create_makes_a_session_current(api, cast, start):
    made = api.post("/sessions", cast.bob.headers, {"session_id": "made"}).result
    api.say(cast.bob.headers, "by-message")
    api.get("/sessions/by-reading", cast.bob.headers, auto_create="true")
    fork = {"session_id": "fork", "parent_session_id": made["session_id"]}
    api.post("/sessions", cast.bob.headers, fork)
    found = start()
    assert found["is_existing"] is False
    assert found["session_id"] not in {"made", "by-message", "by-reading", "fork"}


def test_created_session_with_the_same_thread_does_not_disturb_the_current_one(api, cast, start):
    current = start(thread_key="t")
    for session_id in ("other-1", "other-2"):
        body = {"session_id": session_id, "thread_key": "t"}
        assert api.post("/sessions", cast.bob.headers, body).status == 200
    assert start(thread_key="t") == {**current, "is_existing": True}


# --- refusals ---


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"thread_key": ""}, 400),
        ({"thread_key": "x" * 256}, 400),
        ({"thread_key": 5}, 422),
        ({"agent_id": "no spaces"}, 400),
        ({"agent_id": ""}, 400),
        ({"contact_id": "nonsense"}, 400),
        ({"contact_id": "pigeon:7"}, 400),
        ({"contact_id": "01234567-89ab-7def-8123-456789abcdef"}, 403),
        ({"title": "x" * 301}, 400),
        ({"title": None}, 422),
        ({"metadata": []}, 422),
        ({"force_new": "maybe"}, 422),
        ({"session_id": "mine"}, 422),  # a new route refuses unknown fields
        ({"color": "blue"}, 422),
    ],
)
def test_refused_body_leaves_nothing_behind(api, cast, body, status):
    before = row_counts(cast.north)
    assert api.post("/sessions/start", cast.bob.headers, body).status == status
    assert row_counts(cast.north) == before


def test_absent_contact_is_not_found_by_an_admin(api, cast):
    body = {"contact_id": "01234567-89ab-7def-8123-456789abcdef"}
    assert api.post("/sessions/start", cast.alice.headers, body).status == 404


def test_unknown_peer_in_the_body_is_not_found(api, cast):
    assert api.post("/sessions/start", cast.bob.headers, {"contact_id": "peer:new"}).status == 404


def test_contact_of_the_body_that_contradicts_the_header_is_a_conflict(api, cast, start):
    bob = cast.bob.headers
    walter = start(peer(bob, "walter"))
    body = {"contact_id": walter["contact_id"]}
    assert api.post("/sessions/start", peer(bob, "willy"), body).status == 409


def test_repeated_request_gets_the_same_answer(api, cast):
    headers = {**cast.bob.headers, "Idempotency-Key": "k1"}
    body = {"force_new": True}
    first, second = (api.post("/sessions/start", headers, body) for _ in range(2))
    assert second.result == first.result
    assert api.post("/sessions/start", headers, {"force_new": False}).status == 422
