"""Paging through messages by seq."""

from __future__ import annotations

import pytest


@pytest.fixture
def talk(api, cast):
    """Seven messages."""
    for number in range(1, 8):
        assert api.say(cast.bob.headers, "s1", f"Sentence {number}").status == 200


def seqs(answer):
    return [row["seq"] for row in answer.result]


def test_rows(api, cast, talk):
    row = api.get("/sessions/s1/messages", cast.beth.headers).result[0]
    assert row.pop("id").startswith("msg_")
    assert row.pop("created_at")
    assert row == {
        "seq": 1,
        "role": "user",
        "role_id": "bob",
        "source": None,
        "contact_id": None,
        "parts": [{"type": "text", "text": "Sentence 1"}],
    }


@pytest.mark.parametrize(
    ("query", "found", "following"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7], None),
        ({"limit": 3}, [1, 2, 3], "3"),
        ({"limit": 7}, [1, 2, 3, 4, 5, 6, 7], None),
        ({"after_seq": 0}, [1, 2, 3, 4, 5, 6, 7], None),
        ({"after_seq": 3, "limit": 3}, [4, 5, 6], "6"),
        ({"after_seq": 6}, [7], None),
        ({"after_seq": 7}, [], None),
        ({"after_seq": 2147483647}, [], None),
        ({"before_seq": 4}, [1, 2, 3], "3"),
        ({"before_seq": 6, "limit": 2}, [4, 5], "5"),
        ({"before_seq": 8, "limit": 2}, [6, 7], None),
        ({"before_seq": 2147483647, "limit": 2}, [6, 7], None),
        ({"before_seq": 1}, [], None),
        ({"before_seq": 0}, [], None),
        ({"after_seq": 2, "before_seq": 6}, [3, 4, 5], None),
        ({"after_seq": 2, "before_seq": 6, "limit": 2}, [3, 4], "4"),
        ({"after_seq": 5, "before_seq": 100}, [6, 7], None),
        ({"after_seq": 6, "before_seq": 3}, [], None),
    ],
    ids=str,
)
def test_pages(api, cast, talk, query, found, following):
    answer = api.get("/sessions/s1/messages", cast.bob.headers, **query)
    assert seqs(answer) == found
    assert answer.body["page"] == {"next": following}


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_the_cursor_is_the_next_after_seq(api, cast, talk, limit):
    found, after = [], 0
    while after is not None:
        answer = api.get("/sessions/s1/messages", cast.bob.headers, after_seq=after, limit=limit)
        found += seqs(answer)
        after = answer.body["page"]["next"]
    assert found == [1, 2, 3, 4, 5, 6, 7]


def test_what_is_written_between_pages_comes_last(api, cast, talk):
    first = api.get("/sessions/s1/messages", cast.bob.headers, limit=6)
    api.say(cast.beth.headers, "s1", "Sentence 8", created_at="2001-01-01T00:00:00Z")
    after = first.body["page"]["next"]
    assert seqs(api.get("/sessions/s1/messages", cast.bob.headers, after_seq=after)) == [7, 8]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        *(({"limit": value}, 400) for value in ("0", "201", "-1")),
        *(({"limit": value}, 422) for value in ("x", "1.5")),
        *(({name: "-1"}, 400) for name in ("after_seq", "before_seq")),
        *(({name: "2147483648"}, 400) for name in ("after_seq", "before_seq")),
        *(({name: "9" * 5000}, 422) for name in ("after_seq", "before_seq")),
        *(({name: "x"}, 422) for name in ("after_seq", "before_seq")),
    ],
    ids=lambda value: str(value)[:40],
)
def test_refused_queries(api, cast, talk, query, status):
    assert api.get("/sessions/s1/messages", cast.bob.headers, **query).status == status


def test_empty_session(api, cast):
    api.post("/sessions", cast.bob.headers, {"session_id": "s1"})
    for query in ({}, {"before_seq": 5}, {"after_seq": 5}):
        answer = api.get("/sessions/s1/messages", cast.bob.headers, **query)
        assert (answer.result, answer.body["page"]) == ([], {"next": None})


def test_absent_session(api, cast):
    assert api.get("/sessions/s1/messages", cast.bob.headers).status == 404
    assert api.get("/sessions/a b/messages", cast.bob.headers).status == 400
