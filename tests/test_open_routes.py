"""Open routes, and what every answer of the API has in common."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from accounts import tenancy
from accounts.models import Account

ERROR_KEYS = {"status", "result", "error", "request_id"}


@pytest.fixture
def page(client, cast):
    return client


def assert_refusal(answer, status, code):
    assert answer.status == status, answer.body
    assert set(answer.body) == ERROR_KEYS
    assert answer.code == code
    assert answer.body["result"] is None
    assert set(answer.body["error"]) == {"code", "message", "details"}
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]


def test_ready(page):
    answer = page.get("/ready")
    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": "ok", "migrations": "ok", "queue": "ok"}


def test_not_ready_while_an_account_is_behind(page, cast):
    assert page.get("/ready").status_code == 200
    Account.objects.filter(pk=cast.south.id).update(migrated_to="principals.0000_before")
    answer = page.get("/ready")
    assert answer.status_code == 503
    assert "1 accounts behind" in answer.json()["checks"]["migrations"]


def test_not_ready_without_a_database(page, monkeypatch):
    def refuse(*_args):
        raise OperationalError("it is gone")

    monkeypatch.setattr(tenancy, "fetch_rows", refuse)
    monkeypatch.setattr(tenancy, "fetch_row", refuse)
    answer = page.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] != "ok"
    assert page.get("/health").status_code == 200


def test_metrics_need_the_root_key(page, cast):
    for headers in ({}, cast.alice.headers, {"X-API-Key": "bwr_another-key-of-that-shape"}):
        refused = page.get("/metrics", headers=headers)
        assert refused.status_code == 401
    active = Account.objects.filter(state="active", ready=True).count()
    for headers in (cast.root, {"Authorization": f"Bearer {settings.ROOT_KEY}"}):
        answer = page.get("/metrics", headers=headers)
        assert answer.status_code == 200
        line = f'bailiwick_accounts{{state="active"}} {active:.1f}'
        assert line in answer.content.decode().splitlines()


def test_system_status_needs_no_key(api, cast):
    result = api.get("/system/status").result
    assert result == {
        "initialized": True,
        "version": settings.VERSION,
        "auth_mode": "api_key",
    }


def test_system_wait_is_not_offered(api):
    assert_refusal(api.post("/system/wait"), 501, "UNIMPLEMENTED")


def test_unknown_address_answers_in_the_envelope(api, cast):
    for path in ("/nothing", "/sessions/s1/nothing", "/", "/admin"):
        assert_refusal(api.get(path, cast.bob.headers), 404, "NOT_FOUND")


def test_unknown_page_answers_a_page(page):
    answer = page.get("/nothing")
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_method_not_allowed_answers_in_the_envelope(api, cast):
    for method, path, allowed in (
        ("PUT", "/sessions", {"GET", "POST"}),
        ("DELETE", "/sessions/s1/context", {"GET"}),
        ("GET", "/system/wait", {"POST"}),
    ):
        answer = api(method, path, cast.bob.headers)
        assert_refusal(answer, 405, "METHOD_NOT_ALLOWED")
        assert set(re.findall(r"[A-Z]+", answer.headers["Allow"])) >= allowed


def test_trailing_slash_is_neither_served_nor_redirected(api, cast):
    for path in ("/sessions", "/system/status", "/sessions/s1/messages"):
        assert api.get(path, cast.bob.headers).status != 405
        assert_refusal(api.get(f"{path}/", cast.bob.headers), 404, "NOT_FOUND")
    assert_refusal(api.post("/sessions/", cast.bob.headers), 404, "NOT_FOUND")


def test_no_csrf_on_calls_with_a_key(cast):
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(
        "/api/v1/sessions", {}, content_type="application/json", headers=cast.bob.headers
    )
    assert answer.status_code == 200


def test_a_browsers_sign_in_is_no_key(api, cast, sign_in):
    browser = sign_in("alice")
    assert browser.get("/a/north/sessions").status_code == 200
    assert browser.get("/api/v1/sessions").status_code == 401


@pytest.mark.parametrize("sent", ["req-1", "A.b_c-9", "x" * 64])
def test_request_id_is_echoed(api, cast, sent):
    answer = api.get("/sessions", {**cast.bob.headers, "X-Request-Id": sent})
    assert answer.headers["X-Request-Id"] == sent
    assert answer.body["request_id"] == sent


@pytest.mark.parametrize("sent", ["", "two words", "x" * 65, "é", "<b>", "a\tb"])
def test_invalid_request_id_is_replaced(api, cast, sent):
    answer = api.get("/sessions", {**cast.bob.headers, "X-Request-Id": sent})
    assert answer.headers["X-Request-Id"] != sent
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", answer.headers["X-Request-Id"])
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]


def test_process_time_on_every_answer(api, page, cast):
    for headers in (
        api.get("/sessions", cast.bob.headers).headers,
        api.get("/sessions").headers,
        api.get("/nothing").headers,
        page.get("/health").headers,
    ):
        assert 0 <= float(headers["X-Process-Time"]) < 30


def test_unknown_host_is_refused(api, cast):
    answer = api.get("/sessions", {**cast.bob.headers, "Host": "evil.example"})
    assert_refusal(answer, 400, "INVALID_ARGUMENT")
    assert api.get("/sessions", {**cast.bob.headers, "Host": "localhost"}).status == 200


def test_refusals_tell_how_to_authenticate(api):
    answer = api.get("/sessions")
    assert_refusal(answer, 401, "UNAUTHENTICATED")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_defect_of_ours_answers_in_the_envelope_without_its_words(api, cast, monkeypatch):
    def fail(**_kwargs):
        raise RuntimeError("a secret word")

    monkeypatch.setattr("sessions_app.selectors.session_page", fail)
    answer = api.get("/sessions", cast.bob.headers)
    assert_refusal(answer, 500, "INTERNAL")
    assert "secret" not in str(answer.body)
