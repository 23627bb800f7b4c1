"""The OpenAPI file names every route with what it takes and refuses, and the server keeps to it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from django.test import Client
from django.urls import get_resolver
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from accounts import tenancy
from config.api import api as ninja
from tests.accounts.kit import furnish_contact, make_contact
from tests.cast import Api
from tests.memory.routes import furnish_memory

FILE = "/api/v1/openapi.json"
METHODS = ("get", "post", "put", "patch", "delete")
OPEN = {("get", "/api/v1/system/status"), ("post", "/api/v1/system/wait")}
NOT_OFFERED = {
    ("post", "/api/v1/system/wait"),
    ("post", "/api/v1/sessions/{session_id}/extract"),
    ("get", "/api/v1/memories/{memory_id}/why"),  # its query
}
# Answered with a file, without an envelope.
FILES = {("get", "/api/v1/users/{user_id}/memory/export")}
# Lists that are whole, and what holds a page beside something else.
WHOLE = {
    ("get", "/api/v1/memories/{memory_id}/evidence"),
    ("get", "/api/v1/users/{user_id}/memory/audit"),
}
PAGED = {("get", "/api/v1/users"), ("post", "/api/v1/admin/accounts/{account_id}/policy/preview")}
REFUSALS = ("400", "401", "403", "404", "409", "413", "415", "422", "429", "500", "503")
EXAMPLES = 16  # for each operation and way of making them
NO_SHRINK = (Phase.explicit, Phase.generate)


def document() -> dict[str, Any]:
    return json.loads(json.dumps(ninja.get_openapi_schema(path_prefix="/api/v1/")))


FOUND = document()
OPERATIONS = {
    (method, path): operation
    for path, operations in FOUND["paths"].items()
    for method, operation in operations.items()
    if method in METHODS
}
each_operation = pytest.mark.parametrize("key", OPERATIONS, ids=" ".join)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """What a schema, which may be a reference or a choice with null, stands for."""
    for one in schema.get("anyOf", []):
        if one.get("type") != "null":
            schema = one
    while "$ref" in schema:
        schema = FOUND["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def body_of(operation: dict[str, Any]) -> dict[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return resolved(content["schema"]) if content else None


# --- the file ---


def test_served_file_is_the_one_that_is_tested_here(db):
    assert Client().get(FILE).json() == FOUND


def test_every_route_is_in_it():
    routed = set()
    for pattern in get_resolver("config.urls").url_patterns:
        if str(pattern.pattern) == "api/v1/":
            routed = {
                "/api/v1/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(route.pattern))
                for route in pattern.url_patterns
            }
    hidden = {"/api/v1/", "/api/v1/docs", FILE}
    assert routed - hidden == set(FOUND["paths"])


def test_operations_have_names_of_their_own():
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(names) == len(set(names))


@each_operation
def test_operation_says_what_it_does(key):
    operation = OPERATIONS[key]
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]


@each_operation
def test_body_has_examples_or_described_fields(key):
    body = body_of(OPERATIONS[key])
    if body is None:
        return
    fields = body["properties"].values()
    assert any("examples" in field or "description" in field for field in fields)
    for name in body.get("required", []):
        field = body["properties"][name]
        assert "examples" in field or "description" in field, name


@each_operation
def test_path_parameters_are_all_declared(key):
    _, path = key
    declared = {one["name"] for one in OPERATIONS[key].get("parameters", []) if one["in"] == "path"}
    assert declared == set(re.findall(r"\{(\w+)\}", path))


@each_operation
def test_good_answer_is_an_envelope(key):
    if key in FILES or "200" not in OPERATIONS[key]["responses"]:
        assert key in FILES | NOT_OFFERED
        return
    schema = resolved(OPERATIONS[key]["responses"]["200"]["content"]["application/json"]["schema"])
    assert set(schema["properties"]) >= {"status", "result", "error", "request_id"}
    is_list = key[0] == "get" and resolved(schema["properties"]["result"]).get("type") == "array"
    assert ("page" in schema["properties"]) is ((is_list and key not in WHOLE) or key in PAGED)


@each_operation
def test_refusals_are_documented_in_the_envelope(key):
    responses = OPERATIONS[key]["responses"]
    for status in REFUSALS:
        answer = responses[status]
        assert answer["description"]
        schema = resolved(answer["content"]["application/json"]["schema"])
        assert set(schema["properties"]) == {"status", "result", "error", "request_id"}
        problem = resolved(schema["properties"]["error"])
        assert set(problem["properties"]) == {"code", "message", "details"}


def test_what_is_not_offered_says_so():
    for key in NOT_OFFERED:
        assert "501" in OPERATIONS[key]["responses"]


@each_operation
def test_security(key):
    schemes = FOUND["components"]["securitySchemes"]
    asked = [name for one in OPERATIONS[key].get("security", []) for name in one]
    assert bool(asked) is (key not in OPEN)
    for name in asked:
        assert (schemes[name]["type"], schemes[name]["in"], schemes[name]["name"]) == (
            "apiKey",
            "header",
            "X-API-Key",
        )


ON_DATA = re.compile("/api/v1/(sessions|memories|uris|users)")


@pytest.mark.parametrize("key", [key for key in OPERATIONS if ON_DATA.match(key[1])], ids=" ".join)
def test_context_headers_are_documented(key):
    named = {one["name"] for one in OPERATIONS[key]["parameters"] if one["in"] == "header"}
    assert named >= {"X-Bailiwick-Account", "X-Bailiwick-User", "X-Bailiwick-Agent"}


# --- the server, held against the file ---


@pytest.fixture
def office(api: Api, cast: Any, settings: Any) -> dict[str, str]:
    """Something to find under the ids that the examples are pointed to."""
    settings.RATE_LIMIT = 0
    made = api.post("/sessions", cast.bob.headers, {"session_id": "s1"})
    assert made.status == 200
    for number in range(3):
        api.say(cast.bob.headers, "s1", f"Number {number}")
    commit = api.post("/sessions/s1/commit", cast.bob.headers).result
    keys = api.get("/admin/accounts/north/keys", cast.alice.headers).result
    contact = make_contact(cast.north, "telegram", "4711", owner="bob")
    places = furnish_contact(cast.north, contact, "")
    kept = furnish_memory(api, cast.north, cast.bob.headers)
    kept.pop("agent_id")
    with connection.cursor() as cursor:  # checked now, as if it had been committed
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    return {
        **places,
        **kept,
        "account_id": "north",
        "user_id": "bob",
        "agent_id": "default",
        "session_id": "s1",
        "archive_id": "archive_001",
        "task_id": commit["task_id"],
        "key_id": keys[-1]["key_id"],
    }


def operations_of(schema: Any) -> dict[tuple[str, str], Any]:
    found = {}
    for one in schema.get_all_operations():
        assert isinstance(one, Ok), one
        operation = one.ok()
        found[operation.method, operation.full_path] = operation
    return found


@pytest.fixture(scope="module")
def live_schema(django_db_setup: Any, django_db_blocker: Any) -> dict[tuple[str, str], Any]:
    with django_db_blocker.unblock():
        schema = schemathesis.openapi.from_wsgi(FILE, WSGIHandler())
    return operations_of(schema)


@pytest.fixture
def one_connection(office: dict[str, str]) -> Any:
    """As in Django's own test client, the requests run on the connection of the transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=str)
