"""Databases as they are found: with a log, with a journal, in use, locked, cut off, broken."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest

from memory.importers import readonly, sqlite_files
from memory.importers.plain import UnreadableSource
from memory.importers.sqlite import SqliteSource
from tests.memory.importers.fixtures_jsonl import contents, read, told
from tests.memory.importers.fixtures_sqlite import (
    brain_db,
    died_with_a_log,
    keep,
    say,
    sessions_db,
)

DAY = "2024-05-01T08:00:00+00:00"
LATE = (
    "INSERT INTO sessions (session_key, role, content, created_at)"
    f" VALUES ('a', 'user', 'late', '{DAY}')"
)


@pytest.fixture
def path(tmp_path):
    database = sessions_db(tmp_path, "older")
    say(database, "a", ("user", "early", DAY))
    database.close()
    return tmp_path / "sessions" / "sessions.db"


def everything(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def test_a_log_that_a_program_left_is_read_and_stays(path):
    died_with_a_log(path, LATE)
    assert path.with_name("sessions.db-wal").stat().st_size
    before = contents(path.parent)
    assert read(SqliteSource(path)) == {"a": [("user", "early"), ("user", "late")]}
    assert contents(path.parent) == before


def test_of_a_log_without_its_index_nothing_is_laid_beside_it(path):
    died_with_a_log(path, LATE)
    path.with_name("sessions.db-shm").unlink()
    before = everything(path.parent)
    assert read(SqliteSource(path)) == {"a": [("user", "early"), ("user", "late")]}
    assert everything(path.parent) == before


def test_a_file_that_was_closed_well_gets_nothing_beside_it(path):
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = wal")
    database.close()
    before = everything(path.parent)
    assert read(SqliteSource(path)) == {"a": [("user", "early")]}
    assert everything(path.parent) == before


def test_half_a_transaction_is_undone_in_a_copy(path):
    many = ";".join(["BEGIN", *[LATE.replace("'late'", "hex(randomblob(5000))")] * 50])
    died_with_a_log(path, many, "delete")
    before = everything(path.parent)
    assert "sessions.db-journal" in before
    assert read(SqliteSource(path)) == {"a": [("user", "early")]}
    assert everything(path.parent) == before


def test_copies_are_removed(path, tmp_path, monkeypatch):
    died_with_a_log(path, LATE)
    path.with_name("sessions.db-shm").unlink()
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    source = SqliteSource(path)
    assert list((tmp_path / "scratch").iterdir())
    del source
    assert not list((tmp_path / "scratch").iterdir())


def test_a_locked_file_is_told(path, monkeypatch):
    monkeypatch.setattr(readonly, "BUSY_SECONDS", 0.1)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    source = SqliteSource(path)
    assert read(source) == {}
    ((where, what, lost),) = told(source)
    assert (where, lost) == ("sessions.db", 1)
    assert "locked" in what
    database.execute("ROLLBACK")
    assert read(SqliteSource(path)) == {"a": [("user", "early")]}


@pytest.mark.parametrize(
    "content", [b"", b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 500]
)
def test_what_is_no_database_is_told_and_the_other_file_read(path, tmp_path, content):
    keep(brain_db(tmp_path), id="m1", key="k", content="Likes tea")
    path.write_bytes(content)
    source = SqliteSource(tmp_path)
    assert read(source) == {}
    assert [one.content for one in source.memories()] == ["Likes tea"]
    assert [(where, lost) for where, _, lost in told(source)] == [("sessions.db", 1)]


def test_broken_memories_leave_the_sessions(path, tmp_path):
    brain_db(tmp_path).close()
    (tmp_path / "memory/brain.db").write_bytes(b"\0" * 5000)
    source = SqliteSource(tmp_path)
    assert read(source) == {"a": [("user", "early")]}
    assert list(source.memories()) == []
    assert [where for where, _, _ in told(source)] == ["brain.db"]


def test_a_file_damaged_anywhere_stops_nothing(path, tmp_path):
    database = sqlite3.connect(path)
    for number in range(200):
        say(database, f"k{number % 20}", ("user", f"{number} " + "word " * 20, DAY))
    database.close()
    whole, chance = path.read_bytes(), random.Random(7)
    good = {key: set(said) for key, said in read(SqliteSource(path)).items()}
    faults = intact = 0
    for _ in range(60):
        data = bytearray(whole)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        for _ in range(chance.choice([1, 5, 200])):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        source = SqliteSource(path)
        found = read(source)
        faults += bool(told(source))
        intact += sum(set(said) <= good.get(key, set()) for key, said in found.items())
    assert faults > 12
    assert intact > 200


def test_pages_that_lead_in_a_ring_end_as_well(path, monkeypatch):
    """A page of the index stands in the place of another one, in whose stead it names itself."""
    monkeypatch.setattr(sqlite_files, "MIN_STEPS", 100_000)
    database = sqlite3.connect(path)
    database.execute("DROP INDEX idx_sessions_key_id")
    for number in range(300):
        say(database, "a" * (number % 2 + 1), ("user", f"{number} " + "x" * 300, DAY))
    root = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'sessions'")
    (page,) = root.fetchone()
    database.close()
    data = bytearray(path.read_bytes())
    start = (page - 1) * 4096
    assert data[start] == 5  # an inner page of a table
    cells = int.from_bytes(data[start + 3 : start + 5])
    for cell in range(cells):
        at = start + int.from_bytes(data[start + 12 + 2 * cell : start + 14 + 2 * cell])
        data[at : at + 4] = page.to_bytes(4)
    path.write_bytes(data)
    source = SqliteSource(path)
    assert sum(map(len, read(source).values())) <= 301
    assert told(source)


def test_a_statement_that_goes_on_for_ever_is_ended(path, monkeypatch):
    monkeypatch.setattr(sqlite_files, "MIN_STEPS", 200_000)
    database = sqlite_files.snapshot(path).database
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT count(*) FROM n"
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            database.execute(endless)
        assert database.execute("SELECT count(*) FROM sessions").fetchone()[0] == 1


def test_a_page_that_is_lost_loses_its_rows_only(path):
    database = sqlite3.connect(path)
    for number in range(60):
        say(database, "long", ("user", f"{number:03} " + "x" * 3_000, DAY))
    database.close()
    data = bytearray(path.read_bytes())
    at = data.index(b"030 xxx")
    start = at - at % 4096
    data[start : start + 4096] = b"\xee" * 4096
    path.write_bytes(data)
    source = SqliteSource(path)
    said = [text[:3] for _, text in read(source)["long"]]
    assert "030" not in said
    assert said == sorted(said)
    assert {"000", "059"} <= set(said)
    lost = sum(lost for _, _, lost in told(source))
    assert lost == 60 - len(said)


def test_a_folder_that_cannot_be_written_to_is_read(path, tmp_path):
    died_with_a_log(path, LATE)
    copy = tmp_path / "copy"
    shutil.copytree(path.parent, copy)
    (copy / "sessions.db-shm").unlink()
    copy.chmod(0o500)
    assert read(SqliteSource(copy / "sessions.db"))["a"][-1] == ("user", "late")
    copy.chmod(0o700)


def test_a_name_with_marks_of_addresses_is_no_address(path, tmp_path):
    strange = tmp_path / "a?mode=rw&x=%20#1.db"
    path.rename(strange)
    assert read(SqliteSource(strange)) == {"a": [("user", "early")]}
    with pytest.raises(UnreadableSource):
        SqliteSource(tmp_path / "sessions")
