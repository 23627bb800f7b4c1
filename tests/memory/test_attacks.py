"""What a hostile reading of memory found: each stays mended."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.actor import Operator
from accounts.principals.models import ContactHandle
from accounts.principals.services import user_create
from memory.models import Extraction, Memory
from sessions_app.models import Session
from tests.accounts.kit import contact_header, make_contact, with_key
from tests.memory.kit import agent_row, user_row
from tests.rows import all_text

LATE = "9999-12-31T23:59:59-12:00"


def agree(api, cast, c):
    assert (
        api("PUT", f"/contacts/{c}/consent", cast.alice.headers, {"state": "granted"}).status == 200
    )


def test_a_memory_expires_within_what_zones_can_show(api, cast, structured):
    assert (
        api.post("/memories", cast.bob.headers, {"content": "x", "expires_at": LATE}).status == 400
    )
    assert api.get("/memories", cast.alice.headers).status == 200


def test_consent_expires_within_what_zones_can_show(api, cast):
    c = make_contact(cast.north, "web", "c")
    assert (
        api(
            "PUT",
            f"/contacts/{c}/consent",
            cast.alice.headers,
            {"state": "granted", "expires_at": LATE},
        ).status
        == 400
    )


@pytest.mark.parametrize("later", [{"session_id": "s2"}, {}])
def test_erasing_a_session_takes_what_was_replaced_since(api, cast, remember, later):
    api.say(cast.bob.headers, "s1")
    api.say(cast.bob.headers, "s2")
    remember(cast.bob.headers, "CANARYX", topic_key="t", session_id="s1")
    remember(cast.bob.headers, "harmless", topic_key="t", **later)
    assert api("DELETE", "/sessions/s1", cast.alice.headers, memories="erase").status == 200
    assert "CANARYX" not in all_text(cast.north.schema_name)


def test_erasing_a_session_takes_what_was_heard_only_there(api, cast, remember):
    msg = api.say(cast.bob.headers, "s1").result["message_id"]
    remember(cast.bob.headers, "CANARYY", evidence=[msg])
    assert api("DELETE", "/sessions/s1", cast.alice.headers, memories="erase").status == 200
    assert "CANARYY" not in all_text(cast.north.schema_name)


def test_evidence_is_no_way_around_consent(api, cast, structured):
    c = make_contact(cast.north, "web", "c", owner="bob")
    msg = api.say(contact_header(cast.alice.headers, c), "cs", "blood type AB").result["message_id"]
    assert (
        api.post("/memories", cast.bob.headers, {"content": "AB", "evidence": [msg]}).status == 412
    )


def test_evidence_is_no_way_around_a_pause(api, cast, structured):
    msg = api.say(cast.bob.headers, "s1").result["message_id"]
    api("PATCH", "/sessions/s1", cast.bob.headers, {"memory_paused": True})
    assert (
        api.post("/memories", cast.bob.headers, {"content": "AB", "evidence": [msg]}).status == 412
    )


def gate(cast, a_key):
    for n, u in (("1", "bob"), ("2", "beth")):
        c = make_contact(cast.north, "telegram", n)
        with tenancy.account(cast.north):
            ContactHandle.objects.filter(contact=c).update(user=user_row(u))
    user_create(actor=Operator(), account=cast.north, user_id="gate")
    return a_key("gate", scopes=["read", "write", "gateway"], agents=["ada"])


def test_through_one_gateway_a_sender_cannot_edit_anothers(api, cast, remember, a_key):
    g = gate(cast, a_key)
    m = remember(contact_header(g, "telegram:1"), "bob's", scope="agent")
    assert (
        api(
            "PATCH", f"/memories/{m['id']}", contact_header(g, "telegram:2"), {"content": "x"}
        ).status
        == 403
    )


def test_a_bound_sender_does_not_control_the_gateways_own(api, cast, remember, a_key):
    g = gate(cast, a_key)
    remember(g, "gate's own")
    assert api("DELETE", "/users/gate/memory", contact_header(g, "telegram:1")).status == 403


def test_deleting_a_session_makes_no_memory_newer(api, cast, remember):
    api.say(cast.bob.headers, "s1")
    remember(cast.bob.headers, "OLD", topic_key="t", session_id="s1")
    remember(with_key(cast.bob.key, agent="ada"), "NEW", topic_key="t")
    api("DELETE", "/sessions/s1", cast.alice.headers)
    assert [
        x["content"] for x in api.get("/memories", cast.bob.headers).result if not x["hidden_by"]
    ] == ["NEW"]


def test_the_writer_still_edits_what_was_released(api, cast, remember, a_key):
    ada = a_key("bob", agents=["ada"])
    i = remember(ada, "x", scope="agent", topic_key="t")["id"]
    for verb in ("quarantine", "release"):
        api("POST", f"/memories/{i}/{verb}", cast.alice.headers)
    assert api("PATCH", f"/memories/{i}", ada, {"content": "y"}).status == 200


def test_what_superseded_is_named_to_who_sees_it(api, cast, remember):
    m = remember(cast.bob.headers)
    remember(cast.alice.headers, "alice's", supersedes=[m["id"]])
    assert api.get(f"/memories/{m['id']}", cast.bob.headers).result["superseded_by"] is None


def test_hidden_sessions_are_not_told_by_memories(api, cast, remember, set_policy):
    api.say(cast.beth.headers, "private-s")
    remember(cast.bob.headers, session_id="private-s")
    with tenancy.account(cast.north):
        Extraction.objects.create(
            user=user_row("bob"),
            agent=agent_row("default"),
            session=Session.objects.get(),
            first_seq=1,
            last_seq=1,
        )
    set_policy(sessions_visible_to="participants")
    assert api.get("/memories", cast.bob.headers, session="private-s").result == []
    assert api.get("/users/bob/memory/audit", cast.bob.headers).result[0]["session_id"] is None


def test_a_replaced_topic_keeps_nothing_of_the_old(api, cast, remember):
    msg = api.say(cast.bob.headers, "s1").result["message_id"]
    m = remember(cast.bob.headers, topic_key="t", evidence=[msg])
    with tenancy.account(cast.north):
        Memory.objects.update(confidence=0.2)
    n = remember(cast.bob.headers, "other", topic_key="t")
    assert (n["confidence"], api.get(f"/memories/{m['id']}/evidence", cast.bob.headers).result) == (
        None,
        [],
    )


def test_a_replayed_wipe_asks_for_rights_again(api, cast, remember):
    key = {
        "X-API-Key": api.post(
            "/admin/accounts/north/users", cast.alice.headers, {"user_id": "ann", "role": "admin"}
        ).result["user_key"]
    }
    h = {**key, "Idempotency-Key": "w1"}
    assert api("DELETE", "/users/bob/memory", h).status == 200
    api("PUT", "/admin/accounts/north/users/ann/role", cast.alice.headers, {"role": "user"})
    assert api("DELETE", "/users/bob/memory", h).status == 403


def test_nothing_new_is_kept_after_consent_was_withdrawn(api, cast, remember):
    c = make_contact(cast.north, "web", "c", owner="bob")
    agree(api, cast, c)
    m = remember(contact_header(cast.alice.headers, c))
    api("PUT", f"/contacts/{c}/consent", cast.alice.headers, {"state": "withdrawn"})
    assert (
        api("PATCH", f"/memories/{m['id']}", cast.bob.headers, {"content": "new fact"}).status
        == 412
    )


def test_restoring_is_no_way_around_the_secret_policy(api, cast, remember, set_settings):
    set_settings(secret_policy="off")
    m = remember(cast.bob.headers, "password=hunter2hunter2 AKIAQ7ZXN4PLWM3RT5KD")
    api("PATCH", f"/memories/{m['id']}", cast.bob.headers, {"content": "clean"})
    set_settings(secret_policy="refuse")
    assert api.post(f"/memories/{m['id']}/restore", cast.bob.headers, {"version": 1}).status == 400


def test_a_contacts_count_is_of_what_one_lists(api, cast, remember, sign_in, set_policy):
    c = make_contact(cast.north, "web", "c", owner="bob")
    agree(api, cast, c)
    for agent in ("default", "ada", "ada"):
        remember({**contact_header(cast.alice.headers, c), "X-Bailiwick-Agent": agent})
    set_policy(isolate_user_scope_by_agent=True)
    assert b"3 memories" not in sign_in("bob").get(f"/a/north/contacts/{c}").content


def test_what_is_kept_of_a_deleted_user_can_be_wiped(api, cast, remember):
    remember(cast.bob.headers)
    api("DELETE", "/admin/accounts/north/users/bob", cast.alice.headers, memories="keep")
    assert api("DELETE", "/users/bob/memory", cast.alice.headers).status == 200
