"""What every page of an account tells browsers and caches, and what strangers get."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

HTMX = {"HX-Request": "true"}
ANSWERS = {
    "/": 302,
    "/sessions": 200,
    "/sessions?since=yesterday": 422,
    "/sessions?older=unknown": 404,
    "/sessions/plan": 200,
    "/sessions/plan?before=nothing": 404,
    "/sessions/absent": 404,
    "/sessions/plan/messages/120": 200,
    "/sessions/plan/messages/121": 404,
    "/policy": 200,
    "/nowhere": 404,
}


def directives(policy: str) -> dict[str, list[str]]:
    return {name: words for name, *words in (one.split() for one in policy.split(";"))}


def check_kept_nowhere(answer) -> None:
    assert answer.headers["Cache-Control"] == "no-store"
    assert "HX-Request" in answer.headers["Vary"]


@pytest.mark.parametrize("path", ANSWERS)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_a_page_of_an_account_is_kept_nowhere_and_runs_only_our_scripts(
    server, office, path, headers
):
    with server.pages(office.cookies) as client:
        answer = client.get(f"{office.home}{path}", headers=headers)
    assert answer.status_code == ANSWERS[path]
    check_kept_nowhere(answer)
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    parts = directives(policy)
    assert parts["default-src"] == ["'self'"]
    assert parts["object-src"] == parts["base-uri"] == parts["frame-ancestors"] == ["'none'"]
    assert parts["form-action"] == ["'self'"]
    for name in ("script-src", "style-src", "connect-src", "frame-src"):
        assert parts.get(name, ["'self'"]) == ["'self'"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_an_outsider_gets_404(server, office):
    stranger = server.person()
    absent = f"{stranger.home[:-4]}none"
    with server.pages(office.cookies) as client:
        seen = [
            client.get(f"{home}{path}", headers=headers)
            for home in (stranger.home, absent)
            for path in ("/", "/sessions", "/policy", "/nowhere")
            for headers in ({}, HTMX)
        ]
    assert {answer.status_code for answer in seen} == {404}
    assert len({answer.text for answer in seen}) == 1, "a foreign and an absent account look alike"
    assert "Not found" in seen[0].text
    for answer in seen:
        check_kept_nowhere(answer)


def test_the_way_to_the_sign_in_is_kept_nowhere(server, office):
    with server.pages() as client:
        for headers in ({}, HTMX):
            check_kept_nowhere(client.get(f"{office.home}/sessions", headers=headers))


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(server, office):
    with server.pages() as client:
        form = {
            "login": office.person.email,
            "password": office.person.password,
            "csrfmiddlewaretoken": "",
        }
        assert client.post("/sign-in", data=form).status_code == 403
        client.get("/sign-in")
        form["csrfmiddlewaretoken"] = client.cookies["csrftoken"]
        server.forget_attempts()
        answer = client.post("/sign-in", data=form)
    sign_in = next(
        one for one in answer.headers.get_list("set-cookie") if one.startswith("sessionid=")
    )
    assert "HttpOnly" in sign_in
    assert "SameSite=Lax" in sign_in
    assert "Path=/;" in f"{sign_in};"
