"""Files that are in are renamed, and back; nothing is replaced, and nothing else touched."""

from __future__ import annotations

import hashlib
import os

import pytest

from memory.importers import migrated
from memory.importers.jsonl import JsonlSource
from tests.memory.importers.fixtures_jsonl import contents, line, told, write
from tests.memory.importers.fixtures_sqlite import receipt, sessions_db

HELLO = line("user", "Hello")


@pytest.fixture
def source(tmp_path):
    for name in "ab":
        write(tmp_path, name, HELLO)
    found = JsonlSource(tmp_path)
    read_out(found)
    return found


def read_out(source):
    """As an import does; what was not read to the end is not put aside."""
    for session in source.sessions():
        list(source.messages(session))


def names(tmp_path):
    return sorted(name.removeprefix("sessions/") for name in contents(tmp_path))


def test_what_is_in_is_put_aside_and_comes_back(tmp_path, source):
    before = contents(tmp_path)
    source.settled()
    assert names(tmp_path) == ["a.jsonl.migrated", "b.jsonl.migrated"]
    assert list(source.sessions()) == []
    source.settled()  # again, as after a crash
    assert names(tmp_path) == ["a.jsonl.migrated", "b.jsonl.migrated"]
    source.brought_back()
    assert contents(tmp_path) == before
    assert told(source) == []


def test_what_changed_since_keeps_its_name(tmp_path, source):
    with (tmp_path / "sessions/a.jsonl").open("ab") as file:
        file.write(HELLO)
    source.settled()
    assert names(tmp_path) == ["a.jsonl", "b.jsonl.migrated"]
    ((where, what, lost),) = told(source)
    assert (where, lost) == ("sessions/a.jsonl", 0)
    assert "changed since" in what


def test_nothing_is_replaced(tmp_path, source):
    (tmp_path / "sessions/a.jsonl.migrated").write_bytes(b"another's")
    source.settled()
    assert contents(tmp_path)["sessions/a.jsonl.migrated"] == b"another's"
    assert "a.jsonl" in names(tmp_path)
    (tmp_path / "sessions/b.jsonl").write_bytes(b"new")
    source.brought_back()
    assert contents(tmp_path)["sessions/b.jsonl"] == b"new"
    assert [where for where, _, _ in told(source)] == ["sessions/a.jsonl", "sessions/b.jsonl"]


def test_a_crash_between_the_two_steps_of_a_rename_is_made_up_for(tmp_path, source):
    os.link(tmp_path / "sessions/a.jsonl", tmp_path / "sessions/a.jsonl.migrated")
    source.settled()
    assert names(tmp_path) == ["a.jsonl.migrated", "b.jsonl.migrated"]


def test_file_systems_without_second_names_are_no_matter(tmp_path, source, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "sessions/a.jsonl.migrated").write_bytes(b"another's")
    source.settled()
    assert names(tmp_path) == ["a.jsonl", "a.jsonl.migrated", "b.jsonl.migrated"]


def test_a_later_process_brings_back_all_but_what_the_source_moved_itself(tmp_path, source):
    source.settled()
    database = sessions_db(tmp_path)
    receipt(database, "theirs", HELLO)
    database.close()
    write(tmp_path, "theirs").rename(tmp_path / "sessions/theirs.jsonl.migrated")
    JsonlSource(tmp_path).brought_back()
    assert names(tmp_path) == ["a.jsonl", "b.jsonl", "sessions.db", "theirs.jsonl.migrated"]


def test_by_receipts_exactly_those_come_back(tmp_path, source):
    source.settled()
    later = JsonlSource(tmp_path)
    later.brought_back({"a.jsonl": hashlib.sha256(HELLO + b"\n").hexdigest()})
    assert names(tmp_path) == ["a.jsonl", "b.jsonl.migrated"]
    later.brought_back({"b.jsonl": "0" * 64})
    later.brought_back({})
    assert names(tmp_path) == ["a.jsonl", "b.jsonl.migrated"]
    later.brought_back({"b.jsonl": migrated.sha256_of(tmp_path / "sessions/b.jsonl.migrated")})
    assert names(tmp_path) == ["a.jsonl", "b.jsonl"]


def test_a_single_file_comes_back_though_its_name_is_gone(tmp_path, source):
    path = tmp_path / "sessions/a.jsonl"
    alone = JsonlSource(path)
    read_out(alone)
    alone.settled()
    assert names(tmp_path) == ["a.jsonl.migrated", "b.jsonl"]
    JsonlSource(path).brought_back()
    assert names(tmp_path) == ["a.jsonl", "b.jsonl"]
