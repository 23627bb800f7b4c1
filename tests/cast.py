"""The cast: Alice (admin), Bob and Beth (users, same account), Charlie (admin of another account),
Root; agents Ada and Max. Two accounts are made once per run; each test's changes are rolled back.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts import tenancy
from accounts.actor import Actor, Operator
from accounts.models import NamespacePolicy, Person
from accounts.principals import access, authentication
from accounts.principals.services import account_create, user_create
from accounts.services import person_enroll
from accounts.tenancy import AccountRef
from config.postgres import EmbeddedPostgres

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Member:
    """A user of an account with their key."""

    account: AccountRef
    user_id: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"X-API-Key": self.key}


@dataclass(frozen=True)
class Cast:
    """Everyone, made once per run."""

    north: AccountRef
    south: AccountRef
    alice: Member
    bob: Member
    beth: Member
    charlie: Member
    root: dict[str, str] = field(
        default_factory=lambda: {"X-API-Key": settings.ROOT_KEY}, repr=False
    )

    def root_as(self, user_id: str, account_id: str = "north") -> dict[str, str]:
        return {**self.root, "X-Bailiwick-Account": account_id, "X-Bailiwick-User": user_id}

    def alice_as(self, user_id: str) -> dict[str, str]:
        return {**self.alice.headers, "X-Bailiwick-User": user_id}


@dataclass(frozen=True)
class Answer:
    """An API answer, unpacked."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def result(self) -> Any:
        assert self.body["status"] == "ok", self.body
        return self.body["result"]

    @property
    def code(self) -> str:
        assert self.body["status"] == "error", self.body
        return self.body["error"]["code"]


class Api:
    """The API as a client sees it, inside the test's transaction."""

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=False)

    def __call__(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: Any = None,
        **query: Any,
    ) -> Answer:
        extra = {} if body is None else {"data": body, "content_type": "application/json"}
        response = self.client.generic(
            method,
            f"/api/v1{path}",
            headers=headers or {},
            query_params=query,
            **(
                {
                    "data": self.client._encode_json(extra["data"], extra["content_type"]),
                    "content_type": extra["content_type"],
                }
                if extra
                else {}
            ),
        )
        body = json.loads(response.getvalue()) if response.streaming else response.json()
        return Answer(response.status_code, body, dict(response.headers))

    def raw(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        data: bytes = b"",
        content_type: str = "application/json",
    ) -> Answer:
        """Send these bytes, whatever they are."""
        response = self.client.generic(
            method, f"/api/v1{path}", data, content_type, headers=headers or {}
        )
        return Answer(response.status_code, response.json(), dict(response.headers))

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> Answer:
        return self("GET", path, headers, **query)

    def post(self, path: str, headers: dict[str, str] | None = None, body: Any = None) -> Answer:
        return self("POST", path, headers, {} if body is None else body)

    def say(
        self, headers: dict[str, str], session_id: str, content: str = "Hello", **more: Any
    ) -> Answer:
        """Append a user's message."""
        message = {"role": "user", "content": content, **more}
        return self.post(f"/sessions/{session_id}/messages", headers, message)


def make_cast(suffix: str = "") -> Cast:
    """Make both accounts; the ids get the suffix (for tests that commit)."""
    root = Operator()
    north = account_create(actor=root, account_id=f"north{suffix}", admin_user_id="alice")
    south = account_create(actor=root, account_id=f"south{suffix}", admin_user_id="charlie")

    def user(user_id: str) -> Member:
        made = user_create(actor=root, account=north.ref, user_id=user_id)
        return Member(north.ref, user_id, made.user_key)

    person_enroll(
        actor=root,
        email=f"alice{suffix}@north.example",
        name="Alice North",
        password=PASSWORD,
        account=north.ref,
        user=north.admin,
    )
    person_enroll(
        actor=root,
        email=f"charlie{suffix}@south.example",
        name="Charlie South",
        password=PASSWORD,
        account=south.ref,
        user=south.admin,
    )
    return Cast(
        north=north.ref,
        south=south.ref,
        alice=Member(north.ref, "alice", north.user_key),
        bob=user("bob"),
        beth=user("beth"),
        charlie=Member(south.ref, "charlie", south.user_key),
    )


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Any:
    """This worker's database, at head, with the cast committed once."""
    name = f"bailiwick_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    server = EmbeddedPostgres(settings.ENV.data_dir).parameters
    parameters = {**server, "dbname": "template1"}
    with psycopg.connect(**parameters, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name
    with django_db_blocker.unblock():
        call_command("migrate_accounts", quiet=True)
        _CAST.append(make_cast())
        connection.close()
    yield
    with django_db_blocker.unblock():
        connection.close()


_CAST: list[Cast] = []


@pytest.fixture
def cast(db: None) -> Cast:
    return _CAST[0]


@pytest.fixture
def api(cast: Cast) -> Any:
    yield Api()
    tenancy.leave()


@pytest.fixture
def acting(cast: Cast) -> Any:
    """acting("bob", agent="ada") → that user as an Actor, inside its account."""

    def actor(user_id: str, *, account: AccountRef | None = None, agent: str = "default") -> Actor:
        ref = account or cast.north
        tenancy.enter(ref)
        return authentication.actor_within(ref, user_id, agent)

    yield actor
    tenancy.leave()


@pytest.fixture
def set_policy(cast: Cast) -> Any:
    """set_policy(sessions_visible_to="participants") changes the first account's policy."""

    def change(account: AccountRef | None = None, **fields: Any) -> None:
        NamespacePolicy.objects.filter(account_id=(account or cast.north).id).update(**fields)

    return change


@pytest.fixture
def sign_in(cast: Cast) -> Any:
    """sign_in("alice") → a browser in which that member of the cast is signed in."""

    def signed_in(name: str) -> Client:
        place = "south" if name == "charlie" else "north"
        email = f"{name}@{place}.example"
        person = Person.objects.filter(email=email).first()
        if person is None:
            with tenancy.account(cast.north):
                user = access.user_by_id(name)
            assert user is not None
            person = person_enroll(
                actor=Operator(),
                email=email,
                name=f"{name.title()} North",
                password=PASSWORD,
                account=cast.north,
                user=user.id,
            )
        browser = Client(raise_request_exception=False)
        browser.force_login(person)
        return browser

    return signed_in


@pytest.fixture(autouse=True)
def back_in_public() -> Any:
    """Each test begins and ends in public; accounts that a rollback takes away are forgotten."""
    known = dict(tenancy._refs)
    yield
    tenancy._refs.clear()
    tenancy._refs.update(known)
    if connection.schema_name != "public":
        tenancy.leave()
