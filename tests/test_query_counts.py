"""SQL statements per route, against baselines in query_counts.json that reviewers see.

Counted is every statement that the request sends, but for SET search_path (one per schema change;
sent beside the cursor, so Django does not report it) and SAVEPOINT, RELEASE and ROLLBACK TO, which
stand in a test for the BEGIN and COMMIT of a transaction. The account is known to the process and
the key was used within the last minute, as for every request of a client but its first. Making an
account replays its tables' DDL statement by statement, so that number grows with each table.

After a change that is meant: RECORD_QUERY_COUNTS=1 pytest tests/test_query_counts.py, and look at
the difference.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import keys, tenancy
from accounts.actor import Operator
from accounts.models import Person
from accounts.principals.models import Agent, ApiKey, Contact, ContactHandle, User
from accounts.principals.services import account_create, user_create
from memory.models import Consent, Evidence, Extraction, Memory
from sessions_app.models import Message, Participant, Session
from tests.accounts.kit import furnish_contact, make_contact
from tests.memory.routes import TOPIC, open_gates
from tests.page_table import page_cells
from tests.route_table import QUERIES, body_of, routes
from tests.sessions_app.work import fail_archive, run_queued

FILE = Path(__file__).with_name("query_counts.json")
BASELINES = json.loads(FILE.read_text(encoding="utf-8"))
NOT_COUNTED = re.compile(
    r"SAVEPOINT|RELEASE|ROLLBACK TO|SET search_path|SET CONSTRAINTS", re.IGNORECASE
)
FEW, MANY = 5, 60


def grow(cast, first: int, last: int) -> None:
    """Sessions g<first> … g<last - 1> with a message and a participant each; as many messages in
    the session `long`; and a few users, agents and accounts more."""
    with tenancy.account(cast.north):
        bob, agent = User.objects.get(user_id="bob"), Agent.objects.get(agent_id="default")
        long = Session.objects.get(session_id="long")
        sessions = [
            Session(
                session_id=f"g{number}",
                owner=bob,
                agent=agent,
                message_count=1,
                started_at=long.started_at,
                last_activity_at=long.started_at,
                written_by=bob.pk,
            )
            for number in range(first, last)
        ]
        Session.objects.bulk_create(sessions)
        said = {"role": "user", "role_id": "bob", "parts": [{"type": "text", "text": "Hello"}]}
        Message.objects.bulk_create(
            [
                *(Message(session=row, seq=1, text="Hello", **said) for row in sessions),
                *(
                    Message(session=long, seq=number, text="Hello", written_by=bob.pk, **said)
                    for number in range(long.message_count + 1, last)
                ),
            ]
        )
        Session.objects.filter(pk=long.pk).update(message_count=last - 1)
        Participant.objects.bulk_create(
            Participant(session=row, user=bob, first_seq=1, last_seq=1, last_at=row.started_at)
            for row in sessions
        )
        User.objects.bulk_create(User(user_id=f"u{number}") for number in range(first, last))
        Agent.objects.bulk_create(Agent(agent_id=f"a{number}") for number in range(first, last))
        contacts = [Contact(owner=bob, display_name=f"c{number}") for number in range(first, last)]
        for row in contacts:
            row.root = row.pk
        Contact.objects.bulk_create(contacts)
        ContactHandle.objects.bulk_create(
            ContactHandle(
                contact=row,
                owner=bob,
                platform="telegram",
                platform_id=row.display_name,
                kind=row.kind,
            )
            for row in contacts
        )
    grow_memories(cast, first, last, contacts, sessions)


def grow_memories(cast, first: int, last: int, contacts: list[Any], sessions: list[Any]) -> None:
    """As many memories of Bob's with the agent ada, each of a contact and out of a session; and as
    many versions and messages as evidence of the one that routes are about."""
    with tenancy.account(cast.north):
        bob = User.objects.get(user_id="bob")
        agent, _ = Agent.objects.get_or_create(agent_id="ada", memory_system="structured")
        said = {"content": "Takes tea.", "written_by": bob.pk}
        about, _ = Memory.objects.get_or_create(
            user=bob, agent=agent, topic_key=TOPIC, defaults=said
        )
        Memory.objects.bulk_create(
            Memory(
                user=bob,
                agent=agent,
                contact=contact,
                session=session,
                topic_key=f"{TOPIC}-{contact.display_name}",
                **said,
            )
            for contact, session in zip(contacts, sessions, strict=True)
        )
        for number in range(first, last):
            Memory.objects.filter(pk=about.pk).update(content=f"Takes tea at {number}.")
        messages = Message.objects.filter(session__in=sessions)
        Evidence.objects.bulk_create(Evidence(memory=about, message=row) for row in messages)
        Consent.objects.bulk_create(Consent(contact=row, state="granted") for row in contacts)
        Extraction.objects.bulk_create(
            Extraction(user=bob, agent=agent, session=row, first_seq=1, last_seq=1)
            for row in sessions
        )


def grow_accounts(route: str) -> None:
    """Making one takes 0.1 s, so only where accounts are what grows."""
    if route.endswith(("accounts", "/ready", "/metrics", "status")):
        for number in range(3):
            account_create(actor=Operator(), account_id=f"acme-{number}", admin_user_id="anna")


@pytest.fixture
def world(api, cast):
    """A few of everything; `long` is a session of Bob's."""
    assert api.post("/sessions", cast.bob.headers, {"session_id": "long"}).status == 200
    grow(cast, 1, FEW)
    return cast


