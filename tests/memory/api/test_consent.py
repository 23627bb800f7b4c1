"""The ledger of consent: what a contact said, who may write it down, and what it opens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import tenancy
from accounts.principals.models import AuditEvent
from memory.models import Consent
from tests.accounts.kit import contact_header, make_contact, peer_header
from tests.rows import row_counts


@pytest.fixture
def contact(cast):
    return make_contact(cast.north, "telegram", "1", owner="bob")


@pytest.fixture
def put(api, cast, contact):
    """put(state="granted") → the ledger after it."""

    def say(about=None, headers=None, **body):
        path = f"/contacts/{about or contact}/consent"
        return api("PUT", path, headers or cast.alice.headers, body)

    return say


@pytest.fixture
def ledger(api, cast, contact):
    def read(about=None, headers=None):
        return api.get(f"/contacts/{about or contact}/consent", headers or cast.alice.headers)

    return read


@pytest.fixture
def kept(api, cast, contact, structured):
    """kept() → the status of remembering something about the contact."""

    def status(about=None):
        named = contact_header(cast.alice.headers, about or contact)
        return api.post("/memories", named, {"content": "Takes tea."}).status

    return status


def test_silence_is_read_by_the_setting(ledger, contact, kept, set_settings):
    found = ledger().result
    assert found == {
        "contact_id": str(contact),
        "consents": False,
        "state": "none",
        "contact_consent": "opt_in",
        "ledger": [],
    }
    assert kept() == 412
    set_settings(contact_consent="opt_out")
    found = ledger().result
    assert (found["consents"], found["contact_consent"]) == (True, "opt_out")
    assert kept() == 200


@pytest.mark.parametrize("setting", ["opt_in", "opt_out"])
def test_the_last_word_counts(api, cast, contact, put, ledger, kept, set_settings, setting):
    set_settings(contact_consent=setting)
    said = api.say(contact_header(cast.alice.headers, contact), "s1").result["message_id"]
    for state, consents in (("granted", True), ("withdrawn", False), ("granted", True)):
        found = put(state=state, channel="telegram", evidence_message_id=said).result
        assert (found["consents"], found["state"]) == (consents, state)
        assert ledger().result == found
        assert kept() == (200 if consents else 412)
    entries = found["ledger"]
    assert [entry["state"] for entry in entries] == ["granted", "withdrawn", "granted"]
    assert [entry["is_current"] for entry in entries] == [True, False, False]
    newest = entries[0]
    assert (newest["purpose"], newest["channel"]) == ("memory", "telegram")
    assert (newest["evidence_message_id"], newest["written_by"]) == (said, "alice")
    with tenancy.account(cast.north):
        events = AuditEvent.objects.filter(target=contact, action__startswith="consent.")
        assert list(events.order_by("id").values_list("action", flat=True)) == [
            *("consent.granted", "consent.withdrawn", "consent.granted")
        ]


def test_it_expires(cast, put, kept, ledger, set_settings):
    soon = (timezone.now() + timedelta(hours=1)).isoformat()
    assert put(state="granted", expires_at=soon).result["consents"]
    assert kept() == 200
    with tenancy.account(cast.north):
        Consent.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert (ledger().result["consents"], ledger().result["state"]) == (False, "granted")
    assert kept() == 412
    set_settings(contact_consent="opt_out")  # nothing was withdrawn
    assert kept() == 200


def test_it_binds_what_was_kept_before(api, cast, contact, put, kept):
    put(state="granted")
    assert kept() == 200
    bob = cast.bob.headers
    (row,) = api.get("/memories", bob).result
    assert row["hidden_by"] is None
    put(state="withdrawn")
    (row,) = api.get("/memories", bob).result
    assert row["hidden_by"] == "consent"
    why = api.get(f"/memories/{row['id']}/why", bob).result
    assert (why["visible"], why["listed"]) == (False, True)
    put(state="granted")
    assert api.get(f"/memories/{row['id']}/why", bob).result["visible"]


class TestMerged:
    @pytest.fixture
    def other(self, cast):
        return make_contact(cast.north, "telegram", "2", owner="bob")

    @pytest.fixture
    def merged(self, api, cast, contact, other):
        """merged() → the second contact counts as the first from now on."""

        def merge():
            path = f"/contacts/{other}/merge"
            answer = api.post(path, cast.alice.headers, {"into": str(contact)})
            assert answer.status == 200, answer.body

        return merge

    @pytest.mark.parametrize("setting", ["opt_in", "opt_out"])
    def test_the_stricter_holds(self, put, other, merged, kept, set_settings, setting):
        set_settings(contact_consent=setting)
        put(state="granted")
        if setting == "opt_out":
            put(other, state="withdrawn")
        assert kept() == 200
        merged()
        assert kept() == 412

    def test_what_is_said_afterwards_is_said_for_all(self, api, cast, put, other, merged, kept):
        merged()
        assert kept() == 412
        put(state="granted")
        assert kept() == 200
        put(state="withdrawn")
        path = f"/contacts/{other}/unmerge"
        assert api.post(path, cast.alice.headers).status == 200
        assert (kept(), kept(other)) == (412, 412)
        with tenancy.account(cast.north):
            assert Consent.objects.filter(is_current=True).count() == 2


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, None),
        ({"state": "perhaps"}, 400, "state"),
        ({"state": "none"}, 400, "state"),
        ({"state": "granted", "purpose": "adverts"}, 400, "purpose"),
        ({"state": "granted", "channel": "x" * 65}, 400, "channel"),
        ({"state": "granted", "expires_at": "2001-01-01T00:00:00Z"}, 400, "expires_at"),
        ({"state": "granted", "expires_at": "2200-01-01T00:00:00Z"}, 400, "expires_at"),
        ({"state": "granted", "evidence_message_id": "nothing"}, 400, "evidence_message_id"),
        ({"state": "granted", "evidence_message_id": f"msg_{'1' * 32}"}, 404, None),
        ({"state": "granted", "written_by": "bob"}, 422, None),
    ],
    ids=str,
)
def test_refusals(cast, put, ledger, body, status, field):
    before = row_counts(cast.north)
    answer = put(**body)
    assert answer.status == status
    assert field is None or answer.body["error"]["details"]["field"] == field
    assert row_counts(cast.north) == before
    assert put(state="granted", channel="x" * 64).status == 200


def test_who_may(api, cast, contact, put, ledger):
    """Reading is for who sees the contact; writing for an admin as itself, with `manage`."""
    plain = api.post(
        "/admin/accounts/north/keys", cast.alice.headers, {"user_id": "alice", "name": "plain"}
    ).result
    narrowed = contact_header(cast.alice.headers, contact)
    for headers, reading, writing in (
        (cast.alice.headers, 200, 200),
        ({"X-API-Key": plain["user_key"]}, 200, 403),
        (narrowed, 200, 403),
        (cast.bob.headers, 200, 403),
        (cast.alice_as("bob"), 200, 403),
        (cast.root_as("bob"), 200, 403),
        (cast.beth.headers, 404, 403),
        (cast.charlie.headers, 404, 404),
    ):
        assert ledger(headers=headers).status == reading
        assert put(headers=headers, state="granted").status == writing
    with tenancy.account(cast.north):
        assert Consent.objects.count() == 1


def test_a_peer_has_one_like_any_contact(api, cast, put, structured):
    peer = peer_header(cast.bob.headers, "p1")
    api.say(peer, "s1")
    contact = api.get("/sessions/s1", peer).result["contact_id"]
    assert api.post("/memories", peer, {"content": "Takes tea."}).status == 412
    assert put(contact, state="granted").status == 200
    assert api.post("/memories", peer, {"content": "Takes tea."}).status == 200
