"""Messages of the agent OS database (format C): every block, every fault, any bytes."""

from __future__ import annotations

import base64
import json
import math
import sqlite3
import struct
import tempfile
import tracemalloc
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memory.importers.openfang import OpenfangSource
from memory.importers.openfang_blocks import Conversation
from memory.importers.values import MAX_DEPTH
from sessions_app.parts import parts_of, tokens_of
from tests.memory.importers.fixtures_openfang import Store, answer, call, packed, said, text

PNG = base64.b64encode(b"\x89PNG").decode()
Told = list[tuple[str, list[dict[str, Any]]]]


def read(blob: bytes) -> tuple[Told, list[tuple[str, int]]]:
    """Messages and problems of a blob; what comes must be fit to be kept."""
    conversation = Conversation(BytesIO(blob), len(blob))
    drafts = list(conversation)
    found = list(conversation.problems())
    for draft in drafts:
        assert draft.parts
        json.dumps(draft.parts, ensure_ascii=False, allow_nan=False).encode()
        assert "\0" not in str(draft.parts)
        if any(part["type"] != "text" or part["text"].strip() for part in draft.parts):
            assert tokens_of(parts_of(None, draft.parts)) > 0
    assert [(one.role, one.parts) for one in conversation] == [(d.role, d.parts) for d in drafts]
    return [(draft.role, draft.parts) for draft in drafts], found


BLOCKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text": (text("Hello"), text("Hello")),
    "text with more": (
        {**text("Hello"), "provider_metadata": {"cache": True}},
        {**text("Hello"), "provider_metadata": {"cache": True}},
    ),
    "text as bytes": ({"type": "text", "text": "Zoë".encode()}, text("Zoë")),
    "image": (
        {"type": "image", "media_type": "image/png", "data": PNG},
        {"type": "image", "media_type": "image/png", "data": PNG},
    ),
    "image as bytes": (
        {"type": "image", "media_type": "image/png", "data": b"\x89PNG"},
        {"type": "image", "media_type": "image/png", "data": PNG},
    ),
    "call": (
        call("trains", "c1", to="Braga"),
        {
            "type": "tool", "tool_id": "c1", "tool_name": "trains", "tool_input": {"to": "Braga"},
            "tool_status": "pending",
        },
    ),
    "answer alone": (
        answer("c0", "07:40", name="trains"),
        {
            "type": "tool", "tool_id": "c0", "tool_name": "trains", "tool_output": "07:40",
            "tool_status": "completed",
        },
    ),
    "thinking": (
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
    ),
    "redacted thinking": (
        {"type": "redacted_thinking", "data": "opaque"},
        {"type": "redacted_thinking", "data": "opaque"},
    ),
    "unknown": (
        {"type": "hologram", "tool_id": 7, "beams": [1, None, {"a": 2.5}]},
        {"type": "hologram", "tool_id": 7, "beams": [1, None, {"a": 2.5}]},
    ),
    "extension": (
        {"type": "hologram", "at": msgpack.Timestamp(0, 0), "x": msgpack.ExtType(5, b"a")},
        {
            "type": "hologram", "at": "Timestamp(seconds=0, nanoseconds=0)",
            "x": {"ext": 5, "data": "YQ=="},
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_becomes_a_part(name: str) -> None:
    block, part = BLOCKS[name]
    assert read(packed(said("assistant", [block]))) == ([("assistant", [part])], [])


def test_content_may_be_a_text_and_any_of_the_roles_may_say_it() -> None:
    roles = ["system", "user", "assistant"]
    told, problems = read(packed(*(said(role, f"As {role}") for role in roles)))
    assert told == [(role, [text(f"As {role}")]) for role in roles]
    assert problems == []


def test_blank_messages_stay_messages() -> None:
    told, problems = read(packed(said("user", ""), said("user", []), said("user", [text(" ")])))
    assert told == [("user", [text("")]), ("user", [text("")]), ("user", [text(" ")])]
    assert problems == []


def test_an_answer_goes_into_the_part_of_its_call() -> None:
    told, problems = read(packed(
        said("assistant", [text("Let me look."), call("trains", "c1"), call("weather", "c2")]),
        said("user", [answer("c2", "No network", error=True), answer("c1", "07:40")]),
        said("assistant", "At 07:40."),
    ))  # fmt: skip
    assert [role for role, _ in told] == ["assistant", "assistant"]
    _, trains, weather = told[0][1]
    assert (trains["tool_output"], trains["tool_status"]) == ("07:40", "completed")
    assert (weather["tool_output"], weather["tool_status"]) == ("No network", "error")
    assert problems == []


def test_ids_of_calls_that_are_used_again_keep_their_own_answers() -> None:
    told, _ = read(packed(
        said("user", [answer("c", "before any call")]),
        said("assistant", [call("a", "c")]), said("user", [answer("c", "first"), text("and")]),
        said("assistant", [call("b", "c")]), said("user", [answer("c", "second")]),
        said("user", [answer("c", "once more")]),
        said("assistant", [call("d", "")]), said("user", [answer("", "for nobody")]),
    ))  # fmt: skip
    outputs = [
        (part["tool_name"], part.get("tool_output"))
        for _, parts in told for part in parts if part["type"] == "tool"
    ]  # fmt: skip
    assert outputs == [
        ("", "before any call"), ("a", "first"), ("b", "second"), ("", "once more"),
        ("d", None), ("", "for nobody"),
    ]  # fmt: skip
    assert told[2] == ("user", [text("and")])


def test_an_answer_to_a_call_that_is_not_given_is_not_lost_with_it() -> None:
    told, problems = read(packed(
        said("narrator", [call("a", "c")]), said("user", [answer("c", "kept")])
    ))  # fmt: skip
    assert [parts[0]["tool_output"] for _, parts in told] == ["kept"]
    assert problems == [("Messages of unknown roles (narrator): 1.", 1)]


def test_the_source_of_a_message_is_kept_when_it_is_known() -> None:
    blob = packed(*(
        said("user", "?", source=one) for one in ("context_injection", None, "stranger")
    ))  # fmt: skip
    conversation = Conversation(BytesIO(blob), len(blob))
    assert [one.source for one in conversation] == ["context_injection", None, None]
    assert [what for what, _ in conversation.problems()] == [
        "Unknown sources of messages were left out: stranger."
    ]


def test_what_is_no_message_is_counted_and_the_rest_goes_on() -> None:
    told, problems = read(packed(
        said("user", "1"), 7, None, "text", ["user", "x"], {"content": "?"}, {"role": 3},
        said("robot", "?"), said("robot\0", "?"), said("user", None), said("user", {"a": 1}),
        said("user", [{"type": 9}, "bare", {"no": "type"}]),
        said("user", [{"type": "text", "text": None}, text("left")]), said("user", "2"),
    ))  # fmt: skip
    assert told == [("user", [text(one)]) for one in ("1", "left", "2")]
    assert problems == [
        ("Messages that are none: 6.", 6),
        ("Messages that say nothing that can be read: 3.", 3),
        ("Messages of unknown roles (robot): 2.", 2),
        ("Blocks that are no blocks were left out of its messages: 4.", 0),
        ("NUL characters were taken out of its texts.", 0),
    ]


# --- hostile bytes ---


def test_texts_are_cleaned_and_that_is_said_once() -> None:
    raw = msgpack.packb(["@1", "@2"]).replace(b"@1", b"\xff\0").replace(b"@2", b"\xc3(")
    first, second = msgpack.Unpacker(BytesIO(raw), unicode_errors="surrogateescape").unpack()
    messages = [said("user", first), said("user", [{"type": "x\0", first: [{second: second}]}])]
    blob = msgpack.packb(messages, unicode_errors="surrogateescape")
    told, problems = read(blob)
    assert told[0] == ("user", [text("\N{REPLACEMENT CHARACTER}")])
    assert told[1][1] == [{"type": "x", "�": [{"�(": "�("}]}]
    assert problems == [
        ("NUL characters were taken out of its texts.", 0),
        ("Broken characters in its texts were replaced.", 0),
    ]


def test_surrogates_and_numbers_that_are_none_are_made_fit() -> None:
    lone = msgpack.packb("\ud800", unicode_errors="surrogatepass")
    odd = {"type": "x", "n": math.nan, "i": math.inf, "big": 2**64 - 1, "lone": "@@@"}
    told, problems = read(packed(said("user", [odd])).replace(b"\xa3@@@", lone))
    (part,) = told[0][1]
    assert (part["n"], part["i"], part["big"]) == ("nan", "inf", 2**64 - 1)
    assert part["lone"] == "\N{REPLACEMENT CHARACTER}" * 3
    assert [what for what, _ in problems] == ["Broken characters in its texts were replaced."]


def test_keys_that_are_no_text_become_text() -> None:
    odd = b"\x82\x91\x01\x02\xc0\x03"  # {[1]: 2, nil: 3}
    blob = packed(said("user", [{"type": "x", "deep": "@"}])).replace(b"\xa1@", odd)
    assert read(blob)[0][0][1] == [{"type": "x", "deep": {"[1]": 2, "None": 3}}]


@pytest.mark.parametrize("depth", [MAX_DEPTH - 2, MAX_DEPTH, 400, 1500, 1_000_000])
def test_values_may_be_nested_to_a_depth(depth: int) -> None:
    nest = b"\x91" * depth + b"\x01"
    blob = packed(said("user", "1"), said("user", [call("t", "c", x="@")]), said("user", "2"))
    told, problems = read(blob.replace(b"\xa1@", nest))
    assert told[0] == ("user", [text("1")])
    if depth < MAX_DEPTH - 1:
        assert (len(told), problems) == (3, [])
    elif len(told) == 3:
        assert problems == [(f"Values nested deeper than {MAX_DEPTH} levels were left out.", 0)]
    else:  # deeper than the format's own reader goes: that is where it ends
        assert depth > 400
        assert [lost for _, lost in problems] == [2]


HEADERS = {
    "messages": b"\xdd\xff\xff\xff\xff",
    "array": b"\x91\x82\xa4role\xa4user\xa7content\xdd\xff\xff\xff\xff",
    "map": b"\x91\xdf\xff\xff\xff\xff",
    "text": b"\x91\xdb\xff\xff\xff\xffab",
    "bytes": b"\x91\xc6\xff\xff\xff\xffab",
    "extension": b"\x91\xc9\xff\xff\xff\xfe\x01",
    "arrays in arrays": b"\x91" + b"\xdd\x7f\xff\xff\xff" * 300,
    "maps in maps": b"\x91" + b"\xdf\x7f\xff\xff\xff\x01" * 300,
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_that_promise_too_much_allocate_nothing(name: str) -> None:
    tracemalloc.start()
    try:
        told, problems = read(HEADERS[name])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert told == []
    assert "is cut off after message 0" in problems[0][0]
    assert peak < 1024 * 1024


def test_a_length_that_overflows_reads_nothing_beyond_the_blob() -> None:
    for kind in (b"\x01", b"\xff"):
        told, problems = read(b"\x91\xc9\xff\xff\xff\xff" + kind)
        assert told == []
        assert ("Messages that cannot be decoded: 1.", 1) in problems


MANY = [
    said("user", "Which train?"), said("assistant", [text("One moment."), call("t", "c1", a=[1])]),
    said("user", [answer("c1", "07:40")]), said("assistant", "The 07:40.", msg_id="m4"),
    said("user", [{"type": "image", "media_type": "image/png", "data": PNG}]),
]  # fmt: skip


def test_cut_off_at_any_byte_it_gives_the_messages_before() -> None:
    blob = packed(*MANY)
    ends = [1]
    for message in MANY:
        ends.append(ends[-1] + len(msgpack.packb(message)))
    for cut in range(len(blob)):
        told, problems = read(blob[:cut])
        whole = sum(end <= cut for end in ends[1:])
        if cut == 0:
            assert (told, problems) == ([], [])
            continue
        assert told == read(packed(*MANY[:whole]))[0]
        lost = len(blob[:cut]) - ends[whole]
        assert problems == [(
            f"Its list of messages is cut off after message {whole}: {lost} bytes are lost.",
            5 - whole if 5 - whole <= cut else 1,
        )]  # fmt: skip


def test_broken_at_any_byte_it_raises_nothing() -> None:
    blob = packed(*MANY)
    for place in range(len(blob)):
        for value in (0x00, 0x7F, 0x80, 0x91, 0xC1, 0xC7, 0xD9, 0xDC, 0xDF, 0xFF):
            read(blob[:place] + bytes([value]) + blob[place + 1 :])
    told, problems = read(blob[:1] + msgpack.packb(MANY[0]) + b"\xc1" + blob[1:])
    assert [parts for _, parts in told] == [[text("Which train?")]]
    assert problems == [
        (f"Its list of messages is broken after message 1: {len(blob)} bytes are lost.", 4)
    ]


def test_bytes_after_the_last_message_are_named() -> None:
    told, problems = read(packed(MANY[0]) + b"abc")
    assert len(told) == 1
    assert problems == [
        ("3 bytes after its last message belong to none and are left out.", 0)
    ]  # fmt: skip


@pytest.mark.parametrize("blob", [b"\x80", b"\xc0", b"hello", b"\xc1", struct.pack(">Q", 2**63)])
def test_what_is_no_list_is_named(blob: bytes) -> None:
    told, problems = read(blob)
    assert told == []
    assert problems[0][0].startswith(("Its messages are no MessagePack list", "Its list of"))


def test_a_message_that_cannot_be_decoded_takes_no_other_with_it() -> None:
    # A time of three bytes is whole, but no time.
    bad = b"\x81\xa4role\xc7\x03\xff\x01\x02\x03"
    blob = b"\x93" + msgpack.packb(MANY[0]) + bad + msgpack.packb(MANY[3])
    told, problems = read(blob)
    assert len(told) == 2
    assert problems == [("Messages that cannot be decoded: 1.", 1)]


@pytest.mark.parametrize("column", [None, 7, 1.5, "a text", b""])
def test_a_column_that_holds_no_blob_leaves_an_empty_session(
    tmp_path: Path, column: object
) -> None:
    store = Store(tmp_path)
    store.run("ALTER TABLE sessions RENAME TO old; CREATE TABLE sessions AS SELECT * FROM old")
    store.session(blob=b"", id="before")
    with closing(sqlite3.connect(store.path)) as database, database:
        database.execute("UPDATE sessions SET messages = ?", (column,))
    source = OpenfangSource(store.path)
    (session,) = source.sessions()
    assert (session.messages, list(source.messages(session))) == (0, [])
    assert len(list(source.problems())) == (0 if column == b"" else 1)


def test_a_blob_larger_than_the_buffer_is_read_in_pieces(tmp_path: Path) -> None:
    store = Store(tmp_path)
    key = store.session(*(said("user", "x" * 50_000 + str(n)) for n in range(400)))
    source = OpenfangSource(store.path)
    tracemalloc.start()
    try:
        (session,) = source.sessions()
        ends = [one.parts[0]["text"][50_000:] for one in source.messages(session)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (session.key, session.length > 20_000_000) == (key, True)
    assert ends == [str(n) for n in range(400)]
    assert peak < 4 * 1024 * 1024


# --- round trips through real MessagePack and SQLite ---

words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | words
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
kept = st.one_of(
    st.builds(text, words),
    st.builds(lambda t: {"type": "thinking", "thinking": t}, words),
    st.builds(lambda d: {"type": "redacted_thinking", "data": d}, words),
    st.builds(lambda d: {"type": "image", "media_type": "image/png", "data": d}, words),
    st.builds(lambda v: {"type": "later", "value": v}, values),
)
contents = words | st.lists(kept, min_size=1, max_size=4)
messages = st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), contents))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(messages, min_size=1, max_size=3))
def test_every_message_comes_once_in_order_as_it_was(sessions: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), 9)
        for number, told in enumerate(sessions):
            store.session(*(said(role, content) for role, content in told), id=f"s{number}")
        source = OpenfangSource(store.path)
        found = list(source.sessions())
        assert [(one.key, one.messages) for one in found] == [
            (f"s{number}", len(told)) for number, told in enumerate(sessions)
        ]
        for session, told in zip(found, sessions, strict=True):
            assert [(one.role, one.parts) for one in source.messages(session)] == [
                (role, [text(content)] if isinstance(content, str) else content)
                for role, content in told
            ]
        assert list(source.problems()) == []


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), values), max_size=12))
def test_every_call_and_every_answer_comes_exactly_once(steps: list[Any]) -> None:
    told = [
        said("user", [answer(key, [number, value])]) if is_answer
        else said("assistant", [{**call(key, key), "input": [number, value]}])
        for number, (key, is_answer, value) in enumerate(steps)
    ]  # fmt: skip
    parts = [part for _, parts in read(packed(*told))[0] for part in parts]
    numbers = [
        part[name][0] for part in parts for name in ("tool_input", "tool_output") if name in part
    ]
    assert sorted(numbers) == list(range(len(steps)))
    for part in parts:
        if "tool_input" in part and "tool_output" in part:
            assert part["tool_input"][0] < part["tool_output"][0]
            assert steps[part["tool_input"][0]][0] == steps[part["tool_output"][0]][0]


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_raise_nothing(blob: bytes) -> None:
    read(blob)
    read(b"\x92" + blob)
    read(packed(said("user", [call("t", "c")]))[:-1] + blob)