@pytest.fixture
def count():
    """count(act) → the statements that act() sends."""

    def statements(act: Any) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            act()
        sent = [query["sql"] for query in captured.captured_queries]
        return [sql for sql in sent if not NOT_COUNTED.match(sql)]

    return statements


def agree(name: str, few: list[str], many: list[str]) -> None:
    """As many with few rows as with many, and as many as the baseline says."""
    assert len(many) == len(few), many
    if os.environ.get("RECORD_QUERY_COUNTS"):
        BASELINES[name] = len(few)
        words = json.dumps(BASELINES, indent=2, sort_keys=True)
        FILE.write_text(f"{words}\n", encoding="utf-8")
    assert {name: len(few)} == {name: BASELINES.get(name)}, few


def places_of(api, cast, path: str) -> dict[str, str]:
    """What the route's path names; archives and tasks are of the session `long`."""
    places = {"account_id": "north", "user_id": "bob", "session_id": "long", "agent_id": "a1"}
    places |= {"key_id": keys.parse_key(cast.beth.key).key_id, "archive_id": "archive_001"}
    if path.startswith(("/memories", "/uris", "/users")):
        with tenancy.account(cast.north):
            memory = Memory.objects.get(topic_key=TOPIC).pk
        places |= {"memory_id": str(memory), "agent_id": "ada", "topic": TOPIC}
        open_gates(cast.north)
    if path.startswith("/contacts"):
        subject = make_contact(cast.north, "telegram", "subject", owner="bob")
        places |= furnish_contact(cast.north, subject, path)
    if "{archive_id}" in path or "{task_id}" in path:
        committed = api.post("/sessions/long/commit", cast.bob.headers)
        places["task_id"] = committed.result["task_id"]
        if path.endswith("{archive_id}"):
            assert run_queued() == 1
        elif "{archive_id}" in path:
            fail_archive(cast.north, "long")
    return places


