"""Format B, conversations: every row comes out once and in order, from every version's tables."""

from __future__ import annotations

import sqlite3
import tempfile
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory.importers import sqlite_files
from memory.importers.plain import SourceName, SourceSender, UnreadableSource
from memory.importers.sqlite import SqliteSource
from tests.memory.importers.fixtures_jsonl import contents, dated, read, told
from tests.memory.importers.fixtures_sqlite import (
    LOOSE,
    about,
    insert,
    receipt,
    say,
    sessions_db,
)

T1, T2 = "2024-05-01T08:00:00.123456789+00:00", "2024-05-01T10:00:00+02:00"
AT1, AT2 = datetime(2024, 5, 1, 8, 0, 0, 123456, UTC), datetime(2024, 5, 1, 8, tzinfo=UTC)
TALK = [("user", "Hello", T1), ("assistant", "Good morning", T2)]
SAID = [("user", "Hello"), ("assistant", "Good morning")]
ROLES = st.sampled_from(["user", "assistant", "system", "tool"])
SPAN = timedelta(days=20_000)
TIMES = st.timedeltas(timedelta(0), SPAN).map(
    lambda since: datetime(1970, 1, 1, tzinfo=UTC) + since
)
KEYS = st.text(max_size=20)  # surrogates cannot be written
FORMS = [
    lambda at: at.isoformat(),
    lambda at: at.replace(tzinfo=None).isoformat(" "),
    lambda at: at.isoformat().replace("+00:00", "Z"),
]


@settings(max_examples=40)
@given(
    st.lists(st.tuples(KEYS, ROLES, st.text(), TIMES), max_size=8),
    st.sampled_from(["bare", "older", "stateful", "newer"]),
    st.sampled_from(FORMS),
)
def test_every_message_comes_back_once_in_order_and_with_its_time(rows, version, form):
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        database = sessions_db(workspace, version)
        talks: dict[str, list] = {}
        for key, role, text, at in rows:  # sessions interleave
            say(database, key, (role, text, form(at)))
            talks.setdefault(key, []).append((role, text.replace("\0", ""), at))
        database.close()
        before = contents(workspace)
        source = SqliteSource(workspace)
        found = {
            source._keys.get(one.key, one.key): [
                (said.role, said.parts[0]["text"], said.at) for said in source.messages(one)
            ]
            for one in source.sessions()
        }
        assert found == talks
        for one in source.sessions():
            said = talks[source._keys.get(one.key, one.key)]
            assert one.messages == one.length == len(said)
            assert (one.started_at, one.at) == (said[0][2], max(at for _, _, at in said))
        keys = [one.key for one in source.sessions()]
        assert len(set(keys)) == len(keys)
        assert contents(workspace) == before


def test_columns_of_the_newest_version_are_taken_over(tmp_path):
    database = sessions_db(tmp_path)
    key = "telegram_support_-100_7_5_john_doe"
    say(database, key, *TALK)
    about(
        database, key, name="Trip", state="Closed", agent_alias="max",
        channel_id="telegram.support", room_id="-100", sender_id="john_doe",
    )  # fmt: skip
    (session,) = SqliteSource(tmp_path).sessions()
    assert session.agent == SourceName("max")
    assert (session.sender, session.thread) == (SourceSender("telegram", "-100", "group"), "7_5")
    assert (session.title, session.ended) == ("Trip", True)
    assert session.started_at == datetime(2024, 5, 1, 8, tzinfo=UTC)
    assert session.at == datetime(2024, 5, 2, 9, 30, tzinfo=UTC)
    assert session.metadata["channel"] == {
        "channel_id": "telegram.support", "room_id": "-100", "sender_id": "john_doe",
    }  # fmt: skip
    assert session.metadata["state"] == "Closed"
    spoke = [one.speaker for one in SqliteSource(tmp_path).messages(session)]
    assert spoke == [SourceSender("telegram", "john_doe"), None]


# key, channel, room, sender → whom, kind, who spoke
CHANNELS = [
    ("x", "slack", "C1", "C1", ("slack", "C1", "external"), None),
    ("x", "slack", None, "U1", ("slack", "U1", "external"), None),
    ("x", "slack", "C1", None, ("slack", "C1", "group"), None),
    ("x", "slack", None, None, ("slack", "unknown", "external"), None),
    ("x", None, None, "U1", ("peer", "unknown:U1", "external"), None),
    ("slack_C1_U_1", None, "C1", "U.1", ("slack", "C1", "group"), ("slack", "U.1")),
    ("slack_C1_U1", "slack", None, None, ("slack", "C1", "group"), ("slack", "U1")),
    ("slack_C1_U1", "", " ", "", ("slack", "C1", "group"), ("slack", "U1")),
    ("x", "signal", "r", "s", ("peer", "signal:r", "group"), ("peer", "signal:s")),
    ("gw_1", "web", None, None, None, None),
    ("gw_1", "web", None, "bob", ("web", "bob", "external"), None),
    ("x", "email", "Bob@X.org", "bob@x.org", ("email", "bob@x.org", "external"), None),
]


