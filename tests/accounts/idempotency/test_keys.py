"""Whose a key is, how long it holds, and what happens while it is in flight."""

from __future__ import annotations

from datetime import timedelta
from threading import Event

import pytest
from django.utils import timezone

from accounts import tenancy
from accounts.principals import idempotency
from accounts.principals.models import IdempotencyRecord
from sessions_app import services
from sessions_app.models import Archive, Session
from tests.accounts.idempotency.kit import Clock, keyed, records
from tests.accounts.kit import (
    at_once,
    contact_header,
    make_contact,
    peer_header,
    with_key,
)
from tests.cast import Api


class TestKeysAreNotShared:
    """(who, on behalf of whom, agent, contact, address, key) is one write."""

    @pytest.fixture
    def start(self, api):
        """Make a session; which one."""

        def post(headers, path="/sessions", body=None, **query):
            answer = api("POST", path, keyed(headers, "k"), {} if body is None else body, **query)
            return answer.result["session_id"]

        return post

    def test_by_users(self, cast, start):
        assert start(cast.bob.headers) == start(cast.bob.headers)
        others = [start(headers) for headers in (cast.bob.headers, cast.beth.headers)]
        assert len({*others, start(cast.alice.headers), start(cast.charlie.headers)}) == 4

    def test_by_those_whom_one_simulates(self, cast, start):
        actors = (cast.alice.headers, cast.alice_as("bob"), cast.alice_as("beth"))
        assert len({start(headers) for headers in actors}) == 3
        assert len({start(headers) for headers in actors * 2}) == 3
        roots = (cast.root_as("bob"), cast.root_as("beth"), cast.bob.headers)
        assert len({start(headers) for headers in roots * 2}) == 3

    def test_by_agents(self, cast, start):
        agents = ["ada", "max", "default"]
        ids = [start({**cast.bob.headers, "X-Bailiwick-Agent": agent}) for agent in agents * 2]
        assert len(set(ids)) == 3
        assert start({**cast.bob.headers, "X-Bailiwick-Agent": "ADA"}) == ids[0]

    def test_by_contacts(self, cast, start):
        contacts = [make_contact(cast.north, "telegram", name) for name in ("1", "2")]
        named = [contact_header(cast.alice.headers, contact) for contact in contacts]
        assert len({start(headers) for headers in [*named, cast.alice.headers] * 2}) == 3

    def test_by_peers_that_wrote_before(self, api, cast, start):
        named = [peer_header(cast.bob.headers, peer) for peer in ("p1", "p2")]
        for number, headers in enumerate(named):
            api.say(headers, f"before-{number}")
        assert len({start(headers) for headers in [*named, cast.bob.headers] * 2}) == 3

    def test_a_peers_first_write_is_known_again(self, cast, start):
        headers = peer_header(cast.bob.headers, "p1")
        assert start(headers) == start(headers)

    def test_an_agents_first_write_is_known_again(self, cast, start):
        headers = {**cast.bob.headers, "X-Bailiwick-Agent": "never-seen"}
        assert start(headers) == start(headers)

    def test_by_addresses(self, cast, start):
        assert start(cast.bob.headers) != start(cast.bob.headers, "/sessions/start")
        assert start(cast.bob.headers) != start(cast.bob.headers, a="1")

    def test_by_methods(self, api, cast):
        api.say(cast.alice.headers, "s1")
        headers = keyed(cast.alice.headers, "k")
        assert api("PATCH", "/sessions/s1", headers, {"title": "Plan"}).status == 200
        assert api("DELETE", "/sessions/s1", headers).status == 200
        assert api.get("/sessions/s1", cast.alice.headers).status == 404

    def test_by_keys_of_one_user(self, api, cast, start):
        body = {"user_id": "bob", "name": "second"}
        made = api.post("/admin/accounts/north/keys", cast.alice.headers, body).result
        assert start(cast.bob.headers) != start(with_key(made["user_key"]))


class TestTime:
    @pytest.fixture
    def start(self, api, cast):
        return lambda: api.post("/sessions", keyed(cast.bob.headers, "k"))

    @pytest.mark.parametrize(("hours", "again"), [(23.9, False), (24.1, True)])
    def test_a_record_lasts_a_day(self, cast, start, hours, again):
        first = start().result["session_id"]
        with tenancy.account(cast.north):
            made = timezone.now() - timedelta(hours=hours)
            IdempotencyRecord.objects.update(created_at=made)
        assert (start().result["session_id"] != first) is again
        assert records(cast.north) == 1

    @pytest.mark.parametrize(("hours", "left"), [(23.9, 1), (24.1, 0)])
    def test_the_old_are_swept(self, cast, start, hours, left):
        start()
        with tenancy.account(cast.north):
            made = timezone.now() - timedelta(hours=hours)
            IdempotencyRecord.objects.update(created_at=made)
            idempotency.forget_old()
        assert records(cast.north) == left

    @pytest.mark.parametrize(("seconds", "status"), [(59, 409), (61, 200)])
    def test_one_that_was_cut_off_is_taken_over(self, cast, start, monkeypatch, seconds, status):
        """As a crash leaves it: in flight, and nothing written."""
        gone = start().result["session_id"]
        with tenancy.account(cast.north):
            Session.objects.all().delete()
            IdempotencyRecord.objects.update(done_at=None, reference={})
        assert start().status == 409
        monkeypatch.setattr(
            idempotency, "timezone", Clock(timezone.now() + timedelta(seconds=seconds))
        )
        answer = start()
        assert answer.status == status
        if status == 200:
            assert answer.result["session_id"] != gone
            assert start().result == answer.result

    def test_taking_over_needs_the_same_body(self, api, cast, start, monkeypatch):
        start()
        with tenancy.account(cast.north):
            IdempotencyRecord.objects.update(done_at=None, reference={})
        monkeypatch.setattr(idempotency, "timezone", Clock(timezone.now() + timedelta(hours=1)))
        other = api.post("/sessions", keyed(cast.bob.headers, "k"), {"title": "Another"})
        assert other.status == 422


