"""Bodies that are refused: never a 5xx, and nothing is left behind."""

from __future__ import annotations

import json

import pytest

from tests.rows import row_counts

PATH = "/sessions/s1/messages"
GOOD = b'{"role": "user", "content": "Hello"}'


@pytest.fixture(params=["bob", "alice as bob"])
def send(request, api, cast):
    """Send these bytes; refused ones must leave every table as it was."""
    sender = cast.bob.headers if request.param == "bob" else cast.alice_as("bob")
    headers = {**sender, "X-Bailiwick-Agent": "newcomer"}

    def post(data, content_type="application/json", path=PATH):
        before = row_counts(cast.north, cast.south)
        answer = api.raw("POST", path, headers, data, content_type)
        if answer.status != 200:
            assert row_counts(cast.north, cast.south) == before
        return answer

    return post


def body(**fields):
    return json.dumps({"role": "user", "content": "Hello", **fields}).encode()


def test_the_good_body_is_taken(send):
    assert send(GOOD).status == 200


@pytest.mark.parametrize("content", ["", " ", "\n\t ", "\u2003"])
def test_blank_is_refused(send, content):
    assert send(body(content=content)).status == 400
    assert send(body(parts=[{"type": "text", "text": content}])).status == 400


def test_no_parts_at_all_is_refused(send):
    assert send(body(parts=[])).status == 400


@pytest.mark.parametrize("data", [b'{"role": "user"}', b'{"role": "user", "content": null}'])
def test_neither_content_nor_parts_is_malformed(send, data):
    answer = send(data)
    assert answer.status == 422
    assert answer.body["error"]["details"]["errors"][0]["loc"] == ["body", "content"]


@pytest.mark.parametrize(
    "data",
    [
        *(b"{}", b"[]", b"null", b'"text"', b"5", b'{"content": "Hello"}'),
        *(body(content=5), body(content=["Hello"]), body(parts="Hello"), body(parts=["Hello"])),
        *(body(parts=[{}]), body(parts=[{"type": 5}]), body(parts=[{"type": "text"}])),
        *(body(parts=[{"type": "text", "text": None}]), body(source=5), body(peer_id=5)),
    ],
)
def test_wrong_shape_is_malformed(send, data):
    answer = send(data)
    assert (answer.status, answer.code) == (422, "INVALID_ARGUMENT")
    assert answer.body["error"]["details"]["errors"]
    assert "Hello" not in str(answer.body)


@pytest.mark.parametrize("data", [b"[]", b"null", b"0", b'""', b"false", b"[{}]", b"5", b'"a"'])
def test_a_body_that_is_no_object_is_malformed(send, data):
    """Also where no field is needed."""
    assert send(data, path="/sessions").status == 422
    assert send(b"{}", path="/sessions").status == 200


@pytest.mark.parametrize(
    "data",
    [
        *(b"{", b"not json", GOOD + b"}", GOOD[:-1], b"\x00", b"'single'"),
        b'{"role": "user", "content": "\xff\xfe"}',  # malformed UTF-8
        b'{"role": "user", "content": "\xed\xa0\x80"}',  # a surrogate in UTF-8
        GOOD.decode().encode("utf-16"),
        b"\xef\xbb\xbf" + GOOD,  # a byte order mark
        b'{"role": "user", "content": "raw \x00 NUL"}',
        b'{"role": "user", "content": "line\nfeed"}',
    ],
)
def test_malformed_json_is_refused(send, data):
    assert (send(data).status, send(data).code) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    "words", [r"escaped \u0000 NUL", r"lone \ud800", r"lone \udfff low", r"\udc00\ud800 swapped"]
)
def test_text_that_cannot_be_kept_is_refused(send, words):
    for data in (
        '{"role": "user", "content": "%s"}',
        '{"role": "user", "parts": [{"type": "text", "text": "%s"}]}',
        '{"role": "user", "content": "x", "parts": [{"type": "tool", "tool_input": {"a": "%s"}}]}',
        '{"role": "user", "content": "x", "parts": [{"type": "tool", "tool_input": {"%s": 1}}]}',
        '{"role": "%s", "content": "x"}',
        '{"role": "user", "content": "x", "ignored": "%s"}',
    ):
        assert send((data % words).encode()).status == 400, data