def request(api, cast, route: str) -> Any:
    """A function that sends the route's request, and takes back what it changed."""
    method, path = route.split()
    places = places_of(api, cast, path)
    if path.endswith("/revert"):
        changed = {"sessions_visible_to": "participants"}
        assert api("PUT", "/admin/accounts/north/policy", cast.root, changed).status == 200
    headers = cast.root if path.startswith("/admin/accounts") else cast.bob.headers
    if (method == "DELETE" and path.startswith("/sessions")) or path.startswith("/agents"):
        headers = cast.alice.headers
    managed = path.endswith(("merge", "bind", "quarantine", "release"))
    if managed or route.startswith("PUT /contacts"):
        headers = cast.alice.headers
    if path == "/inbound":
        headers = cast.root_as("bob")

    def send() -> None:
        connection.check_constraints()  # a schema with checks that still wait cannot be dropped
        with transaction.atomic():
            asked = QUERIES.get(route, {})
            answer = api(method, path.format(**places), headers, body_of(route, places), **asked)
            transaction.set_rollback(True)
        assert answer.status in (200, 501), answer.body

    return send


API_ROUTES = sorted(f"{method} {path}" for method, path, *_ in routes())
PAGES = sorted({path for path, *_ in page_cells()})


@pytest.mark.parametrize("route", API_ROUTES)
def test_api_route(route, api, world, count):
    send = request(api, world, route)
    send()
    few = count(send)
    grow(world, FEW, MANY)
    grow_accounts(route)
    agree(route, few, count(send))


@pytest.mark.parametrize("path", PAGES)
def test_page(path, world, places, sign_in, count):
    signed_in = path.startswith(("/a/", "/account", "/operator/")) or path == "/"
    browser = sign_in("alice") if signed_in else Client(headers=world.root)
    if path.startswith("/operator/"):
        Person.objects.filter(email="alice@north.example").update(is_operator=True)
    address = path.format(account="north", **{**places, "session_id": "long", "seq": "2"})

    def load() -> None:
        assert browser.get(address).status_code < 500

    load()
    few = count(load)
    grow(world, FEW, MANY)
    grow_accounts(path)
    agree(f"GET {path}", few, count(load))


