"""Parts of messages: their kinds through the API, and the pure functions on them."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import InvalidArgument, Malformed
from sessions_app.parts import parts_of, text_of, tokens_of

TEXT = {"type": "text", "text": "The 07:40 train, please."}
CONTEXT = {
    "type": "context",
    "uri": "viking://user/bob/memories/facts/1",
    "context_type": "memory",
    "abstract": "Takes early trains.",
}
TOOL = {
    "type": "tool",
    "tool_id": "call_1",
    "tool_name": "timetable",
    "tool_input": {"from": "Porto", "to": ["Braga", None, 1.5, True]},
    "tool_output": "07:40",
    "tool_status": "completed",
    "duration_ms": 12,
}
UNKNOWN = {"type": "hologram", "light": {"deep": [[[{}]]]}, "": ""}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
text_parts = st.builds(lambda text: {"type": "text", "text": text}, st.text(max_size=200))
other_parts = st.builds(
    lambda kind, rest: {**rest, "type": kind},
    st.text(max_size=10).filter(lambda kind: kind != "text"),
    st.dictionaries(st.text(max_size=10), values, max_size=4),
)


@pytest.mark.parametrize("parts", [[TEXT], [CONTEXT], [TOOL], [UNKNOWN], [TOOL, TEXT, CONTEXT]])
def test_every_kind_is_kept_as_it_was_sent(api, cast, parts):
    sent = {"role": "assistant", "parts": parts}
    assert api.post("/sessions/s1/messages", cast.bob.headers, sent).status == 200
    for path in ("/sessions/s1/messages", "/sessions/s1/context"):
        result = api.get(path, cast.bob.headers).result
        (row,) = result["messages"] if path.endswith("context") else result
        assert row["parts"] == parts


def test_parts_win_over_content(api, cast):
    assert api.say(cast.bob.headers, "s1", "Not kept", parts=[TEXT]).status == 200
    (row,) = api.get("/sessions/s1/messages", cast.bob.headers).result
    assert row["parts"] == [TEXT]


def test_content_is_one_text_part(api, cast):
    assert api.say(cast.bob.headers, "s1", " Kept with spaces \n").status == 200
    (row,) = api.get("/sessions/s1/messages", cast.bob.headers).result
    assert row["parts"] == [{"type": "text", "text": " Kept with spaces \n"}]


def test_only_what_was_said_is_searched(api, cast):
    parts = [{"type": "text", "text": "apricots"}, TOOL, CONTEXT]
    api.post("/sessions/s1/messages", cast.bob.headers, {"role": "user", "parts": parts})

    def found(q):
        return [row["session_id"] for row in api.get("/sessions", cast.bob.headers, q=q).result]

    assert found("apricots") == ["s1"]
    assert found("timetable") == []
    assert found("trains") == []


@pytest.mark.parametrize(
    "part",
    [
        {**TOOL, "duration_ms": 10**400},
        {**TOOL, "duration_ms": -1},
        {**TOOL, "duration_ms": "soon", "tool_name": None, "tool_input": [1], "tool_output": {}},
        {**TOOL, "duration_ms": True, "tool_status": ["a"], "tool_output": None},
        {**TOOL, "tool_output": "x" * 10_000},
        {"type": "tool"},
        {"type": "context", "uri": 5, "abstract": ["a"]},
        {"type": "context"},
        {"type": ""},
        UNKNOWN,
    ],
    ids=lambda part: str(part)[-60:],
)
def test_a_page_shows_whatever_was_kept(api, cast, sign_in, part):
    """A tool's fields have the types that the tool gave them."""
    browser = sign_in("alice")
    sent = {"role": "tool", "parts": [part]}
    assert api.post("/sessions/s1/messages", cast.bob.headers, sent).status == 200
    assert browser.get("/a/north/sessions").status_code == 200
    assert browser.get("/a/north/sessions/s1").status_code == 200
    assert browser.get("/a/north/sessions/s1/messages/1").status_code == 200


@given(st.lists(text_parts | other_parts, max_size=5))
def test_parts_are_kept_or_refused_but_never_changed(parts):
    before = json.dumps(parts)
    said = any(part["type"] != "text" or part["text"].strip() for part in parts)
    if said:
        assert parts_of(None, parts) == parts
    else:
        with pytest.raises(InvalidArgument):
            parts_of("content does not count beside parts", parts)
    assert json.dumps(parts) == before


@given(st.text())
def test_content_becomes_its_own_text(content):
    if content.strip():
        assert text_of(parts_of(content, None)) == content
    else:
        with pytest.raises(InvalidArgument):
            parts_of(content, None)


def test_neither_is_malformed():
    with pytest.raises(Malformed):
        parts_of(None, None)


@given(st.lists(text_parts, min_size=1, max_size=5))
def test_text_is_what_the_text_parts_say(parts):
    assert text_of([TOOL, *parts, CONTEXT]) == "\n".join(part["text"] for part in parts)


@given(st.lists(text_parts, max_size=5))
def test_tokens_are_a_quarter_of_the_characters_rounded_up(parts):
    characters = sum(len(part["text"]) for part in parts)
    assert tokens_of(parts) == math.ceil(characters / 4)


@given(st.lists(text_parts | other_parts, max_size=4), text_parts | other_parts)
def test_one_more_part_never_costs_less(parts, more):
    assert tokens_of([*parts, more]) >= tokens_of(parts) >= 0


@given(other_parts)
def test_parts_that_are_not_text_cost_tokens(part):
    assert tokens_of([part]) > 0
