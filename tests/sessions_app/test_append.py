"""Appending messages: role_id rules, what is refused, what a refusal leaves behind."""

from __future__ import annotations


def test_it_works(api, cast):
    done = api.say(cast.bob.headers, "s1", "Hello")
    assert done.status == 200
    assert done.result["session_id"] == "s1"
    assert (done.result["message_count"], done.result["seq"]) == (1, 1)
    assert done.result["message_id"].startswith("msg_")


def test_user_cannot_set_role_id(api, cast):
    for value in ("bob", None, ""):
        refused = api.say(cast.bob.headers, "s1", "Hello", role_id=value)
        assert (refused.status, refused.code) == (400, "INVALID_ARGUMENT")
    assert api.get("/sessions/s1", cast.bob.headers).status == 404
    assert api.say(cast.bob.headers, "s1", "Hello").status == 200