@pytest.mark.parametrize(("key", "channel", "room", "sender", "whom", "spoke"), CHANNELS)
def test_exact_columns_win_over_the_key(tmp_path, key, channel, room, sender, whom, spoke):
    database = sessions_db(tmp_path)
    say(database, key, TALK[0])
    about(database, key, channel_id=channel, room_id=room, sender_id=sender)
    source = SqliteSource(tmp_path)
    (session,) = source.sessions()
    assert session.sender == (SourceSender(*whom) if whom else None)
    (message,) = source.messages(session)
    assert message.speaker == (SourceSender(*spoke) if spoke else None)
    assert ["signal" in one for one in source.notes] == ([True] if channel == "signal" else [])


def test_metadata_without_rows_and_rows_without_metadata_are_sessions(tmp_path):
    database = sessions_db(tmp_path)
    about(database, "only-metadata")
    say(database, "only-rows", *TALK)
    source = SqliteSource(tmp_path)
    assert read(source) == {"only-metadata": [], "only-rows": SAID}
    first, second = source.sessions()
    assert (first.length, first.at) == (0, datetime(2024, 5, 2, 9, 30, tzinfo=UTC))
    assert (second.started_at, second.at) == (AT1, AT1)
    assert told(source) == []


def test_sessions_that_came_from_files_say_so(tmp_path):
    database = sessions_db(tmp_path)
    say(database, "a", *TALK)
    say(database, "b", *TALK)
    digest = receipt(database, "a", b"what was in it")
    source = SqliteSource(tmp_path)
    first, second = source.sessions()
    assert {name: first.metadata["jsonl"][name] for name in ("name", "sha256")} == {
        "name": "a.jsonl",
        "sha256": digest,
    }
    assert "jsonl" not in second.metadata
    assert source.already_from() == {"a.jsonl": digest}


def test_the_hash_changes_with_the_rows_and_with_nothing_else(tmp_path):
    database = sessions_db(tmp_path)
    say(database, "a", *TALK)
    say(database, "b", *TALK)

    def hashes():
        return [one.sha256 for one in SqliteSource(tmp_path).sessions()]

    before = hashes()
    about(database, "a", name="Another title")
    say(database, "b", TALK[0])
    after = hashes()
    assert before[0] == after[0]
    assert before[1] != after[1]
    database.execute("UPDATE sessions SET content = 'Hallo' WHERE id = 1")
    database.commit()
    assert hashes()[0] != before[0]


def test_what_goes_on_there_meanwhile_is_not_seen(tmp_path):
    database = sessions_db(tmp_path)
    database.execute("PRAGMA journal_mode = wal")
    say(database, "a", *TALK)
    source = SqliteSource(tmp_path)
    (session,) = source.sessions()
    say(database, "a", TALK[0])
    assert read(source) == {"a": SAID}
    assert [one.messages for one in SqliteSource(tmp_path).sessions()] == [3]
    assert session.messages == 2