class TestInFlight:
    """Two threads, in real transactions."""

    @pytest.fixture
    def slow(self, monkeypatch):
        """Making a session waits in its first call, until it is let go."""
        began, go_on, calls = Event(), Event(), []
        create = services.session_create

        def wait(**given):
            calls.append(given)
            made = create(**given)
            if len(calls) == 1:
                began.set()
                assert go_on.wait(30)
            return made

        monkeypatch.setattr(services, "session_create", wait)
        return began, go_on

    def pair(self, slow, headers, meanwhile):
        """The slow request's answer, and what `meanwhile` returned while it was in flight."""
        began, go_on = slow

        def second(api):
            assert began.wait(30)
            try:
                return meanwhile(api)
            finally:
                go_on.set()

        return at_once(lambda api: api.post("/sessions", headers), second)

    def test_it_is_a_conflict(self, committed, slow):
        headers = keyed(committed.bob.headers, "k")

        def meanwhile(api):
            same = api.post("/sessions", headers)
            other = api.post("/sessions", keyed(committed.bob.headers, "k2"))
            return same, other, api.post("/sessions", headers, {"title": "Another"})

        first, (same, other, another_body) = self.pair(slow, headers, meanwhile)
        assert (first.status, same.status, other.status) == (200, 409, 200)
        assert same.code in ("CONFLICT", "ABORTED")
        assert another_body.status == 422
        assert Api().post("/sessions", headers).result == first.result
        with tenancy.account(committed.north):
            assert Session.objects.count() == 2

    def test_a_refused_one_leaves_the_key_free(self, committed):
        headers = keyed(committed.bob.headers, "k")
        Api().post("/sessions", committed.bob.headers, {"session_id": "taken"})
        for _ in range(2):
            assert Api().post("/sessions", headers, {"session_id": "taken"}).status == 409
        assert records(committed.north) == 0
        assert Api().post("/sessions", headers, {"session_id": "free"}).status == 200

    def test_a_slow_one_that_was_taken_over_writes_nothing(self, committed, slow):
        headers = keyed(committed.bob.headers, "k")

        def meanwhile(api):
            with tenancy.account(committed.north):
                before = timezone.now() - timedelta(seconds=61)
                assert IdempotencyRecord.objects.update(started_at=before) == 1
            return api.post("/sessions", headers)

        slow_one, second = self.pair(slow, headers, meanwhile)
        assert (slow_one.status, second.status) == (409, 200)
        with tenancy.account(committed.north):
            assert [row.session_id for row in Session.objects.all()] == [
                second.result["session_id"]
            ]
        assert Api().post("/sessions", headers).result == second.result

    def test_a_defect_leaves_the_key_free(self, committed, monkeypatch):
        headers = keyed(committed.bob.headers, "k")

        def fail(**_given):
            raise RuntimeError("a defect of ours")

        with monkeypatch.context() as patched:
            patched.setattr(services, "session_create", fail)
            assert Api().post("/sessions", headers).status == 500
        assert records(committed.north) == 0
        assert Api().post("/sessions", headers).status == 200


def test_a_repetition_is_answered_under_present_rights(api, cast, set_policy):
    """The record holds ids; they are looked at as the caller may look at them now."""
    headers = keyed(cast.bob.headers, "k")
    made = api.post("/sessions", headers, {"session_id": "s1"})
    assert api.post("/sessions", headers, {"session_id": "s1"}).result == made.result
    assert api("DELETE", "/sessions/s1", cast.alice.headers).status == 200
    assert api.post("/sessions", headers, {"session_id": "s1"}).status == 404


def test_a_committed_archive_is_not_made_twice(api, cast):
    api.say(cast.bob.headers, "s1")
    headers = keyed(cast.bob.headers, "k")
    first = api.post("/sessions/s1/commit", headers).result
    api.say(cast.bob.headers, "s1")
    again = api.post("/sessions/s1/commit", headers).result
    assert (again["task_id"], again["archived"]) == (first["task_id"], True)
    with tenancy.account(cast.north):
        assert Archive.objects.count() == 1
