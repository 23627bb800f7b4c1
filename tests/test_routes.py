"""Every route and actor: who may, and with which status everyone else is refused.

The session `theirs` was made by Bob in the account north; Charlie is the admin of south. The tables
are in route_table.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from accounts import keys, tenancy
from accounts.actor import Operator
from accounts.principals.models import ApiKey, User
from accounts.principals.services import user_create
from config.api import api as ninja
from sessions_app.models import Participant, Session, Task
from tests.accounts.kit import furnish_contact, make_contact
from tests.callers import GATEWAY, furnish
from tests.cast import Answer
from tests.memory.routes import furnish_memory, open_gates
from tests.page_table import page_cells
from tests.route_table import (
    ACTORS,
    BODIES,
    CONTACT_ROUTES,
    QUERIES,
    Cell,
    api_cells,
    body_of,
    contact_cells,
    routes,
)

ON_MEMORIES = ("/memories", "/uris", "/users")


@pytest.fixture
def headers(cast, a_key):
    """headers("bound") → what that actor sends; only what is asked for is made."""

    def key_of_bob(**fields: Any) -> dict[str, str]:
        made = a_key("bob")
        with tenancy.account(cast.north):
            ApiKey.objects.filter(name="second").update(**fields)
        return made

    def gateway() -> dict[str, str]:
        user_create(actor=Operator(), account=cast.north, user_id="gate")
        return a_key("gate", scopes=GATEWAY)

    now = timezone.now()
    actors = {
        "root": lambda: cast.root,
        "root+": lambda: cast.root_as("bob"),
        "admin": lambda: cast.alice.headers,
        "admin+": lambda: cast.alice_as("bob"),
        "user": lambda: cast.bob.headers,
        "gateway": gateway,
        "bound": lambda: a_key("bob", agents=["ada"]),
        "outsider": lambda: cast.charlie.headers,
        "revoked": lambda: key_of_bob(revoked_at=now),
        "expired": lambda: key_of_bob(expires_at=now - timedelta(seconds=1)),
        "nobody": dict,
        "garbage": lambda: {"X-API-Key": "garbage"},
    }
    assert tuple(actors) == ACTORS
    return lambda actor: actors[actor]()


@pytest.fixture
def theirs(api, cast):
    return furnish(api, cast.north, cast.bob.headers, "")["session_id"]


@pytest.fixture
def subjects(api, cast):
    """subjects("south") → a user of that account and a key's id, to be looked at or deleted; the
    policy of the account can be reverted."""

    def of(account_id: str) -> dict[str, str]:
        user_id, key = "bob", cast.beth.key
        if account_id in ("north", "south"):
            policy = f"/admin/accounts/{account_id}/policy"
            changed = {"sessions_visible_to": "participants"}
            assert api("PUT", policy, cast.root, changed).status == 200
        if account_id == "south":
            user_id = "carl"
            made = user_create(actor=Operator(), account=cast.south, user_id=user_id)
            key = made.user_key
        return {"user_id": user_id, "key_id": keys.parse_key(key).key_id}

    return of


def rows(cells: list[Cell]) -> list[Any]:
    """The cells, a row of the table each: one route, one account named, every actor."""
    grouped: dict[str, list[Cell]] = {}
    for cell in cells:
        grouped.setdefault(f"{cell.route} [{cell.names}]", []).append(cell)
    return [pytest.param(row, id=name) for name, row in grouped.items()]


def asked(route: str) -> dict[str, str]:
    """What stands behind the question mark."""
    return QUERIES.get(route, {})


def hold(row: list[Cell], send: Callable[[Cell], Answer]) -> None:
    """Every actor is answered as the table says; what each of them changed is taken back."""
    wrong = []
    for cell in row:
        with transaction.atomic():
            answer = send(cell)
            transaction.set_rollback(True)
        if answer.status != cell.status:
            wrong.append(f"{cell}: {answer.status}, not {cell.status}: {answer.body['error']}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("row", rows(api_cells()))
def test_api(row, api, cast, headers, subjects):
    about = row[0]
    places = {}
    if about.path.startswith("/admin"):
        places = {"account_id": about.names, **subjects(about.names)}
    elif about.path.startswith(ON_MEMORIES):
        open_gates(cast.south)
        places = furnish_memory(api, cast.north, cast.bob.headers)
    elif about.path.startswith(("/sessions", "/tasks", "/agents")):
        places = furnish(api, cast.north, cast.bob.headers, about.path)
    elif about.path.startswith("/contacts"):
        subject = make_contact(cast.north, "telegram", "subject", owner="bob")
        places = furnish_contact(cast.north, subject, about.path)
    path = about.path.format(**places)

    def send(cell: Cell) -> Answer:
        sent = dict(headers(cell.actor))
        if not path.startswith("/admin") and cell.names != "-":
            sent["X-Bailiwick-Account"] = cell.names
        connection.check_constraints()  # a schema with checks that still wait cannot be dropped
        return api(cell.method, path, sent, body_of(cell.route, places), **asked(cell.route))

    hold(row, send)


def join(api: Any, account: Any, callers: Any, kinds: tuple[str, str]) -> None:
    """The person of A and its kin takes part in the session of the group of the two."""
    person, group = ("A", "kin") if kinds[0] == "external" else ("kin", "A")
    if group == "kin":
        assert api.say(callers["kin"], "of-the-group").status == 200
    with tenancy.account(account):
        session = Session.objects.get(
            session_id="theirs" if group == "A" else "of-the-group", contact__kind="group"
        )
        Participant.objects.create(
            session=session,
            contact_id=callers[person]["X-Bailiwick-Contact"],
            first_seq=1,
            last_seq=1,
            last_at=session.started_at,
        )


@pytest.mark.parametrize(
    ("policy", "kinds"),
    [
        ("account", ("external", "group")),
        ("participants", ("external", "group")),
        ("account", ("group", "external")),
    ],
    ids=["account", "participants", "group"],
)
@pytest.mark.parametrize("row", rows(contact_cells()))
def test_of_a_contact(row, policy, kinds, api, cast, set_policy, callers):
    set_policy(sessions_visible_to=policy)
    about = row[0]
    if about.path.startswith(("/sessions", "/tasks")):
        places = furnish(api, cast.north, callers["A"], about.path)
        join(api, cast.north, callers, kinds)
    elif about.path.startswith(ON_MEMORIES):
        places = furnish_memory(api, cast.north, callers["A"])
    else:
        subject = callers["A"]["X-Bailiwick-Contact"]
        places = furnish_contact(cast.north, subject, about.path)
    path = about.path.format(**places)
    if kinds[0] == "group" and path.endswith("/bind"):  # a group is no user: nobody may
        row = [replace(cell, status=409 if cell.status == 200 else cell.status) for cell in row]

    def send(cell: Cell) -> Answer:
        sent = callers[cell.actor]
        return api(cell.method, path, sent, body_of(cell.route, places), **asked(cell.route))

    hold(row, send)


LISTED = {
    "A": "theirs",
    "B": "",
    "new": "",
    "owner": "theirs bobs",
    "bound": "theirs bobs",
    "user": "bobs",
    "gateway": "bobs",
    "admin": "theirs bobs",
    "admin/A": "theirs",
    "admin/B": "",
    "admin+": "bobs",
    "root+": "theirs bobs",
    "root+/B": "",
    "kin": "of-the-group",
}


@pytest.mark.parametrize(("caller", "found"), LISTED.items())
def test_lists_of_a_contact(caller, found, api, cast, callers, kinds):
    furnish(api, cast.north, callers["A"], "")
    join(api, cast.north, callers, kinds)
    assert api.say(cast.bob.headers, "bobs").status == 200
    for query in ({}, {"q": "hello"}, {"limit": 1}):
        answer = api.get("/sessions", callers[caller], **query)
        ids = {row["session_id"] for row in answer.result}
        if caller in ("owner", "bound", "admin", "root+"):
            ids -= {"of-the-group"}  # they own both, or see all
        assert ids == set(found.split()) if "limit" not in query else ids <= set(found.split())


@pytest.mark.parametrize("caller", ["A", "owner", "B", "new", "admin", "admin/A", "user"])
def test_tasks_of_a_contact(caller, api, cast, callers):
    places = furnish(api, cast.north, callers["A"], "{task_id}")
    found = [row["task_id"] for row in api.get("/tasks", callers[caller]).result]
    seen = caller in ("A", "owner", "admin/A")
    assert found == ([places["task_id"]] if seen else [])
    with tenancy.account(cast.north):
        owner = User.objects.get(user_id="bob").pk
        assert list(Task.objects.values_list("user", flat=True)) == [owner]


@pytest.mark.parametrize(
    ("path", "visitor", "status"), page_cells(), ids=lambda value: str(value).replace("/", "_")
)
def test_page(path, visitor, status, sign_in, places):
    who = {"admin": "alice", "user": "bob", "outsider": "charlie"}.get(visitor)
    browser = sign_in(who) if who else Client(raise_request_exception=False)
    answer = browser.get(
        path.format(account="north", **places),
        headers={"HX-Request": "true"} if visitor == "htmx" else {},
    )
    if status == "HX":
        assert answer.status_code == 200
        assert answer["HX-Redirect"].startswith("/sign-in?next=/a/north/")
        return
    assert answer.status_code == int(status), answer.content[:300]
    if path.startswith("/a/") and visitor == "nobody":
        assert answer["Location"].startswith("/sign-in?next=/a/north/")
    if path.startswith("/a/") and who and status == "200":
        assert answer["Cache-Control"] == "no-store"
        assert "HX-Request" in answer["Vary"]


@pytest.mark.parametrize("path", ["/a/{}/", "/a/{}/sessions", "/a/{}/policy", "/a/{}/sessions/x"])
def test_foreign_and_absent_accounts_look_alike(path, sign_in):
    browser = sign_in("charlie")
    foreign, absent = browser.get(path.format("north")), browser.get(path.format("absent"))
    assert foreign.status_code == absent.status_code == 404
    assert foreign.content.replace(b"north", b"absent") == absent.content


ABOUT_AN_ACCOUNT = [
    (method, path) for method, path, pattern, _ in routes() if pattern in {"one_account", "manager"}
]


@pytest.mark.parametrize(("method", "path"), ABOUT_AN_ACCOUNT, ids=" ".join)
def test_refusals_of_foreign_and_absent_accounts_are_alike(method, path, api, cast):
    def refusal(account_id: str) -> dict[str, Any]:
        at = path.format(account_id=account_id, user_id="bob", key_id="absent")
        answer = api(method, at, cast.alice.headers, BODIES.get(f"{method} {path}"))
        assert answer.status == 403
        return answer.body["error"]

    assert refusal("south") == refusal("absent")


def test_refusals_by_header_are_alike_too(api, cast):
    def refusal(account_id: str) -> dict[str, Any]:
        named = {**cast.alice.headers, "X-Bailiwick-Account": account_id}
        answer = api.get("/sessions", named)
        assert answer.status == 403
        return answer.body["error"]

    assert refusal("south") == refusal("absent")


def test_all_keys_that_do_not_open_are_refused_alike(api, headers):
    answers = []
    for actor in ("revoked", "expired", "nobody", "garbage"):
        with transaction.atomic():
            refused = api.get("/sessions", headers(actor))
            transaction.set_rollback(True)
        assert refused.status == 401
        answers.append(refused.body["error"])
    assert all(answer == answers[0] for answer in answers)


def test_every_operation_of_the_api_is_in_the_table():
    schema = ninja.get_openapi_schema(path_prefix="")
    operations = {
        (method.upper(), path) for path, methods in schema["paths"].items() for method in methods
    }
    assert {(method, path) for method, path, *_ in routes()} == operations


def test_every_route_is_there_once_and_every_body_belongs_to_one():
    known = [f"{method} {path}" for method, path, *_ in routes()]
    assert len(known) == len(set(known))
    assert set(BODIES) <= set(known)


def test_every_route_about_sessions_and_contacts_is_tried_as_a_contact():
    about = {(method, path) for method, path, *_ in routes() if path.startswith(CONTACT_ROUTES)}
    assert {(cell.method, cell.path) for cell in contact_cells()} == about


def test_every_address_is_in_a_table():
    def addresses(patterns: Any, before: str) -> Any:
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                yield from addresses(pattern.url_patterns, route)
            else:
                yield re.sub(r"<\w+:", "<", route)

    found = {
        *addresses(get_resolver("config.urls").url_patterns, "/"),
        *addresses(get_resolver("config.account_urls").url_patterns, "/a/<account>/"),
    }
    in_tables = {
        *(f"/api/v1{path}" for _, path, *_ in routes()),
        *(path for path, *_ in page_cells()),
    }
    assert {path.replace("{", "<").replace("}", ">") for path in in_tables} == found


def test_every_route_is_tried_on_its_own_and_on_a_foreign_account():
    """A route on an account's data has a row for each account it may be asked about."""
    rows: dict[tuple[str, str], set[str]] = {}
    for cell in api_cells():
        rows.setdefault((cell.method, cell.path), set()).add(cell.names)
    without = {path for (_, path), names in rows.items() if not {"north", "south"} <= names}
    assert without == {"/admin/accounts", "/system/status", "/system/wait"}
