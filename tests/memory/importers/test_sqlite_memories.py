"""Format B, memories: what they say, how much they matter, whose they are."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import pytest

from memory.importers.plain import SourceName, SourceSender
from memory.importers.sqlite import SqliteSource
from memory.models import KINDS, MAX_TOPIC_KEY, Salience, Source
from memory.services.checks import MAX_TOPIC
from tests.memory.importers.fixtures_jsonl import contents, dated, told
from tests.memory.importers.fixtures_sqlite import about, brain_db, keep, sessions_db

DAY = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.fixture
def brain(tmp_path):
    return brain_db(tmp_path)


def kept(tmp_path):
    return {one.key: one for one in SqliteSource(tmp_path).memories()}


def test_a_memory_comes_with_all_it_has(tmp_path, brain):
    keep(
        brain, id="m1", key="user_drinks", content="Likes tea", category="core", embedding=b"\1\2",
        session_id="gw_7", namespace="work", importance=0.95,
    )  # fmt: skip
    before = contents(tmp_path)
    memory = kept(tmp_path)["m1"]
    assert (memory.content, memory.topic_key, memory.kind) == ("Likes tea", "user_drinks", "facts")
    assert (memory.at, memory.salience, memory.session) == (DAY, "critical", "gw_7")
    assert (memory.topics, memory.source, memory.state) == (
        ("namespace:work",),
        "imported",
        "active",
    )
    assert (memory.sender, memory.agent, memory.scope) == (None, None, "user")
    assert contents(tmp_path) == before


def test_a_file_of_an_older_version_is_read(tmp_path):
    keep(brain_db(tmp_path, later=False), id="m1", key="k", content="Likes tea")
    (memory,) = SqliteSource(tmp_path / "memory" / "brain.db").memories()
    assert (memory.salience, memory.topics, memory.session) == ("medium", (), None)


@pytest.mark.parametrize(
    ("category", "kind", "source", "topics"),
    [
        ("core", "facts", "imported", ()),
        ("daily", "events", "imported", ()),
        ("conversation", "facts", "conversation", ()),
        ("custom", "facts", "imported", ()),
        ("Recipes", "facts", "imported", ("category:recipes",)),
    ],
)
def test_categories_become_kinds(tmp_path, brain, category, kind, source, topics):
    keep(brain, id="m1", key="k", content="x", category=category)
    memory = kept(tmp_path)["m1"]
    assert (memory.kind, memory.source, memory.topics) == (kind, source, topics)
    assert kind in KINDS
    assert source in Source.values


@pytest.mark.parametrize(
    ("weights", "saliences"),
    [
        ((0, 0.29, 0.3, 0.5, 0.7, 0.9, 1), "low low medium medium high critical critical"),
        ((0, 1, 5, 7, 10), "low low medium high critical"),
        ((None, "0.8", "much", -1, 99, float("inf")), "medium high medium medium medium medium"),
    ],
)
def test_importance_is_read_on_the_scale_of_its_file(tmp_path, brain, weights, saliences):
    for number, weight in enumerate(weights):
        keep(brain, id=f"m{number}", key=f"k{number}", content="x", importance=weight)
    source = SqliteSource(tmp_path)
    found = [one.salience for one in source.memories()]
    assert found == saliences.split()
    assert set(found) <= set(Salience.values)
    wrong = sum(str(one) in {"much", "-1", "99", "inf"} for one in weights)
    assert [lost for _, _, lost in told(source)] == [0] * wrong


def test_what_superseded_a_memory_is_named_by_id_or_by_key(tmp_path, brain):
    for name, by in (("m1", "m2"), ("m2", "key3"), ("m3", None), ("m4", "gone"), ("m5", "m5")):
        keep(brain, id=name, key=f"key{name[1]}", content="x", superseded_by=by)
    source = SqliteSource(tmp_path)
    for _ in range(2):
        found = {one.key: (one.state, one.superseded_by) for one in source.memories()}
        assert found == {
            "m1": ("superseded", "m2"),
            "m2": ("superseded", "m3"),
            "m3": ("active", None),
            "m4": ("superseded", None),
            "m5": ("superseded", None),
        }
        assert [where for where, _, _ in told(source)] == [
            "brain.db memories m4",
            "brain.db memories m5",
        ]


def test_what_a_stranger_said_stays_with_the_stranger(tmp_path, brain):
    sessions = sessions_db(tmp_path)
    about(
        sessions, "s1", agent_alias="max", channel_id="slack", room_id="U.1", sender_id="U.1"
    )  # fmt: skip
    rows = {
        "exact": ("k1", "core", "s1"),
        "by-key": ("k2", "conversation", "telegram_5_5"),
        "group": ("k3", "core", "telegram_-100_bob"),
        "no-session": ("telegram_bob_77", "conversation", None),
        "own": ("user_msg_1", "conversation", None),
        "named-so": ("telegram_bot_token_hint", "core", None),
    }
    for name, (key, category, session) in rows.items():
        keep(brain, id=name, key=key, content="x", category=category, session_id=session)
    found = kept(tmp_path)
    assert {key: one.sender for key, one in found.items()} == {
        "exact": SourceSender("slack", "U.1"),
        "by-key": SourceSender("telegram", "5"),
        "group": SourceSender("telegram", "-100", "group"),
        "no-session": SourceSender("telegram", "unknown"),
        "own": None,
        "named-so": None,
    }
    assert found["exact"].agent == SourceName("max")


def test_strange_values_are_told_and_never_stop_the_rest(tmp_path):
    path = tmp_path / "brain.db"
    database = sqlite3.connect(path)
    database.execute(
        "CREATE TABLE memories (id, key, content, category, created_at, updated_at, session_id,"
        " namespace, importance, superseded_by)"
    )
    rows = [
        ("m1", "k" * 400, "long key", 7, "never", "2024-06-01", 9, "n" * 300, b"\xff", None),
        ("m2", b"k\xff", b"a\0b\xff", None, None, None, b"\xff", None, None, 5.5),
        (None, None, "no id", "core", 1_717_200_000, None, None, "", None, ""),
        ("m4", "k4", "  ", "core", "2024-06-01", None, None, None, None, None),
        ("m5", "k5", None, "core", "2024-06-01", None, None, None, None, None),
        ("m\0", "k6", "id", "core", -1, None, None, None, None, None),
    ]
    database.executemany(f"INSERT INTO memories VALUES ({', '.join('?' * 10)})", rows)
    database.commit()
    database.close()
    dated(path)
    source = SqliteSource(path)
    found = {one.key: one for one in source.memories()}
    assert [one.content for one in found.values()] == ["long key", "ab\ufffd", "no id", "id"]
    assert list(found) == ["m1", "m2", "row 3", "row 6"]
    first, second, third, last = found.values()
    assert len(first.topic_key) == MAX_TOPIC_KEY
    assert max(map(len, first.topics)) == MAX_TOPIC
    assert (first.at, third.at) == (DAY, DAY)
    assert second.at == last.at == datetime(2024, 5, 17, 6, 45, 12, tzinfo=UTC)
    assert sum(lost for _, _, lost in told(source)) == 2


def test_memories_without_sessions_and_the_other_way_round_are_no_matter(tmp_path, brain):
    keep(brain, id="m1", key="k", content="x", session_id="telegram_5_5")
    source = SqliteSource(tmp_path)
    assert list(source.sessions()) == []
    assert [one.sender for one in source.memories()] == [SourceSender("telegram", "5")]
    assert list(source.extractions()) == []
    assert source.default_users() == frozenset()