# name → (who, agent, method, path, role of the message); "#" is another number each time.
SAY = "/sessions/{session_id}/messages"
VARIANTS = {
    "GET /sessions with every filter": (
        *("bob", "default", "GET"),
        *("/sessions?agent=default&user=bob&participant=bob&state=active&q=hello", ""),
    ),
    "GET /memories with every filter": (
        *("bob", "default", "GET"),
        "/memories?q=tea&user=bob&agent=ada&kind=facts&state=any&uri=viking://user/memories",
        "",
    ),
    "GET /memories as of a moment": (
        *("bob", "default", "GET", "/memories?as_of=2100-01-01T00:00:00Z&q=tea", ""),
    ),
    "GET /memories by an admin": ("alice", "default", "GET", "/memories", ""),
    "GET /sessions under an agent never seen": ("bob", "agent-#", "GET", "/sessions", ""),
    f"POST {SAY} by an admin for a user": ("alice as bob", "default", "POST", SAY, "user"),
    f"POST {SAY} of an assistant": ("bob", "default", "POST", SAY, "assistant"),
    f"POST {SAY}, the first one": ("bob", "default", "POST", "/sessions/new-#/messages", "user"),
    f"POST {SAY}, the first one of an agent": (
        *("bob", "agent-#", "POST", "/sessions/new-#/messages", "user"),
    ),
}
# name → what a turn has beside its text; "#" is another number each time.
TURNS = {
    "POST /inbound of a known sender": {},
    "POST /inbound of a known sender, with an external id": {"external_id": "#"},
    "POST /inbound, delivered again": {"external_id": "0"},
    "POST /inbound of a group": {"chat": {"id": "-1", "kind": "group"}},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_variant(name, api, world, count):
    who, agent, method, path, role = VARIANTS[name]
    headers = world.alice_as("bob") if who == "alice as bob" else getattr(world, who).headers
    body = json.dumps({"role": role, "content": "Hello"}).encode() if role else b""
    numbers = iter("0123456789")

    def send() -> None:
        number = next(numbers)
        named = {**headers, "X-Bailiwick-Agent": agent.replace("#", number)}
        address = path.format(session_id="long").replace("#", number)
        assert api.raw(method, address, named, body).status == 200

    send()
    few = count(send)
    grow(world, FEW, MANY)
    agree(name, few, count(send))


@pytest.mark.parametrize("name", TURNS)
def test_turn(name, api, world, count):
    numbers = iter("0123456789")
    turn = {"platform": "telegram", "sender": {"id": "7"}, "agent_id": "quinn", "text": "Hello"}

    def send() -> None:
        words = json.dumps({**turn, **TURNS[name]}).replace("#", next(numbers))
        assert api.raw("POST", "/inbound", world.root_as("bob"), words.encode()).status == 200

    send()
    few = count(send)
    grow(world, FEW, MANY)
    agree(name, few, count(send))


def test_every_route_and_page_has_a_baseline():
    wanted = {*API_ROUTES, *(f"GET {path}" for path in PAGES), *VARIANTS, *TURNS}
    assert set(BASELINES) == wanted
    assert list(BASELINES) == sorted(BASELINES)


class TestAuthentication:
    """Credential, role, account state and policy in one statement, and nothing else."""

    @pytest.fixture
    def without_scopes(self, api, world):
        """Bob's key opens, but a request ends there: it has no scope."""
        assert api.get("/sessions", world.bob.headers).status == 200
        with tenancy.account(world.north):
            ApiKey.objects.filter(user__user_id="bob").update(scopes=[])
        return world.bob.headers

    def test_is_one_statement(self, api, without_scopes, count):
        def refused() -> None:
            assert api.get("/sessions", without_scopes).status == 403

        (only,) = count(refused)
        for table in (
            *("principals_apikey", "principals_user", "principals_agent"),
            *("accounts_account", "accounts_namespacepolicy"),
        ):
            assert table in only

    def test_is_one_statement_for_root(self, api, world, count):
        headers = world.root_as("nobody")

        def refused() -> None:
            assert api.get("/sessions", headers).status == 404

        assert len(count(refused)) == 1

    def test_of_an_unknown_key_is_one_statement(self, api, world, count):
        def refused() -> None:
            assert api.get("/sessions", {"X-API-Key": f"{world.bob.key}x"}).status == 401

        assert len(count(refused)) == 1

    @pytest.mark.parametrize("key", ["", "garbage", "bwk_a.b"])
    def test_of_no_key_asks_nothing(self, api, count, key):
        def refused() -> None:
            assert api.get("/sessions", {"X-API-Key": key}).status == 401

        assert count(refused) == []

    def test_finds_the_account_by_one_statement_more_once(self, api, without_scopes, count):
        def refused() -> None:
            assert api.get("/sessions", without_scopes).status == 403

        tenancy.forget("north")
        assert len(count(refused)) == 2
        assert len(count(refused)) == 1

    def test_notes_the_use_by_one_statement_more_a_minute(self, api, world, count):
        made = user_create(actor=Operator(), account=world.north, user_id="carol")
        with tenancy.account(world.north):
            ApiKey.objects.filter(user=made.user).update(scopes=[])

        def refused() -> None:
            assert api.get("/sessions", {"X-API-Key": made.user_key}).status == 403

        assert [sql.split()[0] for sql in count(refused)] == ["SELECT", "UPDATE"]
        assert len(count(refused)) == 1

    def test_of_a_page_is_the_sign_in_and_one_statement(self, sign_in, count):
        """Session, person, then everything on the account at once; the page refuses itself."""
        browser = sign_in("alice")

        def refused() -> None:
            assert browser.get("/a/north/nothing").status_code == 404

        refused()
        sent = count(refused)
        assert sum("accounts_membership" in sql and "principals_user" in sql for sql in sent) == 1
        assert sum("accounts_namespacepolicy" in sql for sql in sent) == 1
