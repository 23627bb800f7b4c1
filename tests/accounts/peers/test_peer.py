"""`X-OpenViking-Actor-Peer`: a contact of the caller's own user."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.principals.models import AuditEvent, Contact, ContactHandle, User
from sessions_app.models import Message, Session
from tests.accounts.kit import (
    at_once,
    contact_count,
    peer_header,
)
from tests.rows import row_counts


class TestPeer:
    def test_is_made_by_the_first_write(self, api, cast):
        headers = peer_header(cast.bob.headers, "p1")
        assert api.say(headers, "s1").status == 200
        assert api.say(headers, "s1").status == 200
        assert api.post("/sessions", headers).status == 200
        with tenancy.account(cast.north):
            handle = ContactHandle.objects.select_related("contact__owner").get()
            assert (handle.platform, handle.platform_id, handle.kind) == (
                "peer",
                "p1",
                "external",
            )
            contact = handle.contact
            assert (contact.owner.user_id, contact.auto_created) == ("bob", True)
            assert contact.written_by == contact.owner_id
            assert AuditEvent.objects.get(action="contact.created").target == contact.pk
            assert set(Session.objects.values_list("contact", flat=True)) == {contact.pk}
            assert set(Message.objects.values_list("role_id", flat=True)) == {str(contact.pk)}

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/sessions", {}),
            ("POST", "/sessions/start", {}),
            ("POST", "/sessions/s1/messages", {"role": "user", "content": "Hello"}),
            (
                "POST",
                "/sessions/s1/messages/batch",
                {"messages": [{"role": "user", "content": "Hello"}]},
            ),
        ],
    )
    def test_any_write_will_do(self, api, cast, method, path, body):
        headers = peer_header(cast.bob.headers, "p1")
        assert api(method, path, headers, body).status == 200
        assert contact_count(cast.north) == 1
        assert [row["contact_id"] for row in api.get("/sessions", headers).result] != [None]

    def test_so_will_a_reading_that_makes_the_session(self, api, cast):
        headers = peer_header(cast.bob.headers, "p1")
        assert api.get("/sessions/s1", headers).status == 404
        assert contact_count(cast.north) == 0
        answers = [api.get("/sessions/s1", headers, auto_create="true") for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 200]
        assert contact_count(cast.north) == 1

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/sessions", 200),
            ("/sessions/theirs", 404),
            ("/sessions/theirs/messages", 404),
            ("/sessions/theirs/context", 404),
            ("/tasks", 200),
            ("/whoami", 200),
        ],
    )
    def test_that_never_wrote_reads_as_empty(self, api, cast, path, status):
        api.say(cast.bob.headers, "theirs")
        assert api.get(path, cast.bob.headers).status == 200
        before = row_counts(cast.north)
        answer = api.get(path, peer_header(cast.bob.headers, "p1"))
        assert answer.status == status
        if path in ("/sessions", "/tasks"):
            assert answer.result == []
        assert row_counts(cast.north) == before

    def test_refused_writes_leave_none(self, api, cast):
        api.say(cast.bob.headers, "theirs")
        headers = peer_header(cast.bob.headers, "p1")
        before = row_counts(cast.north)
        for method, path, body, status in (
            ("POST", "/sessions", {"session_id": "theirs"}, 409),
            ("POST", "/sessions", {"title": "x" * 301}, 400),
            ("POST", "/sessions", {"parent_session_id": "theirs"}, 404),
            ("POST", "/sessions/start", {"thread_key": ""}, 400),
            ("POST", "/sessions/s1/messages", {"role": "user", "content": " "}, 400),
            ("POST", "/sessions/s1/messages", {"role": "user"}, 422),
            ("POST", "/sessions/theirs/messages", {"role": "user", "content": "Hello"}, 404),
            ("POST", "/sessions/s1/messages/batch", {"messages": []}, 400),
            ("PATCH", "/sessions/theirs", {"title": "Mine"}, 404),
            ("POST", "/sessions/theirs/commit", {}, 404),
            ("POST", "/sessions/theirs/used", {}, 404),
            ("DELETE", "/sessions/theirs", None, 404),
            ("GET", "/sessions/theirs?auto_create=true", None, 404),
        ):
            assert api(method, path, headers, body).status == status, path
            assert row_counts(cast.north) == before, path
        assert api.say(headers, "s1").status == 200
        assert contact_count(cast.north) == 1

    def test_narrows(self, api, cast):
        api.say(cast.bob.headers, "own")
        api.say(peer_header(cast.bob.headers, "p1"), "with-p1")
        api.say(peer_header(cast.bob.headers, "p2"), "with-p2")
        for peer, session in (("p1", "with-p1"), ("p2", "with-p2")):
            headers = peer_header(cast.bob.headers, peer)
            listed = api.get("/sessions", headers).result
            assert [row["session_id"] for row in listed] == [session]
            for other in {"own", "with-p1", "with-p2"} - {session}:
                assert api.get(f"/sessions/{other}", headers).status == 404
                assert api.say(headers, other).status == 404

    def test_of_two_users_are_two(self, api, cast):
        for member in (cast.bob, cast.beth, cast.charlie):
            made = api.post("/sessions", peer_header(member.headers, "p1")).result
            assert made["user"]["user_id"] == member.user_id
        assert contact_count(cast.north) == 2
        assert contact_count(cast.south) == 1

    def test_of_a_simulated_user_is_theirs(self, api, cast):
        headers = peer_header(cast.alice_as("bob"), "p1")
        api.say(headers, "s1")
        with tenancy.account(cast.north):
            contact = Contact.objects.select_related("owner").get()
            assert contact.owner.user_id == "bob"
            assert contact.written_by == User.objects.get(user_id="alice").pk
        assert api.get("/sessions/s1", peer_header(cast.bob.headers, "p1")).status == 200
        assert api.get("/sessions/s1", peer_header(cast.alice.headers, "p1")).status == 404

    def test_needs_a_key_that_writes(self, api, key):
        reader, writer = key("read"), key("read", "write")
        assert api.get("/sessions", reader).status == 200
        assert api.get("/sessions", peer_header(writer, "p1")).status == 200
        answer = api.get("/sessions", peer_header(reader, "p1"))
        assert (answer.status, answer.code) == (403, "PERMISSION_DENIED")

    @pytest.mark.parametrize("peer", ["x" * 256, "\u0000", " "])
    def test_malformed(self, api, cast, peer):
        before = row_counts(cast.north)
        assert api.get("/sessions", peer_header(cast.bob.headers, peer)).status == 400
        assert api.say(peer_header(cast.bob.headers, peer), "s1").status == 400
        assert row_counts(cast.north) == before
        assert api.say(peer_header(cast.bob.headers, "x" * 255), "s1").status == 200

    def test_first_writes_at_once_make_one(self, committed):
        headers = peer_header(committed.bob.headers, "p1")
        answers = at_once(*((lambda api, n=n: api.say(headers, f"s{n}")) for n in range(4)))
        assert [answer.status for answer in answers] == [200] * 4
        assert contact_count(committed.north) == 1
        with tenancy.account(committed.north):
            contact = Contact.objects.get().pk
            assert list(Session.objects.values_list("contact", flat=True)) == [contact] * 4
            assert AuditEvent.objects.filter(action="contact.created").count() == 1

    def test_first_starts_at_once_make_one_session(self, committed):
        headers = peer_header(committed.bob.headers, "p1")
        answers = at_once(*((lambda api: api.post("/sessions/start", headers)),) * 4)
        assert len({answer.result["session_id"] for answer in answers}) == 1
        assert sorted(answer.result["is_existing"] for answer in answers) == [False] + [True] * 3
        assert contact_count(committed.north) == 1