def test_strange_values_are_told_and_never_stop_the_rest(tmp_path):
    path = tmp_path / "sessions.db"
    database = sqlite3.connect(path)
    database.executescript(LOOSE)
    say(
        database, "a",
        ("user", b"a blob\xff", T1), ("user", 7, 1_714_550_400), ("user", None, T1),
        ("robot", "x", T1), (None, "x", T1), (b"user", "a\0b", b"\xff"), (8, "x", T1),
        ("user", "late", 1_714_550_400_123), ("user", "bad", "9999-12-31T23:59:59-12:00"),
        ("user", "worse", "yesterday"), ("user", "neg", -5), ("user", "huge", 2**62),
        ("user", "inf", float("inf")), ("user", "none", None), ("user", "blank", ""),
        ("user", "soon", "2200-01-01"),
        ("user", "\ud83d\ude00".encode("utf-16", "surrogatepass"), 0),
    )  # fmt: skip
    database.execute("INSERT INTO sessions VALUES (90, 'a', CAST(x'ff' AS TEXT), 'x', '')")
    database.execute("INSERT INTO sessions VALUES (91, 'a', 'user', CAST(x'61ff' AS TEXT), '')")
    for key in (None, b"blob", 7):
        say(database, key, ("user", "lost", T1))
    database.execute("INSERT INTO sessions VALUES (99, CAST(x'6bff' AS TEXT), 'user', 'odd', '')")
    insert(database, "session_metadata", session_key="a", created_at="never", last_activity=-1)
    database.commit()
    database.close()
    dated(path)
    source = SqliteSource(path)
    found = {one.key: list(source.messages(one)) for one in source.sessions()}
    (odd,) = [key for key in found if key != "a"]
    assert odd.startswith("k\ufffd-")
    assert [one.parts[0]["text"] for one in found[odd]] == ["odd"]
    texts = [one.parts[0]["text"] for one in found["a"]]
    assert texts[:4] == ["a blob\ufffd", "7", "ab", "late"]
    assert texts[4:12] == ["bad", "worse", "neg", "huge", "inf", "none", "blank", "soon"]
    assert texts[-1] == "a\ufffd"
    assert found["a"][1].at == datetime(2024, 5, 1, 8, tzinfo=UTC)
    assert found["a"][3].at == datetime(2024, 5, 1, 8, 0, 0, 123000, UTC)
    assert {one.at for one in found["a"][4:12]} == {None}
    problems = told(source)
    assert ("sessions.db sessions", "3 messages have no key of a session.", 3) in problems
    assert sum(lost for _, _, lost in problems) == 3 + 5
    assert len(set(problems)) == len(problems)
    assert sum("no time" in what for _, what, _ in problems) == 9
    (session,) = [one for one in source.sessions() if one.key == "a"]
    assert session.messages == len(found["a"])


def test_a_value_that_is_too_long_is_skipped_and_the_next_ones_follow(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_files, "MAX_VALUE", 100_000)
    database = sessions_db(tmp_path, "bare")
    long = ("user", "x" * 200_000, T1)
    say(database, "a", TALK[0], long, long, TALK[1], long)
    source = SqliteSource(tmp_path)
    assert read(source) == {"a": SAID}
    assert [(where, lost) for where, _, lost in told(source)] == [
        (f"sessions.db sessions {number}", 1) for number in (2, 3, 5)
    ]


def test_texts_in_another_encoding_and_order_are_read(tmp_path):
    path = tmp_path / "sessions.db"
    database = sqlite3.connect(path)
    database.executescript(
        "PRAGMA encoding = 'UTF-16le';"
        "CREATE TABLE sessions (id INTEGER PRIMARY KEY, session_key TEXT COLLATE NOCASE, role TEXT,"
        " content TEXT, created_at TEXT)"
    )
    keys = ["b", "ü", "Z", "\U0001f600", "\uff5e", "Ā"]
    for key in keys:
        say(database, key, ("user", f"Hello {key}", T1))
    source = SqliteSource(path)
    assert read(source) == {key: [("user", f"Hello {key}")] for key in keys}
    assert told(source) == []


def test_views_and_virtual_tables_are_not_read(tmp_path):
    path = tmp_path / "sessions.db"
    database = sqlite3.connect(path)
    database.executescript(
        "CREATE VIEW sessions AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n)"
        " SELECT i AS id, 'a' AS session_key, 'user' AS role, 'x' AS content FROM n;"
        "CREATE VIRTUAL TABLE session_metadata USING fts5 (session_key)"
    )
    database.close()
    source = SqliteSource(path)
    assert read(source) == {}
    assert told(source) == [("sessions.db", "It holds neither sessions nor memories.", 1)]


def test_without_an_index_on_the_key_it_is_read_as_well(tmp_path):
    database = sessions_db(tmp_path)
    for number in range(300):
        say(database, f"k{number % 100}", ("user", str(number), T1))
    indexed = read(SqliteSource(tmp_path))
    database.execute("DROP INDEX idx_sessions_key_id")
    before = contents(tmp_path)
    assert read(SqliteSource(tmp_path)) == indexed
    assert indexed["k7"] == [("user", "7"), ("user", "107"), ("user", "207")]
    assert contents(tmp_path) == before


def test_memory_is_constant_however_long_a_session_is(tmp_path):
    database = sessions_db(tmp_path, "older")
    database.executemany(
        "INSERT INTO sessions (session_key, role, content, created_at) VALUES ('a', ?, ?, ?)",
        (
            ("user" if n % 2 else "robot", f"This is what I said as number {n}", T1)
            for n in range(60_000)
        ),
    )
    database.commit()
    source = SqliteSource(tmp_path)
    tracemalloc.start()
    (session,) = source.sessions()
    count = sum(1 for _ in source.messages(session))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (session.messages, count, session.length) == (30_000, 30_000, 60_000)
    assert peak < 5_000_000
    assert sum(lost for _, _, lost in told(source)) == 30_000


def test_what_is_no_store_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.db"):
        with pytest.raises(UnreadableSource):
            SqliteSource(path)
