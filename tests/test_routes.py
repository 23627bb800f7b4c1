"""Every route and actor: who may, and with which status everyone else is refused.

The session `theirs` was made by Bob in the account north; Charlie is the admin of south.
"""

# ruff: noqa: E501 - one route a line reads as a table

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from accounts import tenancy
from accounts.actor import Operator
from accounts.principals.models import ApiKey
from accounts.principals.services import user_create
from config.api import api as ninja

ACTORS = (
    "root",  # the root key alone
    "root+",  # the root key naming the account north and its user bob
    "admin",  # alice, admin of north
    "admin+",  # alice acting for bob
    "user",  # bob
    "outsider",  # charlie, admin of south
    "revoked",  # a key of bob's that was revoked
    "expired",  # a key of bob's whose time is over
    "nobody",  # no key at all
    "garbage",  # something that is no key
)

# Where a session route names an account, it does so by header; "-" sends no Account header beyond
# what the actor itself always sends. Admin routes name it in the path.
API = """
                                        names   root root+ admin admin+ user outsider revoked expired nobody garbage

GET  /admin/accounts                    -       200  200   403   403    403  403      401     401     401    401
POST /admin/accounts                    -       200  200   403   403    403  403      401     401     401    401

GET  /admin/accounts/{account_id}/users north   200  200   200   200    403  403      401     401     401    401
GET  /admin/accounts/{account_id}/users south   200  200   403   403    403  200      401     401     401    401
GET  /admin/accounts/{account_id}/users absent  404  404   403   403    403  403      401     401     401    401
POST /admin/accounts/{account_id}/users north   200  200   200   200    403  403      401     401     401    401
POST /admin/accounts/{account_id}/users south   200  200   403   403    403  200      401     401     401    401
POST /admin/accounts/{account_id}/users absent  404  404   403   403    403  403      401     401     401    401

POST /sessions                          -       400  200   200   200    200  200      401     401     401    401
POST /sessions                          north   400  200   200   200    200  403      401     401     401    401
POST /sessions                          south   400  404   403   403    403  200      401     401     401    401
POST /sessions                          absent  400  404   403   403    403  403      401     401     401    401
GET  /sessions                          -       400  200   200   200    200  200      401     401     401    401
GET  /sessions                          north   400  200   200   200    200  403      401     401     401    401
GET  /sessions                          south   400  404   403   403    403  200      401     401     401    401
GET  /sessions                          absent  400  404   403   403    403  403      401     401     401    401

GET  /sessions/{session_id}             -       400  200   200   200    200  404      401     401     401    401
GET  /sessions/{session_id}             north   400  200   200   200    200  403      401     401     401    401
GET  /sessions/{session_id}             south   400  404   403   403    403  404      401     401     401    401
POST /sessions/{session_id}/messages    -       400  200   200   200    200  200      401     401     401    401
POST /sessions/{session_id}/messages    north   400  200   200   200    200  403      401     401     401    401
POST /sessions/{session_id}/messages    south   400  404   403   403    403  200      401     401     401    401
GET  /sessions/{session_id}/messages    -       400  200   200   200    200  404      401     401     401    401
GET  /sessions/{session_id}/messages    north   400  200   200   200    200  403      401     401     401    401
GET  /sessions/{session_id}/messages    south   400  404   403   403    403  404      401     401     401    401
GET  /sessions/{session_id}/context     -       400  200   200   200    200  404      401     401     401    401
GET  /sessions/{session_id}/context     north   400  200   200   200    200  403      401     401     401    401
GET  /sessions/{session_id}/context     south   400  404   403   403    403  404      401     401     401    401

GET  /system/status                     -       200  200   200   200    200  200      200     200     200    200
POST /system/wait                       -       501  501   501   501    501  501      501     501     501    501
"""

# htmx: nobody, asking for a fragment. 302 leads to the sign-in page, HX tells htmx to go there.
PAGES = """
                                            admin user outsider nobody htmx

/a/{account}/                               302   302  404      302    HX
/a/{account}/sessions                       200   200  404      302    HX
/a/{account}/sessions/{session_id}          200   200  404      302    HX
/a/{account}/sessions/{session_id}/messages/{seq}  200 200 404  302    HX
/a/{account}/policy                         200   200  404      302    HX

/                                           302   302  302      302    302
/sign-in                                    302   302  302      200    200
/sign-out                                   200   200  200      302    302
/theme                                      405   405  405      405    405
/health                                     200   200  200      200    200
/ready                                      200   200  200      200    200
/metrics                                    401   401  401      401    401
/api/v1/                                    404   404  404      404    404
/api/v1/docs                                200   200  200      200    200
/api/v1/openapi.json                        200   200  200      200    200
"""
VISITORS = ("admin", "user", "outsider", "nobody", "htmx")

BODIES = {
    ("POST", "/admin/accounts"): {"account_id": "acme", "admin_user_id": "anna"},
    ("POST", "/admin/accounts/{account_id}/users"): {"user_id": "carol"},
    ("POST", "/sessions"): {"session_id": "fresh"},
    ("POST", "/sessions/{session_id}/messages"): {"role": "user", "content": "Hello"},
}


