"""The file of the agent OS database (format C): never changed, damaged anywhere, of any size."""

from __future__ import annotations

import hashlib
import random
import sqlite3
import tracemalloc
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from memory.importers.openfang import OpenfangSource
from memory.importers.plain import UnreadableSource
from tests.memory.importers.fixtures_openfang import ADA, Store, packed, problems, read, said

if TYPE_CHECKING:
    from pathlib import Path


def state(folder: Path) -> dict[str, str]:
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.iterdir()}


@pytest.mark.parametrize("mode", ["DELETE", "WAL", "PERSIST", "TRUNCATE"])
def test_reading_leaves_the_folder_as_it_was(tmp_path: Path, mode: str) -> None:
    store = Store(tmp_path)
    store.session(said("user", "Hello"))
    store.run(f"PRAGMA journal_mode = {mode}; CREATE TABLE other (id)")
    before = state(tmp_path)
    assert list(read(OpenfangSource(tmp_path)).values()) == [[("user", "Hello")]]
    assert state(tmp_path) == before


def test_what_only_the_write_ahead_log_holds_is_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.session(said("user", "In the file"))
    with closing(sqlite3.connect(store.path)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("UPDATE sessions SET messages = ?", (packed(said("user", "In the log")),))
        writer.commit()
        moved = tmp_path / "moved"  # as after a crash: a log without its index
        moved.mkdir()
        for name in ("openfang.db", "openfang.db-wal"):
            (moved / name).write_bytes((tmp_path / name).read_bytes())
        before = state(moved)
        for folder in (tmp_path, moved):
            assert list(read(OpenfangSource(folder)).values()) == [[("user", "In the log")]]
        after = state(moved)
    assert {name: after[name] for name in before} == before


def test_a_broken_page_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number in range(200):
        store.session(said("user", f"{number} " + "x" * 300), id=f"s{number:03}")
    store.memory("Still there.")
    whole = len(list(OpenfangSource(store.path).sessions()))
    size = store.path.stat().st_size
    with store.path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\x77" * 4096)
    source = OpenfangSource(store.path)
    some = len(read(source))
    assert whole == 200
    assert some < 200
    assert any("cannot be read" in what for _, what in problems(source))
    assert [one.content for one in source.memories()] == ["Still there."]


def test_a_table_whose_pages_lead_in_a_ring_comes_to_an_end(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number in range(300):
        store.memory("x" * 300, id=f"m{number:03}")
    with closing(sqlite3.connect(store.path)) as database:
        root, size = database.execute(
            "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master"
            " WHERE name = 'memories'"
        ).fetchone()
    page = bytearray(store.path.read_bytes())
    start = (root - 1) * size
    first, *_, last = (
        int.from_bytes(page[start + 12 + 2 * n : start + 14 + 2 * n], "big")
        for n in range(int.from_bytes(page[start + 3 : start + 5], "big"))
    )
    assert page[start] == 5  # an inner page: its cells begin with the number of a child
    page[start + last : start + last + 4] = page[start + first : start + first + 4]
    store.path.write_bytes(page)
    source = OpenfangSource(store.path)
    keys = [one.key for one in source.memories()]
    assert 0 < len(keys) < 300
    assert len(set(keys)) == len(keys)
    assert problems(source) == [
        (
            "openfang.db memories",
            "The rest of the table cannot be read: its pages are out of order.",
        )
    ]


def test_bytes_changed_at_random_never_raise_another_error(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number in range(12):
        store.session(
            said("user", "x" * 200), said("assistant", "y"), id=f"s{number}",
            parent_session_id=f"s{number // 2}",
        )  # fmt: skip
        store.memory("x" * 50, metadata='{"topics": ["a"]}')
        store.extraction("s1", id=f"e{number}", facts=["a", "b"])
    whole = store.path.read_bytes()
    dice = random.Random(7)
    refused = damaged = 0
    for _ in range(150):
        changed = bytearray(whole)
        for _ in range(dice.choice([1, 20, 200])):
            changed[dice.randrange(100, len(whole))] = dice.randrange(256)
        store.path.write_bytes(changed)
        try:
            source = OpenfangSource(store.path)
        except UnreadableSource:
            refused += 1
            continue
        for session in source.sessions():
            count = sum(1 for _ in source.messages(session))
            assert count == session.messages or problems(source)
        list(source.memories())
        list(source.extractions())
        damaged += bool(problems(source))
    assert refused
    assert damaged


def test_a_file_cut_off_anywhere_never_raises_another_error(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number in range(30):
        store.session(said("user", "x" * 500), id=f"s{number}", parent_session_id="s0")
        store.memory("Something.")
    whole = store.path.read_bytes()
    refused = read_partly = 0
    for end in range(0, len(whole), len(whole) // 60):
        store.path.write_bytes(whole[:end])
        try:
            source = OpenfangSource(store.path)
        except UnreadableSource:
            refused += 1
            continue
        read(source)
        list(source.memories())
        list(source.extractions())
        read_partly += bool(problems(source))
    assert refused + read_partly >= 60


def test_five_thousand_sessions_are_read_in_constant_memory(tmp_path: Path) -> None:
    store = Store(tmp_path)
    blob = packed(*(said("user", "x" * 200) for _ in range(4)))
    began = datetime(2025, 1, 1, tzinfo=UTC)
    with closing(sqlite3.connect(store.path)) as database, database:
        database.executemany(
            "INSERT INTO sessions (id, agent_id, messages, created_at, updated_at,"
            " parent_session_id) VALUES (?, ?, ?, ?, ?, ?)",
            (
                (f"s{n}", ADA, blob, str(began), str(began + timedelta(minutes=n)), f"s{n // 2}")
                for n in range(5000)
            ),
        )
    source = OpenfangSource(store.path)
    tracemalloc.start()
    try:
        count = sum(1 for session in source.sessions() for _ in source.messages(session))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 4 * 1024 * 1024
