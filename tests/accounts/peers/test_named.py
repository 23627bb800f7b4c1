"""A contact named by header or body: who may, and that it narrows."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.principals.models import Contact, User
from sessions_app.models import Session
from tests.accounts.kit import (
    contact_count,
    contact_header,
    make_contact,
    peer_header,
)
from tests.rows import row_counts

ABSENT = "019f7b9c-1234-7abc-8def-0123456789ab"


NIL = "00000000-0000-0000-0000-000000000000"


class TestContact:
    @pytest.fixture
    def names(self, dana):
        return (str(dana), str(dana).upper(), "telegram:4711", "TELEGRAM:4711")

    def test_by_its_forms(self, api, cast, gateway, dana, names):
        for headers in (gateway, cast.alice.headers, cast.root_as("default")):
            for name in names:
                who = api.get("/whoami", contact_header(headers, name)).result
                assert (who["user_id"], who["contact_id"]) == ("default", str(dana)), name

    @pytest.mark.parametrize(
        "unknown", [ABSENT, "telegram:nobody", "peer:nobody", "email:4711", "discord:4711"]
    )
    def test_unknown(self, api, cast, gateway, dana, unknown):
        before = row_counts(cast.north)
        for headers in (gateway, cast.alice.headers, cast.root_as("default")):
            assert api.get("/sessions", contact_header(headers, dana)).status == 200
            answer = api.get("/sessions", contact_header(headers, unknown))
            assert (answer.status, answer.code) == (404, "NOT_FOUND")
            assert api.say(contact_header(headers, unknown), "s1").status == 404
        assert row_counts(cast.north) == before

    @pytest.mark.parametrize(
        "malformed",
        ["dana", "4711", "fax:4711", ":4711", "telegram:", "telegram: ", f"telegram:{'x' * 256}"],
    )
    def test_malformed(self, api, cast, gateway, dana, malformed):
        for headers in (gateway, cast.alice.headers):
            assert api.get("/sessions", contact_header(headers, dana)).status == 200
            answer = api.get("/sessions", contact_header(headers, malformed))
            assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT")

    def test_both_headers(self, api, gateway, dana, bobs_peer):
        for named in (dana, bobs_peer, "peer:p1"):
            assert api.get("/sessions", contact_header(gateway, named)).status == 200
            both = peer_header(contact_header(gateway, named), "p1")
            assert api.get("/sessions", both).status == 400
            assert api.say(both, "s1").status == 400

    def test_of_another_account_is_unknown(self, api, cast, dana):
        assert api.get("/sessions", contact_header(cast.alice.headers, dana)).status == 200
        assert api.get("/sessions", contact_header(cast.charlie.headers, dana)).status == 404

    def test_who_may_not_name_learns_nothing(self, api, cast, dana, key):
        """Whether it is there or not."""
        for headers in (cast.bob.headers, key("read", "write"), key("read")):
            for name in (dana, ABSENT, "telegram:4711", "telegram:nobody"):
                answer = api.get("/sessions", contact_header(headers, name))
                assert (answer.status, answer.code) == (403, "PERMISSION_DENIED")
            assert api.get("/sessions", headers).status == 200
        assert api.get("/sessions", contact_header(cast.alice.headers, dana)).status == 200

    def test_own_peers_need_no_gateway(self, api, cast, bobs_peer):
        for name in (bobs_peer, "peer:p1"):
            headers = contact_header(cast.bob.headers, name)
            listed = api.get("/sessions", headers).result
            assert [row["session_id"] for row in listed] == ["with-p1"]
            assert api.say(headers, "with-p1").status == 200
            assert api.get("/sessions", contact_header(cast.beth.headers, name)).status in (
                403,
                404,
            )

    def test_own_peers_need_a_key_that_writes(self, api, bobs_peer, key):
        reader, writer = key("read"), key("read", "write")
        for name in (bobs_peer, "peer:p1"):
            assert api.get("/sessions", contact_header(writer, name)).status == 200
            assert api.get("/sessions", contact_header(reader, name)).status == 403, name

    def test_own_contacts_elsewhere_need_a_gateway(self, api, cast, gateway):
        own = make_contact(cast.north, "telegram", "99", owner="bob")
        assert api.get("/sessions", contact_header(gateway, own)).status == 200
        assert api.get("/sessions", contact_header(cast.bob.headers, own)).status == 403

    def test_peers_are_those_of_the_effective_user(self, api, cast, bobs_peer):
        named = contact_header(cast.alice_as("bob"), "peer:p1")
        assert api.get("/whoami", named).result["contact_id"] == str(bobs_peer)
        named = contact_header(cast.alice.headers, "peer:p1")
        assert api.get("/whoami", named).status == 404

    def test_a_group_and_a_person_with_equal_ids_do_not_collide(self, api, cast, gateway, dana):
        group = make_contact(cast.north, "telegram", "4711", kind="group")
        assert group != dana
        for name, found in (("telegram:4711", dana), (group, group), (dana, dana)):
            who = api.get("/whoami", contact_header(gateway, name)).result
            assert who["contact_id"] == str(found)

    def test_a_merged_one_is_its_root(self, api, cast, gateway, dana, eli):
        with tenancy.account(cast.north):
            Contact.objects.filter(pk=eli).update(merged_into=dana, root=dana)
        for name in (eli, "telegram:4712", dana):
            who = api.get("/whoami", contact_header(gateway, name)).result
            assert who["contact_id"] == str(dana)


class TestNarrowing:
    @pytest.fixture
    def told(self, api, cast, gateway, dana, eli):
        """One session each: of Bob, of the default user, of both contacts."""
        api.say(cast.bob.headers, "bobs")
        api.say(cast.alice_as("default"), "defaults")
        api.say(contact_header(gateway, dana), "danas")
        api.say(contact_header(gateway, eli), "elis")

    @pytest.mark.usefixtures("told")
    def test_it_sees_its_own_sessions_only(self, api, cast, gateway, dana, eli):
        for headers in (gateway, cast.alice.headers, cast.root_as("default")):
            for contact, own in ((dana, "danas"), (eli, "elis")):
                named = contact_header(headers, contact)
                listed = api.get("/sessions", named).result
                assert [row["session_id"] for row in listed] == [own]
                for other in {"bobs", "defaults", "danas", "elis"} - {own}:
                    assert api.get(f"/sessions/{other}", named).status == 404
                    assert api.get(f"/sessions/{other}/messages", named).status == 404
                    assert api.say(named, other).status == 404

    @pytest.mark.usefixtures("told")
    def test_its_owner_is_the_owner_of_its_sessions(self, api, gateway, dana):
        found = api.get("/sessions/danas", contact_header(gateway, dana)).result
        assert found["created_by_user_id"] == "default"
        assert found["contact_id"] == str(dana)
        assert found["participant_contact_ids"] == [str(dana)]
        assert found["participant_user_ids"] == []

    @pytest.mark.usefixtures("told")
    def test_without_it_they_are_hidden_but_from_owner_and_admin(self, api, cast, gateway):
        def ids(headers):
            return {row["session_id"] for row in api.get("/sessions", headers).result}

        assert ids(cast.bob.headers) == {"bobs", "defaults"}
        assert ids(gateway) == {"bobs", "defaults"}
        assert ids(cast.alice_as("bob")) == {"bobs", "defaults"}
        assert ids(cast.alice_as("default")) == {"bobs", "defaults", "danas", "elis"}
        assert ids(cast.alice.headers) == {"bobs", "defaults", "danas", "elis"}

    @pytest.mark.usefixtures("told")
    def test_what_was_written_names_the_gateways_user(self, cast):
        with tenancy.account(cast.north):
            bob = User.objects.get(user_id="bob").pk
            written = Session.objects.filter(session_id__in=["danas", "elis"])
            assert set(written.values_list("written_by", flat=True)) == {bob}

    @pytest.mark.parametrize(
        ("user", "gateway_gets", "admin_gets"),
        [
            ("own", 200, 200),
            ("default", 200, 200),
            ("DEFAULT", 200, 200),
            ("beth", 404, 404),
            ("nobody", 404, 404),
            ("test", 403, 200),
            (NIL, 403, 200),
        ],
    )
    @pytest.mark.usefixtures("told")
    def test_a_user_header_beside_it(
        self, api, cast, gateway, dana, user, gateway_gets, admin_gets
    ):
        """It may name the key's own user, or the contact's owner."""
        for headers, own, expected in (
            (gateway, "bob", gateway_gets),
            (cast.alice.headers, "alice", admin_gets),
        ):
            named = contact_header(headers, dana)
            named["X-OpenViking-User"] = own if user == "own" else user
            answer = api.get("/whoami", named)
            assert answer.status == expected
            if expected == 200:
                found = answer.result
                assert (found["user_id"], found["contact_id"]) == ("default", str(dana))
            assert api.get("/sessions/danas", named).status == expected

    @pytest.mark.usefixtures("told")
    def test_root_names_the_owner(self, api, cast, dana):
        assert api.get("/sessions/danas", contact_header(cast.root_as("default"), dana)).result
        assert api.get("/sessions/danas", contact_header(cast.root_as("bob"), dana)).status == 404
        assert api.get("/sessions", contact_header(cast.root, dana)).status == 400

    @pytest.mark.usefixtures("bobs_peer")
    def test_a_user_header_beside_a_peer(self, api, cast):
        for user, status in (("bob", 200), ("beth", 403), ("default", 403), ("nobody", 403)):
            headers = peer_header({**cast.bob.headers, "X-Bailiwick-User": user}, "p1")
            assert api.get("/sessions/with-p1", headers).status == status

    def test_a_deleted_owner(self, api, cast, gateway, dana):
        contact = make_contact(cast.north, "telegram", "7", owner="beth")
        for headers in (gateway, cast.alice.headers):
            assert api.get("/sessions", contact_header(headers, contact)).status == 200
        deleted = api("DELETE", "/admin/accounts/north/users/beth", cast.alice.headers)
        assert deleted.status == 200
        for headers in (gateway, cast.alice.headers):
            assert api.get("/sessions", contact_header(headers, contact)).status == 404
            assert api.say(contact_header(headers, contact), "s1").status == 404
            assert api.get("/sessions", contact_header(headers, dana)).status == 200


class TestInTheBody:
    @pytest.mark.parametrize("path", ["/sessions", "/sessions/start"])
    def test_it_narrows_as_the_header_does(self, api, gateway, dana, path):
        for name in (str(dana), "telegram:4711"):
            made = api.post(path, gateway, {"contact_id": name}).result
            assert (made["contact_id"], made["user"]["user_id"]) == (str(dana), "default")

    @pytest.mark.parametrize("path", ["/sessions", "/sessions/start"])
    @pytest.mark.parametrize(
        ("name", "status"),
        [("telegram:nobody", 404), ("dana", 400), ("fax:1", 400), ("", 400), (5, 422)],
    )
    def test_refusals(self, api, cast, gateway, dana, path, name, status):
        before = row_counts(cast.north)
        assert api.post(path, gateway, {"contact_id": name}).status == status
        assert row_counts(cast.north) == before
        assert api.post(path, gateway, {"contact_id": str(dana)}).status == 200

    @pytest.mark.parametrize("path", ["/sessions", "/sessions/start"])
    def test_who_may_not_name(self, api, cast, gateway, dana, path):
        body = {"contact_id": str(dana)}
        assert api.post(path, cast.bob.headers, body).status == 403
        assert api.post(path, gateway, body).status == 200

    @pytest.mark.parametrize("path", ["/sessions", "/sessions/start"])
    def test_it_must_not_contradict_the_header(self, api, cast, gateway, dana, eli, path):
        before = row_counts(cast.north)
        for headers in (contact_header(gateway, eli), peer_header(gateway, "p1")):
            answer = api.post(path, headers, {"contact_id": str(dana)})
            assert (answer.status, answer.code) == (409, "CONFLICT")
        assert row_counts(cast.north) == before
        same = api.post(path, contact_header(gateway, dana), {"contact_id": "telegram:4711"})
        assert same.status == 200

    def test_a_speaker_must_not_contradict_the_session(self, api, cast, bobs_peer):
        headers = contact_header(cast.bob.headers, bobs_peer)
        assert api.say(headers, "with-p1", peer_id="p1").status == 200
        before = row_counts(cast.north)
        assert api.say(headers, "with-p1", peer_id="p2").status == 409
        assert row_counts(cast.north) == before
        assert api.say(cast.bob.headers, "with-p1", peer_id="p2").status == 409
        assert contact_count(cast.north) == 1
