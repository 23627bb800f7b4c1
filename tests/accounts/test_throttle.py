"""The rate limit: 429 for a credential that runs wild, and for no other."""

from __future__ import annotations

import pytest

from accounts.principals import auth, throttle
from tests.accounts.kit import with_key

RATE = 3  # a second; twice as many may come at once


class Clock:
    """Stands for the module time."""

    def __init__(self):
        self.now = 1_000.0

    def monotonic(self):
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch, settings):
    """Buckets of this test's own, and a time that stands still."""
    settings.RATE_LIMIT = RATE
    stands = Clock()
    monkeypatch.setattr(throttle, "time", stands)
    monkeypatch.setattr(auth, "throttle", throttle.Throttle())
    return stands


@pytest.fixture
def taken(api):
    """How many requests are answered before one is refused; at most 20."""

    def count(headers, path="/sessions"):
        for number in range(20):
            answer = api.get(path, headers)
            if answer.status == 429:
                return number
            assert answer.status == 200
        return 20

    return count


def test_it_refuses_in_the_envelope(api, cast, taken):
    assert taken(cast.bob.headers) == 2 * RATE
    for answer in (
        api.get("/sessions", cast.bob.headers),
        api.say(cast.bob.headers, "s1"),
        api.get("/whoami", cast.bob.headers),
        api.get("/admin/accounts/north/users", cast.bob.headers),
    ):
        assert (answer.status, answer.code) == (429, "RESOURCE_EXHAUSTED")
        assert answer.headers["Retry-After"] == "1"
        assert answer.body["result"] is None
        assert answer.body["request_id"]


def test_a_refused_write_is_not_done(api, cast, taken, settings):
    taken(cast.bob.headers)
    assert api.say(cast.bob.headers, "s1").status == 429
    settings.RATE_LIMIT = 0
    assert api.get("/sessions/s1", cast.bob.headers).status == 404


def test_others_are_served(api, cast, taken):
    body = {"user_id": "bob", "name": "second"}
    made = api.post("/admin/accounts/north/keys", cast.alice.headers, body)
    assert taken(cast.bob.headers) == 2 * RATE
    for headers in (cast.beth.headers, cast.charlie.headers, with_key(made.result["user_key"])):
        assert taken(headers) == 2 * RATE
    assert taken(cast.root, "/admin/accounts") == 2 * RATE
    assert taken(cast.root_as("bob")) == 2 * RATE


def test_it_refills(api, cast, taken, clock):
    assert taken(cast.bob.headers) == 2 * RATE
    clock.now += 0.2
    assert taken(cast.bob.headers) == 0
    clock.now += 1
    assert taken(cast.bob.headers) == RATE
    clock.now += 1_000
    assert taken(cast.bob.headers) == 2 * RATE


def test_retry_after_holds(api, cast, taken, clock, settings):
    settings.RATE_LIMIT = 1
    assert taken(cast.bob.headers) == 2
    wait = int(api.get("/sessions", cast.bob.headers).headers["Retry-After"])
    clock.now += wait
    assert api.get("/sessions", cast.bob.headers).status == 200


def test_none_when_it_is_off(cast, taken, settings):
    assert taken(cast.bob.headers) == 2 * RATE
    settings.RATE_LIMIT = 0
    assert taken(cast.bob.headers) == 20


def test_an_unknown_key_is_refused_as_such(api, cast, taken):
    """And takes nothing from those whose key it resembles."""
    for _ in range(10):
        assert api.get("/sessions", {"X-API-Key": f"{cast.bob.key}x"}).status == 401
    assert taken(cast.bob.headers) == 2 * RATE


def test_in_trusted_mode_by_user(cast, taken, settings):
    settings.AUTH_MODE = "trusted"
    settings.GATEWAY_KEYS = ()
    for user in ("bob", "beth", "never-seen"):
        headers = {"X-Bailiwick-Account": "north", "X-Bailiwick-User": user}
        assert taken(headers) == 2 * RATE
        assert taken({**headers, "X-Bailiwick-User": user.upper()}) == 0


def test_it_keeps_so_many_and_no_more(monkeypatch):
    monkeypatch.setattr(throttle, "MAX_BUCKETS", 3)
    buckets = throttle.Throttle()
    for number in range(50):
        buckets.take(number)
    assert len(buckets._buckets) <= 3
