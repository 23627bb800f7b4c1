"""The agent OS database (format C): every version of it, its sessions, users, forks, refusals."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from memory.importers import openfang_sessions
from memory.importers.openfang import BOOTSTRAPPED, OpenfangSource
from memory.importers.openfang_sessions import IDS_DROPPED
from memory.importers.plain import SourceName, UnreadableSource
from tests.memory.importers.fixtures_openfang import (
    ADA,
    ANNA,
    BEGAN,
    BEN,
    ENDED,
    MAX,
    NIL,
    VERSIONS,
    Store,
    packed,
    problems,
    read,
    said,
)  # fmt: skip

if TYPE_CHECKING:
    from pathlib import Path

FIRST = datetime(2025, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)
LAST = datetime(2025, 3, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_gives_what_it_can_hold(tmp_path: Path, version: int) -> None:
    store = Store(tmp_path, version)
    root = store.session(
        said("user", "Good morning"), said("assistant", "Good morning."), said("user", "Thanks"),
        label="Mornings", user_id=ANNA,
    )  # fmt: skip
    fork = store.session(said("user", "And then?"), user_id=BEN, parent_session_id=root)
    store.memory("Likes early trains.")
    if version >= 5:
        store.put(
            "canonical_sessions", agent_id=ADA, messages=packed(said("user", "Everywhere")),
            compaction_cursor=4, compacted_summary="They met.", updated_at=ENDED,
        )  # fmt: skip
    if version >= 10:
        store.extraction(root, id="run", facts=["Rises early."])
        for table in ("user_memory_topics", "user_agent_memory_topics"):
            store.put(
                table, user_id=ANNA, agent_id=ADA, topic="Mornings", content="Early.",
                updated_at=ENDED,
            )  # fmt: skip

    source = OpenfangSource(tmp_path)
    sessions = {session.key: session for session in source.sessions()}

    first = sessions[root]
    assert (first.messages, first.agent) == (3, SourceName(ADA, "Ada"))
    assert (first.started_at, first.at) == (FIRST, LAST)
    assert first.title == ("Mornings" if version >= 6 else "")
    assert first.user == (SourceName(ANNA) if version >= 9 else None)
    assert sessions[fork].parent == (root if version >= 9 else None)
    told = [(m.role, m.parts, m.at) for m in source.messages(first)]
    assert told == [
        ("user", [{"type": "text", "text": "Good morning"}], FIRST),
        ("assistant", [{"type": "text", "text": "Good morning."}], None),
        ("user", [{"type": "text", "text": "Thanks"}], LAST),
    ]
    if version >= 5:
        rolling = sessions[f"canonical-{ADA}"]
        assert (rolling.agent, rolling.user, rolling.at) == (SourceName(ADA, "Ada"), None, LAST)
        assert rolling.metadata["compacted_summary"] == "They met."
        assert rolling.metadata["compaction_cursor"] == 4
        assert [m.at for m in source.messages(rolling)] == [LAST]
    assert len(sessions) == (3 if version >= 5 else 2)
    assert len(list(source.memories())) == (4 if version >= 10 else 1)
    assert len(list(source.extractions())) == (1 if version >= 10 else 0)
    assert problems(source) == []


@pytest.mark.parametrize("version", [-1, 0, 11, 17])
def test_another_version_is_refused(tmp_path: Path, version: int) -> None:
    store = Store(tmp_path)
    OpenfangSource(store.path)
    store.run(f"PRAGMA user_version = {version}")
    with pytest.raises(UnreadableSource, match=f"version {version}; versions 1 to 10"):
        OpenfangSource(store.path)


def test_what_is_no_such_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match=r"no openfang\.db"):
        OpenfangSource(tmp_path)
    notes = tmp_path / "openfang.db"
    notes.write_text("Dear diary, today I wrote no database at all.")
    with pytest.raises(UnreadableSource, match="not a SQLite database"):
        OpenfangSource(notes)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as database:
        database.executescript("CREATE TABLE trains (id); PRAGMA user_version = 3")
    with pytest.raises(UnreadableSource, match="no table of sessions"):
        OpenfangSource(other)


def test_a_locked_database_is_refused_until_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.importers.readonly.BUSY_SECONDS", 0.05)
    store = Store(tmp_path)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UnreadableSource, match="locked by another program"):
            OpenfangSource(store.path)
        writer.execute("ROLLBACK")
        assert list(OpenfangSource(store.path).sessions()) == []


def test_a_view_in_the_place_of_a_table_is_not_run(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.session(said("user", "Hello"))
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    store.run(
        f"DROP TABLE memories; CREATE VIEW memories AS {endless}"
        " SELECT i AS id, 'x' AS content, '' AS agent_id FROM n"
    )
    source = OpenfangSource(store.path)
    assert list(source.memories()) == []
    assert len(read(source)) == 1


# --- whose a session is ---


def test_sessions_of_nobody_are_the_default_users(tmp_path: Path) -> None:
    store = Store(tmp_path)
    nobody = [store.session(said("user", "?"), user_id=one) for one in (NIL, "", " ")]
    anna = store.session(said("user", "Me"), user_id=ANNA.upper())
    store.setting("default_user_uuid", BEN.upper())
    users = {one.key: one.user for one in OpenfangSource(store.path).sessions()}
    assert [users[key] for key in nobody] == [None, None, None]
    assert users[anna] == SourceName(ANNA)
    assert OpenfangSource(store.path).default_users() == {BEN}


def test_the_sentinel_of_the_default_user_is_noted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert OpenfangSource(store.path).notes == []
    assert OpenfangSource(store.path).default_users() == frozenset()
    store.setting("default_user_bootstrap_done", value=True)
    assert OpenfangSource(store.path).notes == [BOOTSTRAPPED]


def test_a_setting_that_is_no_json_is_reported(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.setting("default_user_uuid", BEN)
    store.run("UPDATE kv_store SET value = X'FF7B'")
    source = OpenfangSource(store.path)
    assert source.default_users() == frozenset()
    assert problems(source)[0][0] == "openfang.db kv_store default_user_uuid"


def test_an_agent_that_is_not_registered_keeps_its_id(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.session(said("user", "Hello"), agent_id=BEN, id="1")
    store.session(said("user", "Hello"), agent_id=NIL, id="2")
    store.session(said("user", "Hello"), agent_id=MAX, id="3")
    agents = [one.agent for one in OpenfangSource(store.path).sessions()]
    assert agents == [SourceName(BEN), None, SourceName(MAX, "Max")]


# --- forks ---


def test_parents_come_before_their_forks_however_rows_lie(tmp_path: Path) -> None:
    store = Store(tmp_path)
    chain = [f"s{number:02}" for number in range(40)]
    for number in reversed(range(40)):
        parent = chain[number - 1] if number else None
        store.session(said("user", "Hello"), id=chain[number], parent_session_id=parent)
    source = OpenfangSource(store.path)
    assert [(one.key, one.parent) for one in source.sessions()] == [
        (key, chain[number - 1] if number else None) for number, key in enumerate(chain)
    ]
    assert problems(source) == []


def test_rings_and_missing_parents_are_cut_and_reported(tmp_path: Path) -> None:
    store = Store(tmp_path)
    parents = {
        "alone": "alone", "b": "c", "c": "d", "d": "b", "hangs": "c", "deeper": "hangs",
        "orphan": "gone", "root": None, "fork": "root",
    }  # fmt: skip
    for key, parent in parents.items():
        store.session(said("user", "Hello"), id=key, parent_session_id=parent)
    source = OpenfangSource(store.path)
    found = {one.key: one.parent for one in source.sessions()}
    assert found == {
        **dict.fromkeys(parents), "hangs": "c", "deeper": "hangs", "fork": "root",
    }  # fmt: skip
    order = list(found)
    for child in ("hangs", "deeper", "fork"):
        assert order.index(found[child]) < order.index(child)
    ring = "Its parents lead back to itself: it comes without one."
    assert sorted(problems(source)) == [
        *((f"openfang.db sessions {key}", ring) for key in ("alone", "b", "c", "d")),
        ("openfang.db sessions orphan", "Its parent is not there: it comes without one."),
    ]


def test_forks_of_a_session_that_is_left_out_have_no_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    store.session(said("user", "x" * 5000), id="huge")
    store.session(said("user", "Hello"), id="fork", parent_session_id="huge")
    assert [one.parent for one in OpenfangSource(store.path).sessions()] == [None, "huge"]
    monkeypatch.setattr(openfang_sessions, "MAX_BLOB", 4096)
    source = OpenfangSource(store.path)
    assert [(one.key, one.parent) for one in source.sessions()] == [("fork", None)]
    assert "more than 4,096: it is left out." in problems(source)[0][1]


# --- rows ---


def test_a_second_reading_gives_the_same_and_a_change_another_hash(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for key in ("a", "b"):
        store.session(said("user", "Hello"), id=key)
    before = list(OpenfangSource(store.path).sessions())
    assert list(OpenfangSource(store.path).sessions()) == before
    assert len({one.sha256 for one in before}) == 2  # the same words in another session
    blob = packed(said("user", "Hello!"))
    with closing(sqlite3.connect(store.path)) as database, database:
        database.execute("UPDATE sessions SET messages = ? WHERE id = 'b'", (blob,))
    after = list(OpenfangSource(store.path).sessions())
    assert (after[0], after[1].sha256 != before[1].sha256) == (before[0], True)
    assert after[1].length == len(blob)


def test_strange_ids_lose_no_message_and_never_meet(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ids = [None, "a\0b", "row:1", "x" * 400, f"canonical-{ADA}", b"\xff\xfe", "Zoë"]
    for number, key in enumerate(ids):
        store.session(said("user", f"Number {number}"), id=key)
    store.put("canonical_sessions", agent_id=ADA, messages=packed(said("user", "Rolling")),
              updated_at=ENDED)  # fmt: skip
    found = read(OpenfangSource(store.path))
    said_there = [messages[0][1] for messages in found.values()]
    assert said_there == [*(f"Number {number}" for number in range(7)), "Rolling"]
    assert list(found)[-2:] == ["Zoë", f"canonical-{ADA}"]


@pytest.mark.parametrize("strange", ["never", "1969-12-31T23:59:59Z", "9999-12-31", "-5", "1e400"])
def test_a_time_that_cannot_be_is_none_and_reported(tmp_path: Path, strange: str) -> None:
    store = Store(tmp_path)
    store.session(said("user", "Hello"), id="s", created_at=strange)
    source = OpenfangSource(store.path)
    (session,) = source.sessions()
    assert (session.started_at, session.at) == (None, LAST)
    assert [one.at for one in source.messages(session)] == [LAST]
    assert problems(source) == [
        ("openfang.db sessions s", f"Its created_at is no time that can be used: {strange}.")
    ]


def test_without_any_time_it_is_the_files(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.session(said("user", "Hello"), created_at="?", updated_at="?")
    os.utime(store.path, (1_700_000_000, 1_700_000_000))
    (session,) = OpenfangSource(store.path).sessions()
    assert session.at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_a_session_changed_before_it_was_made_keeps_the_order_of_its_messages(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    store.session(said("user", "1"), said("user", "2"), created_at=ENDED, updated_at=BEGAN, id="s")
    source = OpenfangSource(store.path)
    (session,) = source.sessions()
    assert [one.at for one in source.messages(session)] == [FIRST, FIRST]
    assert problems(source) == [
        ("openfang.db sessions s", "It says that it was changed before it was made.")
    ]


def test_a_long_label_is_cut_and_kept_whole_beside(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.session(label="long " * 100)
    store.session(label=" two\nlines ")
    long, lines = OpenfangSource(store.path).sessions()
    assert (len(long.title), long.metadata) == (300, {"label": ("long " * 100).strip()})
    assert (lines.title, lines.metadata) == ("two lines", {})


def test_ids_of_messages_are_noted_once_as_dropped(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for _ in range(2):
        store.session(said("user", "Hello", msg_id="m1", provider_msg_id=None))
    source = OpenfangSource(store.path)
    assert source.notes == []
    read(source)
    assert source.notes == [IDS_DROPPED]
