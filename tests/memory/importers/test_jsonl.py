"""Format A: what is in the files comes out once and in order; what is broken is told by line."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory.importers import jsonl_lines
from memory.importers.jsonl import NOTE, JsonlSource
from memory.importers.plain import SourceSender, UnreadableSource
from tests.memory.importers.fixtures_jsonl import (
    WRITTEN_AT,
    contents,
    dated,
    line,
    read,
    told,
    write,
)

HELLO, ANSWER = line("user", "Hello"), line("assistant", "Good morning")
TALK = [("user", "Hello"), ("assistant", "Good morning")]
ROLES = st.sampled_from(["user", "assistant", "system", "tool"])
KEYS = st.text("abz019-_ü", min_size=1, max_size=20)


@settings(max_examples=60)
@given(
    st.dictionaries(KEYS, st.lists(st.tuples(ROLES, st.text())), max_size=5),
    st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\n \t\n"]),
)
def test_every_message_comes_back_once_and_in_order(talks, ending):
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        for key, said in talks.items():
            write(workspace, key, *(line(*one) for one in said), ending=ending)
        (workspace / "sessions").mkdir(exist_ok=True)
        before = contents(workspace)
        source = JsonlSource(workspace)
        assert read(source) == {
            key: [(role, text.replace("\0", "")) for role, text in said]
            for key, said in talks.items()
        }
        assert [one.lost for one in source.problems()] == [0] * len(list(source.problems()))
        for session in source.sessions():
            data = before[f"sessions/{session.name}"]
            assert session.sha256 == hashlib.sha256(data).hexdigest()
            assert (session.length, session.at) == (len(data), WRITTEN_AT)
            assert session.messages == len(talks[session.key])
        assert contents(workspace) == before


def test_a_workspace_its_folder_and_a_file_are_sources(tmp_path):
    path = write(tmp_path, "a", HELLO, ANSWER)
    write(tmp_path, "b", HELLO)
    (tmp_path / "sessions" / "c.jsonl.migrated").write_bytes(HELLO)
    (tmp_path / "sessions" / "notes.txt").write_bytes(HELLO)
    both = {"a": TALK, "b": TALK[:1]}
    assert read(JsonlSource(tmp_path)) == both
    assert read(JsonlSource(tmp_path / "sessions")) == both
    assert read(JsonlSource(path)) == {"a": TALK}
    for nothing in (tmp_path / "none", tmp_path / "none.jsonl", tmp_path / "sessions/notes.txt"):
        with pytest.raises(UnreadableSource):
            JsonlSource(nothing)
    assert JsonlSource(tmp_path).notes == [NOTE]


def test_the_key_says_who_spoke(tmp_path):
    write(tmp_path, "telegram_-100_42_bob", HELLO, ANSWER)
    (session,) = JsonlSource(tmp_path).sessions()
    assert (session.sender, session.thread) == (SourceSender("telegram", "-100", "group"), "42")
    spoke = [one.speaker for one in JsonlSource(tmp_path).messages(session)]
    assert spoke == [SourceSender("telegram", "bob"), None]
    assert session.metadata["key"]["lossy"]


def test_a_mark_at_the_beginning_and_a_last_line_without_an_end_are_no_matter(tmp_path):
    path = write(tmp_path, "a")
    path.write_bytes(b"\xef\xbb\xbf" + HELLO + b"\r\n" + ANSWER)
    source = JsonlSource(tmp_path)
    assert read(source) == {"a": TALK}
    assert told(source) == []


def test_an_empty_file_is_a_session_and_one_without_a_message_is_none(tmp_path):
    write(tmp_path, "blank", b"", b"  ")
    write(tmp_path, "broken", b"{", b"[]")
    write(tmp_path, "empty")
    source = JsonlSource(tmp_path)
    assert read(source) == {"blank": [], "empty": []}
    assert told(source) == [
        ("sessions/broken.jsonl:1", "The line is no JSON.", 1),
        ("sessions/broken.jsonl:2", "The line is no message.", 1),
        ("sessions/broken.jsonl", "No line of it is a message; nothing was imported.", 1),
    ]


WRONG = {
    b"{nonsense": "The line is no JSON.",
    HELLO[:-4]: "The line is no JSON.",
    HELLO + HELLO: "The line is no JSON.",
    b"\0" * 40: "The line is no JSON.",
    b'{"role": "user", "content": NaN}': "The line is no JSON.",
    b"[" * 100_000: "The line is nested too deeply.",
    b'"hello"': "The line is no message.",
    b"{}": "The message has no role that is known: None.",
    line("robot", "x"): "The message has no role that is known: robot.",
    line(["user"], "x"): "The message has no role that is known: ['user'].",
    line("user", None): "The content is neither text nor a list of parts.",
    line("user", 7): "The content is neither text nor a list of parts.",
    line("user", ["text"]): "The content is neither text nor a list of parts.",
    line("user", [{"type": 1}]): "The content is neither text nor a list of parts.",
    line("user", [{"type": "text"}]): "The content is neither text nor a list of parts.",
    line("user", {"type": "text"}): "The content is neither text nor a list of parts.",
}


@pytest.mark.parametrize("wrong", WRONG, ids=range(len(WRONG)))
def test_a_broken_line_is_told_and_the_others_come_in(tmp_path, wrong):
    write(tmp_path, "a", HELLO, wrong, b"", ANSWER)
    source = JsonlSource(tmp_path)
    for _ in range(2):  # reading again tells nothing twice
        assert read(source) == {"a": TALK}
        assert told(source) == [("sessions/a.jsonl:2", WRONG[wrong], 1)]
    (session,) = source.sessions()
    assert session.messages == 2


def test_what_cannot_be_kept_is_replaced_and_told_once(tmp_path):
    strange = [
        (b'{"role": "user", "content": "a\\u0000b"}', "ab"),
        (b'{"role": "user", "content": "a\\ud800b"}', "a\ufffdb"),
        (b'{"role": "user", "content": "a\xffb"}', "a\ufffdb"),
        (b'{"role": "user", "content": "\\ud83d\\ude00"}', "\U0001f600"),
        (b'{"role": "user", "content": "x", "n": ' + b"9" * 6_000 + b"}", "x"),
        (b'{"role": "user", "content": "y", "n": 1e999}', "y"),
        (b'{"role": "user", "content": "z", "role2": ' + b"[" * 150 + b"]" * 150 + b"}", "z"),
    ]
    write(tmp_path, "a", *(raw for raw, _ in strange), *(raw for raw, _ in strange))
    source = JsonlSource(tmp_path)
    assert read(source) == {"a": [("user", text) for _, text in strange * 2]}
    assert [(where, lost) for where, _, lost in told(source)] == [("sessions/a.jsonl", 0)] * 2


def test_parts_come_as_they_are_and_extra_fields_stay_out(tmp_path):
    parts = [{"type": "text", "text": "Look"}, {"type": "tool", "tool_input": {"n\0": [1, "\0"]}}]
    write(tmp_path, "a", line("user", parts, at=1, name="x"), line("tool", []))
    source = JsonlSource(tmp_path)
    (session,) = source.sessions()
    first, second = source.messages(session)
    assert first.parts == [parts[0], {"type": "tool", "tool_input": {"n": [1, ""]}}]
    assert second.parts == [{"type": "text", "text": ""}]
    huge = b'{"role":"user","content":[{"type":"x","n":' + b"9" * 6_000 + b',"f":1e999}]}'
    write(tmp_path, "a", huge)
    (session,) = source.sessions()
    (message,) = source.messages(session)
    json.dumps(message.parts, allow_nan=False)
    deep: object = "end"
    for _ in range(150):
        deep = [deep]
    write(tmp_path, "a", line("user", [{"type": "x", "deep": deep}]))
    (session,) = source.sessions()
    assert session.messages == 1
    assert "64 levels" in told(source)[0][1]


def test_a_line_of_fifty_megabytes_is_told_and_the_next_one_read(tmp_path):
    write(tmp_path, "a", HELLO, line("user", "x" * 50_000_000), ANSWER)
    write(tmp_path, "b", line("user", "x" * 50_000_000))
    source = JsonlSource(tmp_path)
    assert read(source) == {"a": TALK}
    assert ("sessions/a.jsonl:2", "The line is longer than 32 MB.", 1) in told(source)
    (session,) = source.sessions()
    assert (
        session.sha256 == hashlib.sha256((tmp_path / "sessions/a.jsonl").read_bytes()).hexdigest()
    )


def test_a_line_just_short_of_the_limit_comes_in(tmp_path, monkeypatch):
    monkeypatch.setattr(jsonl_lines, "MAX_LINE", len(HELLO) + 1)
    path = write(tmp_path, "a", HELLO, line("user", "Hello!!"), HELLO)
    source = JsonlSource(tmp_path)
    assert read(source) == {"a": [TALK[0], TALK[0]]}
    assert told(source) == [("sessions/a.jsonl:2", "The line is longer than 0 MB.", 1)]
    path.write_bytes(path.read_bytes() + line("user", "Hello!!"))  # at the very end
    assert read(source) == {"a": [TALK[0], TALK[0]]}
    assert [where for where, _, _ in told(source)] == ["sessions/a.jsonl:2", "sessions/a.jsonl:4"]


def test_memory_is_constant_however_long_a_file_is(tmp_path):
    path = write(tmp_path, "a")
    with path.open("wb") as file:
        for number in range(100_000):
            file.write(line("user", f"This is what I said as number {number}") + b"\n")
            file.write(b"broken line\n")
    source = JsonlSource(tmp_path)
    tracemalloc.start()
    (session,) = source.sessions()
    count = sum(1 for _ in source.messages(session))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (session.messages, count) == (100_000, 100_000)
    assert peak < 20_000_000
    problems = list(source.problems())
    assert sum(one.lost for one in problems) == 100_000
    assert len(problems) == 101


def test_links_pipes_and_folders_are_left_out(tmp_path):
    outside = tmp_path / "secret"
    outside.write_bytes(HELLO)
    write(tmp_path, "a", HELLO)
    folder = tmp_path / "sessions"
    (folder / "link.jsonl").symlink_to(outside)
    (folder / "folder.jsonl").mkdir()
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "b.jsonl.importing").write_bytes(HELLO)
    source = JsonlSource(tmp_path)
    assert read(source) == {"a": TALK[:1]}
    assert sorted(where for where, _, _ in told(source)) == [
        f"sessions/{name}.jsonl{end}"
        for name, end in (("b", ".importing"), ("folder", ""), ("link", ""), ("pipe", ""))
    ]
    assert all(lost == 1 for _, _, lost in told(source))


def test_names_that_are_no_text_stay_apart(tmp_path):
    folder = tmp_path / "sessions"
    folder.mkdir()
    for name in (b"\xfe.jsonl", b"\xff.jsonl"):
        (Path(os.fsdecode(os.fsencode(folder) + b"/" + name))).write_bytes(HELLO)
    assert read(JsonlSource(tmp_path)) == {"\\xfe": TALK[:1], "\\xff": TALK[:1]}


@pytest.mark.parametrize("at", [datetime(1950, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)])
def test_a_files_impossible_time_is_told(tmp_path, at):
    dated(write(tmp_path, "a", HELLO), at)
    source = JsonlSource(tmp_path)
    (session,) = source.sessions()
    assert session.at == datetime(1970, 1, 1, tzinfo=UTC)
    assert [lost for _, _, lost in told(source)] == [0]


def test_what_is_written_while_it_is_read_is_not_taken_in(tmp_path):
    path = write(tmp_path, "a", HELLO)
    source = JsonlSource(tmp_path)
    (session,) = source.sessions()
    with path.open("ab") as file:
        file.write(ANSWER)
    assert [one.role for one in source.messages(session)] == ["user"]
    assert told(source) == []
    path.write_bytes(ANSWER)
    assert [one.role for one in source.messages(session)] == []
    assert told(source) == [("sessions/a.jsonl", "It changed while it was read.", 1)]
    path.unlink()
    assert list(source.messages(session)) == []
    assert [where for where, _, _ in told(source)] == ["sessions/a.jsonl"]
