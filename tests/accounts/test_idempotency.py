"""`Idempotency-Key`: a repetition gets the same answer, and writes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.utils import timezone

from accounts import tenancy
from accounts.principals import idempotency
from accounts.principals.models import IdempotencyRecord
from sessions_app import services
from sessions_app.models import Archive, Session
from tests.accounts.kit import (
    at_once,
    contact_header,
    make_contact,
    operations,
    peer_header,
    with_key,
)
from tests.cast import Api
from tests.rows import row_counts, tables

ACCOUNT = "/admin/accounts/{account_id}"
SESSION = "/sessions/{session_id}"
CONTACT = "/contacts/{contact_id}"
MESSAGE = {"role": "user", "content": "canary-of-a-message"}
CANARY = "canary"
# ROOT's account routes need none: account_id is their key. Two are not available yet. Resolving
# finds what it made before. /inbound takes a gateway's key: its test stands in test_inbound.py.
WITHOUT = {
    ("POST", "/admin/accounts"),
    ("PATCH", ACCOUNT),
    ("DELETE", ACCOUNT),
    ("POST", f"{SESSION}/extract"),
    ("POST", "/system/wait"),
    ("POST", "/contacts/resolve"),
    ("POST", "/inbound"),
}


@dataclass(frozen=True)
class Write:
    """A write, another one to the same address, and how it is refused."""

    method: str
    path: str
    body: Any = None
    other: Any = field(default_factory=lambda: {"title": "Another"})
    secret: bool = False
    refused: tuple[Any, int] | None = None  # a body, and the status that it gets


WRITES = [
    Write("POST", f"{ACCOUNT}/users", {"user_id": "canary-user"}, {"user_id": "other"}, secret=True,
          refused=({"user_id": "bob"}, 409)),
    Write("DELETE", f"{ACCOUNT}/users/{{user_id}}"),
    Write("PUT", f"{ACCOUNT}/users/{{user_id}}/role", {"role": "admin"}, {"role": "user"},
          refused=({"role": "root"}, 400)),
    Write("POST", f"{ACCOUNT}/users/{{user_id}}/key", secret=True),
    Write("POST", f"{ACCOUNT}/keys", {"user_id": "bob", "name": "canary-key"},
          {"user_id": "bob", "name": "other"}, secret=True,
          refused=({"user_id": "bob", "name": "default"}, 400)),
    Write("DELETE", f"{ACCOUNT}/keys/{{key_id}}"),
    Write("PUT", f"{ACCOUNT}/policy",
          {"sessions_visible_to": "participants", "reason": "canary-reason"},
          {"sessions_visible_to": "account"}, refused=({"sessions_visible_to": "nobody"}, 400)),
    Write("PATCH", f"{ACCOUNT}/settings", {"max_users": 77}, {"max_users": 78},
          refused=({"max_users": 0}, 400)),
    Write("POST", "/sessions", {"title": "canary-title"}, refused=({"title": "x" * 301}, 400)),
    Write("POST", "/sessions/start", {"title": "canary-title", "force_new": True},
          refused=({"thread_key": ""}, 400)),
    Write("PATCH", SESSION, {"title": "canary-title"}, refused=({"state": "gone"}, 400)),
    Write("DELETE", SESSION),
    Write("POST", f"{SESSION}/messages", MESSAGE, {**MESSAGE, "content": "Another"},
          refused=({**MESSAGE, "content": " "}, 400)),
    Write("POST", f"{SESSION}/messages/batch", {"messages": [MESSAGE, MESSAGE]},
          {"messages": [MESSAGE]}, refused=({"messages": []}, 400)),
    Write("POST", f"{SESSION}/used", {"contexts": ["canary-context"], "skill": {"a": 1}},
          {"contexts": []}, refused=({"contexts": 5}, 422)),
    Write("POST", f"{SESSION}/commit", {"keep_recent_count": 0}, {"keep_recent_count": 1},
          refused=({"keep_recent_count": -1}, 400)),
    Write("POST", f"{SESSION}/archives/{{archive_id}}/retry"),
    Write("POST", f"{SESSION}/archives/{{archive_id}}/skip"),
    Write("POST", "/agents", {"agent_id": "canary-agent"}, {"agent_id": "other"},
          refused=({"agent_id": "root"}, 400)),
    Write("PATCH", "/agents/{agent_id}", {"display_name": "canary-name"}, {"display_name": "Max"},
          refused=({"memory_system": "none"}, 400)),
    Write("DELETE", "/agents/{agent_id}"),
    Write("POST", "/tasks/{task_id}/cancel"),
    Write("POST", "/contacts", {"display_name": "canary-name"}, {"display_name": "Eli"},
          refused=({"kind": "robot"}, 400)),
    Write("PATCH", CONTACT, {"notes": "canary-notes"}, {"notes": ""},
          refused=({"display_name": "x" * 201}, 400)),
    Write("DELETE", CONTACT),
    Write("POST", f"{CONTACT}/merge", {"into": "{into}"}, {"into": "{contact_id}"},
          refused=({"into": "{contact_id}"}, 409)),
    Write("POST", f"{CONTACT}/unmerge"),
    Write("POST", f"{CONTACT}/handles", {"platform": "web", "platform_id": "canary-id"},
          {"platform": "web", "platform_id": "other"}, refused=({"platform": "web",
          "platform_id": " "}, 400)),
    Write("DELETE", f"{CONTACT}/handles/{{handle_id}}"),
    Write("POST", f"{CONTACT}/handles/{{handle_id}}/bind", {"user_id": "bob"}, {"user_id": "beth"},
          refused=({"user_id": "a b"}, 400)),
    Write("POST", f"{CONTACT}/handles/{{handle_id}}/unbind"),
    Write("POST", "/handles/code", secret=True),
]  # fmt: skip
NAMES = [f"{write.method} {write.path}" for write in WRITES]


def keyed(headers, key):
    return {**headers, "Idempotency-Key": key}


def told(answer):
    """The result without what says which request it answered."""
    return {k: v for k, v in answer.result.items() if k != "trace_id"}


def records(account):
    with tenancy.account(account):
        return IdempotencyRecord.objects.count()


def new_contact(api, headers, found):
    """A contact's id; its handle's id goes to what was found."""
    handle = {"platform": "web", "platform_id": f"canary-{len(found)}"}
    made = api.post("/contacts", headers, {"display_name": "canary-dana", "handles": [handle]})
    found["handle_id"] = made.result["handles"][0]["id"]
    return made.result["id"]


@pytest.fixture
def places(api, cast):
    """Ids of what a path names, made when it is first asked for."""
    alice, found = cast.alice.headers, {"account_id": "north", "user_id": "bob"}

    def session_id():
        api.say(alice, "canary-session", "canary-words")
        return "canary-session"

    def task_id():
        of("session_id")
        return api.post("/sessions/canary-session/commit", alice).result["task_id"]

    def archive_id():
        api.post(f"/tasks/{of('task_id')}/cancel", alice)
        return "archive_001"

    def agent_id():
        return api.post("/agents", alice, {"agent_id": "canary-max"}).result["agent_id"]

    def key_id():
        body = {"user_id": "bob", "name": "second"}
        return api.post("/admin/accounts/north/keys", alice, body).result["key_id"]

    makers = (session_id, task_id, archive_id, agent_id, key_id)
    made_by = {maker.__name__: maker for maker in makers}
    made_by["contact_id"] = lambda: new_contact(api, alice, found)
    made_by["into"] = lambda: new_contact(api, alice, {})

    def of(name):
        if name not in found:
            found[name] = made_by[name]()
        return found[name]

    return of


@pytest.fixture
def send(api, cast, places):
    """send(write, key) → its answer, to addresses that are there."""

    undone = set()

    def before_undoing(path):
        """Once: what the route takes back must be there."""
        way = path.rpartition("/")[2]
        if way not in ("unmerge", "unbind") or way in undone:
            return
        undone.add(way)
        body = {"into": places("into")} if way == "unmerge" else {"user_id": "beth"}
        done = api.post(path.replace(f"/{way}", f"/{way[2:]}"), cast.alice.headers, body)
        assert done.status == 200

    def filled(body):
        return {
            name: places(value[1:-1]) if value in ("{into}", "{contact_id}") else value
            for name, value in body.items()
        }

    def call(write, key="free-key", body=None):
        names = re.findall(r"{(\w+)}", write.path)
        path = write.path.format(**{name: places(name) for name in names})
        before_undoing(path)
        headers = keyed(cast.alice.headers, key) if key else cast.alice.headers
        sent = body or write.body
        return api(write.method, path, headers, filled(sent) if sent else None)

    return call


def test_every_writing_route_is_here():
    assert {(write.method, write.path) for write in WRITES} | WITHOUT == operations(writing=True)


@pytest.mark.parametrize("write", WRITES, ids=NAMES)
class TestEveryRoute:
    def test_a_repetition_gets_the_same_answer_and_writes_nothing(self, cast, send, write):
        first = send(write)
        assert first.status == 200, first.body
        before = row_counts(cast.north)
        for _ in range(2):
            again = send(write)
            if write.secret:
                assert (again.status, again.code) == (409, "CONFLICT")
            else:
                assert told(again) == told(first)
            assert row_counts(cast.north) == before

    def test_a_secret_is_not_told_again_but_named(self, send, write):
        first, again = send(write), send(write)
        if not write.secret:
            assert again.status == 200
            return
        secret = "code" if write.path.endswith("/code") else "user_key"
        assert first.result[secret] not in str(again.body)
        named = again.body["error"]["details"]["object"]
        if secret == "user_key":
            assert (write.body or {"user_id": "bob"})["user_id"] in named
        assert "user" in named or "key" in named or named == "code"

    def test_another_body_is_refused(self, cast, send, write):
        assert send(write).status == 200
        before = row_counts(cast.north)
        answer = send(write, body=write.other)
        assert (answer.status, answer.code) == (422, "INVALID_ARGUMENT")
        assert row_counts(cast.north) == before

    def test_a_long_key_is_refused(self, cast, send, write):
        send(write, "k" * 255)
        before = row_counts(cast.north)
        answer = send(write, "k" * 256)
        assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT")
        assert row_counts(cast.north) == before

    def test_an_empty_key_is_none(self, cast, send, write):
        send(write, " ")
        assert records(cast.north) == 0

    def test_its_record_holds_no_words(self, cast, send, write):
        answer = send(write)
        assert answer.status == 200
        table = "principals_idempotencyrecord"
        assert table in tables(cast.north.schema_name)
        with tenancy.account(cast.north):
            kept = tenancy.fetch_rows(f"SELECT row_to_json(r)::text AS it FROM {table} r", {})
        by_message = write.path.endswith("/messages")  # its key lies on the message
        assert len(kept) == (0 if by_message else 1)
        text = "".join(row["it"] for row in kept)
        assert CANARY not in text
        for hidden in ("bob", "bwk_", "north", "participants"):
            assert hidden not in text


@pytest.mark.parametrize(
    "write",
    [write for write in WRITES if write.refused],
    ids=[name for name, write in zip(NAMES, WRITES, strict=True) if write.refused],
)
def test_a_refused_write_leaves_no_record(cast, send, write):
    send(write, key=None)  # what it needs is there
    before = row_counts(cast.north)
    body, status = write.refused
    for _ in range(2):
        assert send(write, "k2", body=body).status == status
    assert row_counts(cast.north) == before


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


class TestMessages:
    """Their key lies on the message, for ever, and is unique in its session."""

    def test_outlives_the_day(self, api, cast, monkeypatch):
        headers = keyed(cast.bob.headers, "k")
        first = api.say(headers, "s1").result
        api.say(cast.bob.headers, "s1", "Another")
        later = timezone.now() + timedelta(days=400)
        monkeypatch.setattr(idempotency, "timezone", Clock(later))
        assert api.say(headers, "s1").result == first

    def test_belongs_to_its_session(self, api, cast):
        headers = keyed(cast.bob.headers, "k")
        assert api.say(headers, "s1").result != api.say(headers, "s2").result

    def test_of_another_writer_is_refused(self, api, cast):
        assert api.say(keyed(cast.bob.headers, "k"), "s1").status == 200
        assert api.say(keyed(cast.beth.headers, "k"), "s1").status == 422
        assert api.say(keyed(cast.beth.headers, "k2"), "s1").status == 200

    def test_is_answered_for_those_only_who_see_the_session(self, api, cast, set_policy):
        set_policy(sessions_visible_to="participants")
        assert api.say(keyed(cast.bob.headers, "k"), "s1").status == 200
        assert api.say(keyed(cast.beth.headers, "k"), "s1").status == 404

    def test_is_answered_when_the_session_has_ended(self, api, cast):
        first = api.say(keyed(cast.bob.headers, "k"), "s1").result
        api("PATCH", "/sessions/s1", cast.bob.headers, {"state": "ended"})
        assert api.say(keyed(cast.bob.headers, "k"), "s1").result == first
        assert api.say(keyed(cast.bob.headers, "k2"), "s1").status == 412

    @pytest.mark.parametrize("session", ["there before", "made by them"])
    def test_at_once_is_written_once(self, committed, session):
        headers = keyed(committed.bob.headers, "k")
        if session == "there before":
            Api().say(committed.bob.headers, "s1")
        answers = at_once(*((lambda api: api.say(headers, "s1")),) * 4)
        assert [answer.status for answer in answers] == [200] * 4
        assert len({answer.result["message_id"] for answer in answers}) == 1
        count = Api().get("/sessions/s1", committed.bob.headers).result["message_count"]
        assert count == (2 if session == "there before" else 1)

    def test_of_a_peers_first_message_is_known_again(self, api, cast):
        headers = keyed(peer_header(cast.bob.headers, "p1"), "k")
        first = api.say(headers, "s1").result
        assert api.say(headers, "s1").result == first


@dataclass(frozen=True)
class Clock:
    """Stands for django's timezone module."""

    at: Any

    def now(self):
        return self.at


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
