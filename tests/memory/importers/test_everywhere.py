"""What came in is seen by every surface as if it had been said here."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from accounts import tenancy
from accounts.principals.models import Contact
from sessions_app.models import Session
from tests.memory.importers import fixtures_openfang, fixtures_sqlite
from tests.memory.importers.fixtures_jsonl import line, write
from tests.sessions_app.channel import Channel, gateway_headers

WORD = "heliotrope"


@pytest.fixture
def moved_in(api, cast, tmp_path):
    """Sessions of each format, with the word in them; those of channels belong to nobody in
    particular, as a gateway's do, the others to bob."""
    agent = {"agent_id": "quinn", "session_scope": "per_sender"}  # for the gateway
    assert api.post("/agents", cast.alice.headers, agent).status == 200
    write(tmp_path / "a", "telegram_4711", line("user", f"A {WORD}"), line("assistant", "Yes."))
    write(tmp_path / "a", "telegram_-100200_4712", line("user", f"A group's {WORD}"))
    write(tmp_path / "own", "gw_garden", line("user", f"Bob's {WORD}"), line("assistant", "Yes."))
    database = fixtures_sqlite.sessions_db(tmp_path / "b")
    fixtures_sqlite.say(database, "gw_shed", ("user", f"A second {WORD}", "2024-05-01T08:00:00Z"))
    database.close()
    store = fixtures_openfang.Store(tmp_path)
    store.session(fixtures_openfang.said("user", f"A third {WORD}"), id="kitchen")
    stores = {tmp_path / "a": "", tmp_path / "own": "bob", tmp_path / "b": "bob", store.path: "bob"}
    for path, user in stores.items():
        call_command("import_sessions", "auto", path, account="north", user=user, agent="quinn")
    with tenancy.account(cast.north):
        found = {
            row.session_id: (row.owner.user_id, row.contact_id, row.message_count)
            for row in Session.objects.select_related("owner")
        }
    assert len(found) == 5
    return found


def test_the_api_gives_them(api, cast, moved_in):
    bob, alice = cast.bob.headers, cast.alice.headers
    listed = {row["session_id"] for row in api.get("/sessions", alice, limit=200).result}
    assert listed == set(moved_in)
    found = {row["session_id"] for row in api.get("/sessions", alice, q=WORD).result}
    assert found == set(moved_in)
    for session_id, (owner, contact, count) in moved_in.items():
        detail = api.get(f"/sessions/{session_id}", alice).result
        assert (detail["created_by_user_id"], detail["message_count"]) == (owner, count)
        rows = api.get(f"/sessions/{session_id}/messages", alice).result
        assert [row["seq"] for row in rows] == list(range(1, count + 1))
        assert WORD in rows[0]["parts"][0]["text"]
        context = api.get(f"/sessions/{session_id}/context", alice)
        assert WORD in str(context.result)
        assert (detail["contact_id"] or None) == (str(contact) if contact else None)
        assert api.get(f"/sessions/{session_id}", bob).status == (200 if owner == "bob" else 404)
    assert api.get("/sessions/kitchen", cast.charlie.headers).status == 404


def test_the_pages_show_them(sign_in, moved_in):
    alice = sign_in("alice")
    listed = alice.get("/a/north/sessions").content.decode()
    searched = alice.get(f"/a/north/sessions?q={WORD}").content.decode()
    viewed = {}
    for session_id in moved_in:
        address = f"/a/north/sessions/{session_id}"
        assert address in listed
        assert address in searched
        assert WORD in alice.get(address).content.decode()
        viewed[session_id] = sign_in("bob").get(address)
    answer = alice.post("/a/north/view", {"user": "bob", "reason": "Moved in"})
    assert answer.status_code == 303
    for session_id, (owner, _, _) in moved_in.items():
        answer, own = alice.get(f"/a/north/sessions/{session_id}"), viewed[session_id]
        expected = (200, True) if owner == "bob" else (404, False)
        for seen in (answer, own):
            assert (seen.status_code, WORD.encode() in seen.content) == expected


def test_a_sender_who_came_in_is_known_to_the_gateway(api, cast, moved_in):
    def contacts():
        with tenancy.account(cast.north):
            return set(Contact.objects.values_list("pk", flat=True))

    before = contacts()
    channel = Channel(api, gateway_headers(cast.north))
    turn = channel.say("4711", "Hello again")
    _, contact, _ = moved_in["telegram_4711"]
    assert turn["contact"]["id"] == str(contact)
    assert contacts() == before
    assert moved_in["telegram_-100200_4712"][1] is not None
    group = channel.say("4712", "Hello, all", group="-100200")
    assert group["contact"]["id"] == str(moved_in["telegram_-100200_4712"][1])
    assert contacts() == before
    assert channel.say("4713", "I am new")["contact"]["id"] != str(contact)
    assert len(contacts()) == len(before) + 1