@dataclass(frozen=True)
class Cell:
    """One route, one actor, one account named; and the status to expect."""

    method: str
    path: str
    names: str
    actor: str
    status: int

    def __str__(self) -> str:
        return f"{self.method} {self.path} [{self.names}] {self.actor}"


def api_cells() -> list[Cell]:
    header, *lines = [line.split() for line in API.splitlines() if line.strip()]
    assert tuple(header) == ("names", *ACTORS)
    cells = []
    for method, path, names, *statuses in lines:
        assert len(statuses) == len(ACTORS), (method, path)
        cells += [
            Cell(method, path, names, actor, int(status))
            for actor, status in zip(ACTORS, statuses, strict=True)
        ]
    return cells


def page_cells() -> list[Any]:
    header, *lines = [line.split() for line in PAGES.splitlines() if line.strip()]
    assert tuple(header) == VISITORS
    return [
        pytest.param(path, visitor, status, id=f"{path} {visitor}")
        for path, *statuses in lines
        for visitor, status in zip(VISITORS, statuses, strict=True)
    ]


@pytest.fixture
def headers(cast):
    """What each actor sends."""

    def key_of_bob(name: str, **fields: Any) -> dict[str, str]:
        made = user_create(actor=Operator(), account=cast.north, user_id=name)
        with tenancy.account(cast.north):
            ApiKey.objects.filter(user=made.user).update(**fields)
        return {"X-API-Key": made.user_key}

    now = timezone.now()
    return {
        "root": cast.root,
        "root+": cast.root_as("bob"),
        "admin": cast.alice.headers,
        "admin+": cast.alice_as("bob"),
        "user": cast.bob.headers,
        "outsider": cast.charlie.headers,
        "revoked": key_of_bob("was-revoked", revoked_at=now),
        "expired": key_of_bob("has-expired", expires_at=now - timedelta(seconds=1)),
        "nobody": {},
        "garbage": {"X-API-Key": "garbage"},
    }


@pytest.fixture
def theirs(api, cast):
    assert api.say(cast.bob.headers, "theirs").status == 200
    return "theirs"


@pytest.mark.parametrize("cell", api_cells(), ids=str)
def test_api(cell, api, headers, theirs):
    sent = dict(headers[cell.actor])
    if cell.names != "-" and "{account_id}" not in cell.path:
        sent["X-Bailiwick-Account"] = cell.names
    path = cell.path.format(account_id=cell.names, session_id=theirs)
    answer = api(cell.method, path, sent, BODIES.get((cell.method, cell.path)))
    assert answer.status == cell.status, answer.body


@pytest.mark.parametrize(("path", "visitor", "status"), page_cells())
def test_page(path, visitor, status, sign_in, theirs):
    who = {"admin": "alice", "user": "bob", "outsider": "charlie"}.get(visitor)
    browser = sign_in(who) if who else Client(raise_request_exception=False)
    answer = browser.get(
        path.format(account="north", session_id=theirs, seq=1),
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


def test_refusals_of_foreign_and_absent_accounts_are_alike(api, cast):
    def refusal(account_id: str) -> dict[str, Any]:
        answer = api.get(f"/admin/accounts/{account_id}/users", cast.alice.headers)
        assert answer.status == 403
        return answer.body["error"]

    assert refusal("south") == refusal("absent")

    def refusal_by_header(account_id: str) -> dict[str, Any]:
        named = {**cast.alice.headers, "X-Bailiwick-Account": account_id}
        answer = api.get("/sessions", named)
        assert answer.status == 403
        return answer.body["error"]

    assert refusal_by_header("south") == refusal_by_header("absent")


def test_all_keys_that_do_not_open_are_refused_alike(api, headers):
    answers = [
        api.get("/sessions", headers[actor]).body["error"]
        for actor in ("revoked", "expired", "nobody", "garbage")
    ]
    assert all(answer == answers[0] for answer in answers)


def test_every_operation_of_the_api_is_in_the_table():
    schema = ninja.get_openapi_schema(path_prefix="")
    operations = {
        (method.upper(), path) for path, methods in schema["paths"].items() for method in methods
    }
    assert {(cell.method, cell.path) for cell in api_cells()} == operations


def test_every_address_is_in_a_table():
    def addresses(patterns: Any, before: str) -> Any:
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                yield from addresses(pattern.url_patterns, route)
            else:
                yield route.replace("<str:", "<").replace("<int:", "<")

    found = {
        *addresses(get_resolver("config.urls").url_patterns, "/"),
        *addresses(get_resolver("config.account_urls").url_patterns, "/a/<account>/"),
    }
    in_tables = {
        *(f"/api/v1{cell.path}" for cell in api_cells()),
        *(param.values[0] for param in page_cells()),
    }
    assert {path.replace("{", "<").replace("}", ">") for path in in_tables} == found


def test_every_route_is_tried_on_its_own_and_on_a_foreign_account():
    """A route on an account's data has a row for each account it may be asked about."""
    rows: dict[tuple[str, str], set[str]] = {}
    for cell in api_cells():
        rows.setdefault((cell.method, cell.path), set()).add(cell.names)
    without = {path for (_, path), names in rows.items() if not {"north", "south"} <= names}
    assert without == {"/admin/accounts", "/system/status", "/system/wait"}
