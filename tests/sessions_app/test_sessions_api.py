"""Making, reading and listing sessions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import tenancy
from sessions_app.models import Session
from sessions_app.selectors import SessionFilter, session_page
from tests.rows import row_counts

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def ids(answer):
    return [row["session_id"] for row in answer.result]


def test_it_works(api, cast):
    sent = {
        "session_id": "porto",
        "agent_id": "ada",
        "thread_key": "t/1",
        "title": "Spring in Porto",
        "metadata": {"trip": [1, {"a": None}]},
    }
    made = api.post("/sessions", cast.bob.headers, sent).result
    assert made.pop("created_at")
    assert made == {
        "session_id": "porto",
        "uri": "viking://session/porto",
        "state": "active",
        "user": {"account_id": "north", "user_id": "bob", "agent_id": "ada"},
        "title": "Spring in Porto",
        "thread_key": "t/1",
        "parent_session_id": None,
        "metadata": {"trip": [1, {"a": None}]},
        "contact_id": None,
        "memory_paused": False,
        "ended_at": None,
    }
    detail = api.get("/sessions/porto", cast.beth.headers).result
    assert {name: detail[name] for name in made} == made
    assert (detail["message_count"], detail["participant_user_ids"]) == (0, [])


def test_generated_ids_are_valid_and_unique(api, cast):
    made = [api.post("/sessions", cast.bob.headers).result["session_id"] for _ in range(3)]
    assert len(set(made)) == 3
    for session_id in made:
        assert api.get(f"/sessions/{session_id}", cast.bob.headers).status == 200


@pytest.mark.parametrize("spelling", ["porto", "Porto", "PORTO"])
def test_taken_id_is_refused_in_any_case(api, cast, spelling):
    assert api.post("/sessions", cast.bob.headers, {"session_id": "pOrto"}).status == 200
    before = row_counts(cast.north)
    refused = api.post("/sessions", cast.bob.headers, {"session_id": spelling})
    assert (refused.status, refused.code) == (409, "ALREADY_EXISTS")
    assert row_counts(cast.north) == before
    assert api.post("/sessions", cast.charlie.headers, {"session_id": spelling}).status == 200


def test_taken_id_is_refused_also_when_it_cannot_be_seen(api, cast, set_policy):
    api.post("/sessions", cast.bob.headers, {"session_id": "porto"})
    set_policy(sessions_visible_to="participants")
    refused = api.post("/sessions", cast.beth.headers, {"session_id": "porto"})
    assert (refused.status, refused.code) == (409, "ALREADY_EXISTS")
    assert "bob" not in str(refused.body)


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        *(("session_id", value, 400) for value in ("", "a b", "x" * 129, "a.b", "é", "a/b")),
        *(("title", "x" * 301, 400), ("thread_key", "", 400), ("thread_key", "x" * 256, 400)),
        *(("parent_session_id", "a b", 400), ("parent_session_id", "absent", 404)),
        *(("agent_id", "a b", 400), ("agent_id", "root", 400)),
        *((field, 5, 422) for field in ("session_id", "title", "thread_key", "agent_id")),
        *(("title", None, 422), ("metadata", [], 422), ("metadata", "a", 422)),
        *(("metadata", None, 422), ("parent_session_id", {}, 422)),
        # Bob's key is no gateway's: it may name peers of his own only.
        *(("contact_id", "telegram:1", 403), ("contact_id", "peer:nobody", 404)),
        *(("contact_id", "garbage", 400), ("contact_id", "pigeon:1", 400), ("contact_id", 5, 422)),
    ],
)
def test_refused_fields(api, cast, field, value, status):
    before = row_counts(cast.north)
    answer = api.post("/sessions", cast.bob.headers, {"session_id": "s1", field: value})
    assert answer.status == status
    assert row_counts(cast.north) == before


def test_fields_at_their_limits_are_taken(api, cast):
    sent = {"session_id": "x" * 128, "title": "y" * 300, "thread_key": "🧵" * 255}
    assert api.post("/sessions", cast.bob.headers, sent).result["title"] == "y" * 300


@pytest.fixture
def parent(api, cast):
    return api.post("/sessions", cast.bob.headers, {"session_id": "Parent"}).result


@pytest.mark.usefixtures("parent")
class TestForks:
    def fork(self, api, headers):
        return api.post("/sessions", headers, {"session_id": "fork", "parent_session_id": "parent"})

    def test_of_a_visible_parent(self, api, cast):
        made = self.fork(api, cast.beth.headers).result
        assert (made["parent_session_id"], made["user"]["user_id"]) == ("Parent", "beth")
        assert api.get("/sessions/fork", cast.bob.headers).result["parent_session_id"] == "Parent"

    def test_of_an_invisible_parent(self, api, cast, set_policy):
        set_policy(sessions_visible_to="participants")
        refused = self.fork(api, cast.beth.headers)
        assert (refused.status, refused.code) == (404, "NOT_FOUND")
        assert api.get("/sessions/fork", cast.beth.headers).status == 404
        assert self.fork(api, cast.bob.headers).status == 200

    def test_a_parent_that_became_invisible_is_not_named(self, api, cast, set_policy):
        assert self.fork(api, cast.beth.headers).status == 200
        set_policy(sessions_visible_to="participants")
        assert api.get("/sessions/fork", cast.beth.headers).result["parent_session_id"] is None
        admin = api.get("/sessions/fork", cast.alice.headers).result
        assert admin["parent_session_id"] == "Parent"

    def test_a_parent_in_the_other_account_is_absent(self, api, cast):
        assert self.fork(api, cast.charlie.headers).status == 404


@pytest.fixture
def shelf(api, cast):
    """Seven sessions with different owners, agents, states and times, the newest first."""
    for number, (name, owner, agent, thread) in enumerate(
        (
            ("s1", cast.bob, "ada", "t1"),
            ("s2", cast.bob, "max", None),
            ("s3", cast.beth, "ada", "t1"),
            ("s4", cast.beth, "max", "t2"),
            ("s5", cast.alice, "ada", None),
            ("s6", cast.bob, "ada", "T1"),
            ("s7", cast.alice, "default", None),
        )
    ):
        headers = {**owner.headers, "X-Bailiwick-Agent": agent}
        api.post("/sessions", headers, {"session_id": name, "thread_key": thread})
        at = (START + timedelta(hours=number)).isoformat()
        assert api.say(headers, name, f"From {owner.user_id}", created_at=at).status == 200
    with tenancy.account(cast.north):
        Session.objects.filter(session_id="s2").update(state=Session.State.ENDED)
        Session.objects.filter(session_id="s3").update(state=Session.State.IDLE)
    return [f"s{number}" for number in range(7, 0, -1)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "s7 s6 s5 s4 s3 s2 s1"),
        ({"agent": "ada"}, "s6 s5 s3 s1"),
        ({"agent": "ADA", "user": "Bob"}, "s6 s1"),
        ({"agent": "nobody"}, ""),
        ({"user": "bob"}, "s6 s2 s1"),
        ({"user": "charlie"}, ""),
        ({"user": "ada"}, ""),
        ({"participant": "beth"}, "s4 s3"),
        ({"participant": "ada"}, ""),
        ({"thread_key": "t1"}, "s3 s1"),
        ({"thread_key": "t"}, ""),
        ({"state": "active"}, "s7 s6 s5 s4 s1"),
        ({"state": "idle"}, "s3"),
        ({"state": "ended"}, "s2"),
        ({"since": "2026-03-01T16:00:00Z"}, "s7 s6 s5"),
        ({"since": "2026-03-01T16:00:00"}, "s7 s6 s5"),
        ({"since": "2026-03-01T17:00:00+01:00"}, "s7 s6 s5"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "s7 s6 s5 s4 s3 s2 s1"),
        ({"since": "9999-12-31T23:59:59-14:00"}, ""),
        ({"q": "bob"}, "s6 s2 s1"),
        ({"q": "bob", "state": "ended", "agent": "max", "user": "bob"}, "s2"),
        ({"unknown": "x"}, "s7 s6 s5 s4 s3 s2 s1"),
    ],
    ids=str,
)
def test_filters(api, cast, shelf, query, found):
    assert ids(api.get("/sessions", cast.bob.headers, **query)) == found.split()


def test_participant_filter_finds_agents_that_spoke(api, cast, shelf):
    headers = {**cast.bob.headers, "X-Bailiwick-Agent": "max"}
    api.post("/sessions/s1/messages", headers, {"role": "assistant", "content": "Hello"})
    assert ids(api.get("/sessions", cast.bob.headers, participant="MAX")) == ["s1"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        *(({"limit": value}, 400) for value in ("0", "201", "-1", str(10**30))),
        *(({"limit": value}, 422) for value in ("x", "", "1.5", "true")),
        *(({"cursor": value}, 400) for value in ("x", "é", "%", "A" * 300, "bm90aGluZw")),
        ({"cursor": "MjAyNi0wMS0wMQphYmM"}, 400),  # "2026-01-01\nabc"
        *(({"state": value}, 400) for value in ("open", "ACTIVE")),
        *(({"since": value}, 422) for value in ("yesterday", "", str(10**40), "2026-13-01")),
        *(({name: "a\0b"}, 400) for name in ("q", "agent", "user", "participant", "thread_key")),
        *(({"contact": value}, 422) for value in ("telegram:1", "", "x")),
    ],
    ids=str,
)
def test_refused_queries(api, cast, shelf, query, status):
    assert api.get("/sessions", cast.bob.headers, **query).status == status


@pytest.mark.parametrize("limit", [1, 200])
def test_limits_that_are_taken(api, cast, shelf, limit):
    assert len(api.get("/sessions", cast.bob.headers, limit=limit).result) == min(limit, 7)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_give_every_row_once_and_in_order(api, cast, shelf, limit):
    found, cursor = [], ""
    while cursor is not None:
        answer = api.get("/sessions", cast.bob.headers, limit=limit, cursor=cursor)
        assert len(answer.result) <= limit
        found += ids(answer)
        cursor = answer.body["page"]["next"]
    assert found == shelf


def test_pages_part_rows_of_the_same_moment(api, cast):
    at = START.isoformat()
    for number in range(6):
        api.say(cast.bob.headers, f"s{number}", created_at=at)
    found, cursor = [], ""
    while cursor is not None:
        answer = api.get("/sessions", cast.bob.headers, limit=2, cursor=cursor)
        found += ids(answer)
        cursor = answer.body["page"]["next"]
    assert sorted(found) == [f"s{number}" for number in range(6)]


def test_pages_are_stable_while_others_write(api, cast, shelf):
    first = api.get("/sessions", cast.bob.headers, limit=3)
    assert ids(first) == shelf[:3]
    api.say(cast.beth.headers, "new")  # now, so before all of them
    api.say(cast.beth.headers, shelf[0])
    second = api.get("/sessions", cast.bob.headers, limit=3, cursor=first.body["page"]["next"])
    assert ids(second) == shelf[3:6]


def test_a_cursor_shows_nothing_that_the_caller_may_not_see(api, cast, shelf, set_policy):
    first = api.get("/sessions", cast.alice.headers, limit=2)
    set_policy(sessions_visible_to="participants")
    rest = api.get("/sessions", cast.beth.headers, cursor=first.body["page"]["next"])
    assert ids(rest) == ["s4", "s3"]


def test_selector_pages_in_both_directions(cast, shelf, acting):
    actor = acting("bob")

    def page(**where):
        found = session_page(actor=actor, where=SessionFilter(), limit=3, **where)
        return [row.session_id for row in found.rows], found.older, found.newer

    first, older, newer = page()
    assert (first, newer) == (shelf[:3], None)
    second, older_still, newer = page(older_than=older)
    assert second == shelf[3:6]
    third, oldest, newer_than_third = page(older_than=older_still)
    assert (third, oldest) == (shelf[6:], None)
    assert page(newer_than=newer_than_third)[0] == second
    back, _, newest = page(newer_than=newer)
    assert (back, newest) == (first, None)


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("campanhã", True),
        ("campanha", True),
        ("CAMPANHÃ", True),
        ("Campanha\u0303", True),  # decomposed
        ("cafes", True),  # stemmed
        ("porto", False),
        ('"train leaves" campanha', True),
        ("campanha -train", False),
        ("the", False),  # stop words alone find nothing
        ("'\"(:*&|!", False),
    ],
)
def test_search_folds_case_and_accents_of_messages(api, cast, q, found):
    api.say(cast.bob.headers, "s1", "The train leaves Campanhã, past the cafés.")
    assert ids(api.get("/sessions", cast.bob.headers, q=q)) == (["s1"] if found else [])


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("Campanhã", True),
        ("campanhã", True),
        ("campanha", True),
        ("mpan", True),
        ("%", False),
        ("_", False),
        ("\\", False),
    ],
)
def test_search_folds_case_and_accents_of_titles(api, cast, q, found):
    api.post("/sessions", cast.bob.headers, {"session_id": "s1", "title": "Trains: Campanhã"})
    assert ids(api.get("/sessions", cast.bob.headers, q=q)) == (["s1"] if found else [])


def test_list_never_loads_bodies(api, cast, shelf):
    with CaptureQueriesContext(connection) as captured:
        api.get("/sessions", cast.bob.headers)
    assert not any('"parts"' in query["sql"] for query in captured)


@pytest.mark.parametrize(
    "q",
    [
        *(
            "-" * 33,
            "-" * 7_000 + "a",
            "- " * 3_000 + "a",
            '"' * 7_000,
            "(" * 7_000,
            "a or " * 2_000,
        ),
        *("a-" * 3_000, "\\" * 5_000, "ﷺ" * 2_000, ":*", "a<->b", "!a", "a & | b"),
    ],
    ids=lambda q: q[:10],
)
def test_search_takes_or_refuses_any_words(api, cast, q):
    assert api.get("/sessions", cast.bob.headers, q=q).status in (200, 400)