@each_operation
def test_server_keeps_to_the_file(key, mode, office, one_connection, live_schema, cast):
    """Whatever is sent: no 5xx, no status and no shape that the file does not name, always JSON."""
    operation = live_schema[key]
    credentials = [cast.alice.headers, cast.root_as("bob")]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=NO_SHRINK,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy(generation_mode=mode),
        pointed=st.booleans(),
        who=st.sampled_from(credentials),
    )
    def hold(case: Any, pointed: bool, who: dict[str, str]) -> None:  # noqa: FBT001
        if pointed:  # at what exists, and without headers that name other accounts
            case.path_parameters = {name: office[name] for name in re.findall(r"\{(\w+)\}", key[1])}
            case.headers = {}
        case.headers.pop("X-API-Key", None)
        with transaction.atomic():
            try:
                response = case.call(headers=who)
            finally:
                tenancy.leave()
                transaction.set_rollback(True)
        check(case, key, response)

    try:
        hold()
    except Exception as error:
        if "Unsatisfiable" in type(error).__name__:
            pytest.skip("nothing of that kind can be sent to it")
        raise


def check(case: Any, key: tuple[str, str], response: Any) -> None:
    status = response.status_code
    told = f"{key} {case.path_parameters} {case.query} {case.headers} {case.body!r}: {status}"
    assert status < 500 or (status == 501 and key in NOT_OFFERED), told
    assert str(status) in OPERATIONS[key]["responses"], told
    assert response.headers["content-type"][0].startswith("application/json"), told
    body = response.json()
    if status == 200 and key in FILES:
        return
    if status == 200:
        assert body["status"] == "ok", told
        operation_response = case.operation.validate_response
        operation_response(response)
    else:
        assert body["status"] == "error", told
        assert set(body["error"]) == {"code", "message", "details"}, told
    assert body["request_id"], told
