"""Appending messages: what a valid one does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, product

import pytest

from accounts import tenancy
from sessions_app.models import Message, Session
from sessions_app.services import session_update


def test_it_works(api, cast):
    done = api.say(cast.bob.headers, "s1", "Hello")
    assert done.status == 200
    assert done.result["session_id"] == "s1"
    assert (done.result["message_count"], done.result["seq"]) == (1, 1)
    assert done.result["message_id"].startswith("msg_")


def test_seq_goes_on_from_the_last_message(api, cast):
    answers = [
        api.say(who.headers, "s1", "Hello").result
        for who in (cast.bob, cast.beth, cast.alice, cast.bob)
    ]
    assert [answer["seq"] for answer in answers] == [1, 2, 3, 4]
    assert [answer["message_count"] for answer in answers] == [1, 2, 3, 4]
    assert len({answer["message_id"] for answer in answers}) == 4


def test_first_message_makes_a_session_of_the_effective_user_and_agent(api, cast):
    api.say({**cast.bob.headers, "X-Bailiwick-Agent": "ada"}, "s1")
    detail = api.get("/sessions/s1", cast.bob.headers).result
    assert detail["user"] == {"account_id": "north", "user_id": "bob", "agent_id": "ada"}
    assert detail["created_by_user_id"] == "bob"


def test_creator_never_changes(api, cast):
    api.say(cast.bob.headers, "s1")
    for headers in (cast.beth.headers, cast.alice.headers, cast.root_as("beth")):
        api.say(headers, "s1")
    detail = api.get("/sessions/s1", cast.beth.headers).result
    assert (detail["created_by_user_id"], detail["user"]["user_id"]) == ("bob", "bob")


def test_session_id_is_found_in_any_case_and_keeps_its_first_spelling(api, cast):
    api.say(cast.bob.headers, "Trip-To-Porto")
    done = api.say(cast.beth.headers, "trip-to-PORTO").result
    assert (done["session_id"], done["seq"]) == ("Trip-To-Porto", 2)
    assert api.get("/sessions/TRIP-TO-PORTO", cast.bob.headers).result["message_count"] == 2


def test_written_by_names_the_real_principal(api, cast):
    for headers in (cast.bob.headers, cast.alice_as("bob"), cast.root_as("bob")):
        api.say(headers, "s1")
    with tenancy.account(cast.north):
        rows = list(Message.objects.filter(session__session_id="s1").order_by("seq"))
        owner = Session.objects.get(session_id="s1").owner_id
    assert [row.role_id for row in rows] == ["bob"] * 3
    bob, alice, root = (row.written_by for row in rows)
    assert bob == owner
    assert len({bob, alice, root}) == 3
    assert str(root) == "ffffffff-ffff-ffff-ffff-ffffffffffff"
    assert rows[0].written_key
    assert rows[1].written_key
    assert rows[2].written_key is None


def test_source_is_kept(api, cast):
    api.say(cast.bob.headers, "s1", "Injected", source="context_injection")
    api.say(cast.bob.headers, "s1", "Said", source=None)
    rows = api.get("/sessions/s1/messages", cast.bob.headers).result
    assert [row["source"] for row in rows] == ["context_injection", None]


def test_unknown_source_is_refused(api, cast):
    for source in ("other", "", "CONTEXT_INJECTION"):
        assert api.say(cast.bob.headers, "s1", source=source).status == 400
    assert api.get("/sessions/s1", cast.bob.headers).status == 404


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2024-05-06T07:08:09+02:00", datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)),
        ("2024-05-06T07:08:09Z", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        ("2024-05-06T07:08:09", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),  # naive: UTC
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_created_at_is_the_true_time(api, cast, sent, kept):
    api.say(cast.bob.headers, "s1", created_at=sent)
    (row,) = api.get("/sessions/s1/messages", cast.bob.headers).result
    assert datetime.fromisoformat(row["created_at"]) == kept
    detail = api.get("/sessions/s1", cast.bob.headers).result
    assert datetime.fromisoformat(detail["updated_at"]) == kept
    assert datetime.fromisoformat(detail["created_at"]) == kept


@pytest.mark.parametrize(
    "sent",
    ["1969-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2200-01-01T00:00:00Z", "9999-12-31"],
)
def test_created_at_too_far_away_is_refused(api, cast, sent):
    assert api.say(cast.bob.headers, "s1", created_at=sent).status == 400
    assert api.get("/sessions/s1", cast.bob.headers).status == 404


@pytest.mark.parametrize("sent", ["yesterday", "", {}, [], "2024-13-45T00:00:00Z", 10**40, True])
def test_created_at_of_a_wrong_type_is_malformed(api, cast, sent):
    answer = api.say(cast.bob.headers, "s1", created_at=sent)
    assert answer.status == 422
    assert answer.body["error"]["details"]["errors"][0]["loc"][-1] == "created_at"


def test_absent_created_at_is_now(api, cast):
    before = datetime.now(UTC)
    api.say(cast.bob.headers, "s1", created_at=None)
    (row,) = api.get("/sessions/s1/messages", cast.bob.headers).result
    at = datetime.fromisoformat(row["created_at"])
    assert before - timedelta(seconds=1) <= at <= datetime.now(UTC) + timedelta(seconds=1)


def test_ended_session_takes_no_message(api, cast, acting):
    api.say(cast.bob.headers, "s1")
    session_update(actor=acting("bob"), session_id="s1", state="ended")
    tenancy.leave()
    refused = api.say(cast.bob.headers, "s1")
    assert (refused.status, refused.code) == (412, "FAILED_PRECONDITION")
    assert api.get("/sessions/s1", cast.bob.headers).result["message_count"] == 1


def test_idle_session_becomes_active(api, cast):
    api.say(cast.bob.headers, "s1")
    with tenancy.account(cast.north):
        Session.objects.filter(session_id="s1").update(state=Session.State.IDLE)
    assert api.get("/sessions/s1", cast.bob.headers).result["state"] == "idle"
    api.say(cast.bob.headers, "s1")
    assert api.get("/sessions/s1", cast.bob.headers).result["state"] == "active"


def test_pending_tokens_are_those_of_the_messages(api, cast):
    for content, tokens in (("a", 1), ("abcd", 2), ("abcde", 4)):
        api.say(cast.bob.headers, "s1", content)
        assert api.get("/sessions/s1", cast.bob.headers).result["pending_tokens"] == tokens


@pytest.mark.parametrize(
    ("letters", "length"),
    [
        ("abcdefghijklmnopqrstuvwxyz0123456789", 4),
        ("абвгдежзиклмнопрстуфхцчшщыэюя", 4),
        ([chr(0x20000 + number) for number in range(300)], 2),
    ],
    ids=["latin", "cyrillic", "rare"],
)
def test_any_text_is_kept_however_many_words_it_has(api, cast, letters, length):
    """A search vector holds 1 MiB of words; a compound counts whole and in its parts."""
    words = ("".join(parts) for parts in islice(product(letters, repeat=length), 80_000))
    text = " ".join(f"{one}-{other}" for one, other in zip(words, words, strict=True))
    assert api.say(cast.bob.headers, "s1", text).status == 200
    (row,) = api.get("/sessions/s1/messages", cast.bob.headers).result
    assert row["parts"][0]["text"] == text