def test_pairs_of_surrogates_are_text(send, api, cast):
    assert send(rb'{"role": "user", "content": "\ud83d\ude00"}').status == 200
    (row,) = api.get(PATH, cast.bob.headers).result
    assert row["parts"] == [{"type": "text", "text": "😀"}]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_are_not_json_are_refused(send, number):
    data = '{"role": "user", "parts": [{"type": "tool", "duration_ms": %s}]}'
    assert send((data % number).encode()).status == 400
    assert send((data % "1e300").encode()).status == 200


@pytest.mark.parametrize("digits", [20, 400, 4_000])
def test_huge_integers_are_kept(send, api, cast, digits):
    number = "9" * digits
    data = '{"role": "user", "parts": [{"type": "tool", "duration_ms": %s}]}'
    assert send((data % number).encode()).status == 200
    (row,) = api.get(PATH, cast.bob.headers).result
    assert row["parts"][0]["duration_ms"] == int(number)


def test_integers_beyond_reading_are_refused(send):
    data = '{"role": "user", "parts": [{"type": "tool", "duration_ms": %s}]}'
    assert send((data % ("9" * 100_000)).encode()).status == 400


@pytest.mark.parametrize("depth", [100, 5_000, 500_000])
def test_deep_json_is_refused(send, depth):
    deep = "[" * depth + "]" * depth
    data = '{"role": "user", "content": "x", "parts": [{"type": "other", "deep": %s}]}'
    assert send((data % deep).encode()).status == 400
    assert send((data % "[[[[]]]]").encode()).status == 200


def test_depth_counts_without_escapes_too(send):
    deep = '{"a": ' * 100 + "1" + "}" * 100
    data = '{"role": "user", "content": "x", "ignored": %s}'
    assert send((data % deep).encode()).status == 400


def test_body_over_the_limit_is_too_large(send, settings):
    over = body(content="x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    answer = send(over)
    assert (answer.status, answer.code) == (413, "RESOURCE_EXHAUSTED")


def test_body_below_the_limit_is_taken(send, settings):
    room = settings.DATA_UPLOAD_MAX_MEMORY_SIZE - len(body(content=""))
    assert send(body(content="wörds"[:1] * room)).status == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
    ],
)
def test_another_content_type_is_refused(send, content_type):
    answer = send(GOOD, content_type)
    assert (answer.status, answer.code) == (415, "INVALID_ARGUMENT")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_jsons_content_type_may_carry_parameters(send, content_type):
    assert send(GOOD, content_type).status == 200


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_empty_body_needs_no_content_type(send, content_type):
    """A session needs no field, so no body; a message has fields that are missing then."""
    assert send(b"", content_type).status in (400, 422)
    assert send(b"", content_type, "/sessions").status == 200


@pytest.mark.parametrize("session_id", ["a b", "x" * 129, "é", "a.b", "%00", "%ff", "%F0%9F%98%80"])
def test_malformed_session_id_is_refused(send, session_id):
    assert send(GOOD, path=f"/sessions/{session_id}/messages").status == 400
    longest = "x" * 128
    assert send(GOOD, path=f"/sessions/{longest}/messages").status == 200


@pytest.mark.parametrize("peer", [" ", "x" * 256, "a\0b"])
def test_a_peer_that_cannot_be_named_is_refused(send, peer):
    answer = send(body(peer_id=peer))
    assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT")
    assert send(body(peer_id="dana")).status == 200


@pytest.mark.parametrize("peer", [None, ""])
def test_no_peer_is_no_contact(send, api, cast, peer):
    assert send(body(peer_id=peer)).status == 200
    assert api.get("/sessions/s1", cast.bob.headers).result["participant_contact_ids"] == []
