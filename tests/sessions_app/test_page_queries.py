"""What a browser may ask the session pages: odd questions get a page, never a failure."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from accounts.models import Person


@pytest.fixture
def status(api, cast, sign_in):
    """The status of a page of Alice's, in an account with one session."""
    api.say(cast.bob.headers, "s1")
    browser = sign_in("alice")
    return lambda path: browser.get(f"/a/north/{path}").status_code


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("sessions", 200),
        *((f"sessions?q={quote(q)}", 200) for q in ("hello", "é", "%", '"', "-" * 33, "a b " * 50)),
        *((f"sessions?q={q}", 422) for q in ("%00", "x" * 201)),
        *((f"sessions?{name}=nobody", 422) for name in ("agent", "user", "participant", "state")),
        *((f"sessions?agent={odd}", 422) for odd in ("%00", "%FF", "x" * 500)),
        *((f"sessions?since={day}", 422) for day in ("0000-00-00", "yesterday", "%00")),
        *((f"sessions?since={day}", 200) for day in ("0001-01-01", "9999-12-31", "")),
        *((f"sessions?{side}={odd}", 404) for side in ("older", "newer") for odd in ("x", "%00")),
        ("sessions?unknown=x&page=2", 200),
        *((f"sessions/s1?{side}=2", 200) for side in ("before", "after")),
        *((f"sessions/s1?{side}=999999999", 200) for side in ("before", "after")),
        *((f"sessions/s1?before={odd}", 404) for odd in ("x", "-1", "9999999999", "%D9%A1")),
        ("sessions/S1", 200),
        *((f"sessions/{odd}", 404) for odd in ("s2", "%00", "s1%00", "%FF", "a%20b", "x" * 200)),
        ("sessions/s1/messages/1", 200),
        *((f"sessions/s1/messages/{seq}", 404) for seq in ("0", "2", "9" * 30, "-1", "x")),
        ("policy?user=bob&agent=default", 200),
        *((f"policy?user={odd}", 422) for odd in ("nobody", "%00")),
    ],
)
def test_page(status, path, expected):
    assert status(path) == expected


@pytest.mark.parametrize(
    ("zone", "shown"), [("UTC", False), ("Asia/Tokyo", True), ("America/New_York", False)]
)
def test_a_day_begins_where_the_reader_is(api, cast, sign_in, zone, shown):
    # 16:00 on 1 March in London is 1:00 on 2 March in Tokyo.
    api.say(cast.bob.headers, "s1", created_at="2026-03-01T16:00:00Z")
    browser = sign_in("alice")
    Person.objects.filter(email="alice@north.example").update(time_zone=zone)
    found = browser.get("/a/north/sessions?since=2026-03-02")
    assert (b'class="row-link' in found.content) == shown
    assert b'class="row-link' in browser.get("/a/north/sessions?since=2026-03-01").content
    for day in ("0001-01-01", "9999-12-31"):
        assert browser.get(f"/a/north/sessions?since={day}").status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize(
    "path", ["sessions", "sessions/s1", "sessions/s1/messages/1", "overview", "jobs"]
)
def test_pages_are_for_reading_only(sign_in, method, path):
    assert getattr(sign_in("alice"), method)(f"/a/north/{path}").status_code == 405
