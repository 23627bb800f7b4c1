"""View as: an admin sees what a user sees, to the byte, and changes nothing meanwhile."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from accounts import tenancy
from accounts.actor import Operator
from accounts.models import Account, Membership, Person
from accounts.principals.middleware import LEAVE, VIEWS
from accounts.principals.models import AuditEvent, User, ViewAs
from accounts.principals.services import user_delete, user_set_role, view_expire
from accounts.services import person_enroll
from tests.page_table import page_cells

METHODS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


@pytest.fixture
def begin(sign_in):
    """begin("bob") → alice's browser, in which she views as bob."""

    def start(user_id: str, *, reason: str = "Ticket 4182", agent: str = "") -> Client:
        browser = sign_in("alice")
        answer = browser.post("/a/north/view", {"user": user_id, "reason": reason, "agent": agent})
        assert answer.status_code == 303, answer.content[-2000:]
        return browser

    return start


def events(cast, *actions: str) -> list[AuditEvent]:
    with tenancy.account(cast.north):
        return list(AuditEvent.objects.filter(action__in=actions).order_by("id"))


def user_of(cast, user_id: str) -> UUID:
    with tenancy.account(cast.north):
        return User.objects.get(user_id=user_id).pk


def is_viewing(browser: Client) -> bool:
    return b"view-banner" in browser.get("/a/north/sessions", follow=True).content


# --- Beginning ---


def test_a_view_begins_with_a_reason_and_leads_to_the_users_start(begin, cast):
    browser = begin("bob", agent="default")
    page = browser.get("/a/north/sessions").content.decode()
    assert "Ticket 4182" in page
    assert "read-only" in page
    assert "with agent" in page[page.index("view-banner") :][:1500]
    [started] = events(cast, "view.started")
    assert (started.actor, started.target) == (user_of(cast, "alice"), user_of(cast, "bob"))
    assert "Ticket" not in str(started.data)  # the log holds no words


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"user": "bob", "reason": ""}, "Say why"),
        ({"user": "bob", "reason": "   "}, "Say why"),
        ({"user": "bob", "reason": "x" * 201}, "at most 200"),
        ({"user": "", "reason": "Ticket"}, "This field is required"),
        ({"user": "alice", "reason": "Ticket"}, "There is no user “alice” to view as"),
        ({"user": "charlie", "reason": "Ticket"}, "There is no user “charlie” to view as"),
        ({"user": "bob", "reason": "Ticket", "agent": "nope"}, "There is no agent “nope”"),
    ],
)
def test_a_refused_beginning_says_why_and_begins_nothing(fields, said, sign_in, cast):
    browser = sign_in("alice")
    answer = browser.post("/a/north/view", fields)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert "No view was begun." in answer.content.decode()
    assert not is_viewing(browser)
    assert events(cast, "view.started") == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_user_views_as_nobody(method, sign_in, cast):
    browser = sign_in("bob")
    answer = getattr(browser, method)("/a/north/view", {"user": "beth", "reason": "Curious"})
    assert answer.status_code == 403
    assert events(cast, "view.started") == []


def test_a_view_is_the_browsers_own(begin, sign_in):
    begin("bob")
    assert not is_viewing(sign_in("alice"))


def test_another_admins_view_is_of_no_use(begin, sign_in, cast):
    held = begin("bob").session[VIEWS]["north"]
    user_set_role(actor=Operator(), account=cast.north, user_id="beth", role="admin")
    thief = sign_in("beth")
    session = thief.session
    session[VIEWS] = {"north": held}
    session.save()
    answer = thief.get("/a/north/sessions")
    assert answer.status_code == 302
    assert answer["Location"] == "/a/north/view?over=1"
    assert not is_viewing(thief)


# --- What is seen ---


def plain(content: bytes) -> str:
    """The page without what a view adds: the banner, the foot of the rail, tokens."""
    text = content.decode()
    text = re.sub(r'<aside class="view-banner".*?</aside>', "", text, flags=re.DOTALL)
    text = re.sub(r'<div class="rail-foot">.*?</header>', "", text, flags=re.DOTALL)
    text = re.sub(r'<input type="hidden" name="csrfmiddlewaretoken"[^>]*>', "", text)
    text = re.sub(r'<body class="[^"]*">', "<body>", text)
    return re.sub(r"\n\s*\n+", "\n", text)


def own_pages() -> list[str]:
    return sorted({path for path, *_ in page_cells() if path.startswith("/a/")})


@pytest.fixture
def furnished(api, cast):
    """Sessions of each, so that no page compares emptiness with emptiness."""
    api.say(cast.bob.headers, "of-bob", "The train leaves at seven forty")
    api.say(cast.beth.headers, "of-beth", "Order the seeds")
    api.say(cast.alice.headers, "of-alice", "Quarterly figures")


@pytest.fixture
def still(monkeypatch):
    """Time stands still, so that 2 s ago stays 2 s ago."""
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)


@pytest.fixture(params=["account", "participants"])
def readers(request, set_policy):
    set_policy(sessions_visible_to=request.param)


@pytest.mark.parametrize("subject", ["bob", "beth", "ann"])
@pytest.mark.usefixtures("furnished", "readers", "still")
def test_an_admin_sees_to_the_byte_what_the_subject_sees(subject, begin, sign_in, cast, places):
    if subject == "ann":  # a second admin: her pages are an admin's
        from accounts.principals.services import user_create

        user_create(actor=Operator(), account=cast.north, user_id="ann", role="admin")
    own, eyes = sign_in(subject), begin(subject)
    paths = [path.format(account="north", **places) for path in own_pages()]
    for browser in (own, eyes):  # reading leaves notes that pages show: they are all there now
        for path in paths:
            browser.get(path)
    for path in paths:
        theirs, seen = own.get(path), eyes.get(path)
        assert seen.status_code == theirs.status_code, path
        if theirs.status_code == 302:
            assert seen["Location"] == theirs["Location"]
        elif "text/html" in theirs["Content-Type"]:
            assert plain(seen.content) == plain(theirs.content), path
            assert seen.status_code != 200 or b"view-banner" in seen.content, path
        else:
            assert b"".join(seen) == b"".join(theirs), path


@pytest.mark.usefixtures("furnished")
def test_fragments_are_the_subjects_too(begin, sign_in, set_policy):
    set_policy(sessions_visible_to="participants")
    own, eyes = sign_in("bob"), begin("bob")
    for path in ("/a/north/sessions", "/a/north/sessions?q=train", "/a/north/sessions?user=beth"):
        theirs, seen = (one.get(path, headers={"HX-Request": "true"}) for one in (own, eyes))
        assert plain(seen.content) == plain(theirs.content)
    assert b"of-beth" not in eyes.get("/a/north/sessions").content
    assert b"of-beth" in sign_in("alice").get("/a/north/sessions").content


def test_the_subjects_other_accounts_are_not_shown(begin, sign_in, cast):
    sign_in("bob")
    person = Person.objects.get(email="bob@north.example")
    with tenancy.account(cast.south):
        default = User.objects.get(is_default=True).pk
    Membership.objects.create(person=person, account_id=cast.south.id, user=default)
    assert b"/a/south/" in sign_in("bob").get("/a/north/sessions").content
    assert b"/a/south/" not in begin("bob").get("/a/north/sessions").content


def test_times_are_told_in_the_subjects_time_zone(begin, sign_in, api, cast):
    sign_in("bob")
    Person.objects.filter(email="bob@north.example").update(time_zone="Asia/Tokyo")
    api.say(cast.bob.headers, "of-bob")
    assert b"JST" in sign_in("bob").get("/a/north/sessions").content
    assert b"JST" in begin("bob").get("/a/north/sessions").content
    assert b"JST" not in sign_in("alice").get("/a/north/sessions").content


# --- Nothing is changed ---


def rows_of(schema: str) -> dict[str, str]:
    """A fingerprint of every table of an account, the log of requests left out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        tables = [name for (name,) in cursor.fetchall()]
        found = {}
        for table in tables:
            named = f'"{schema}"."{table}"'
            cursor.execute(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {named} t")
            found[table] = cursor.fetchone()[0]
    return found


def account_paths() -> list[str]:
    """Every address inside an account, whatever it takes."""
    found = []
    for pattern in get_resolver("config.account_urls").url_patterns:
        for one in getattr(pattern, "url_patterns", [pattern]):
            found.append(f"/a/{{account}}/{one.pattern._route}")  # noqa: PERF401
    return sorted(found)


@pytest.mark.parametrize("path", account_paths())
@pytest.mark.parametrize("method", METHODS)
def test_every_change_is_refused_within_a_view(path, method, begin, cast, places):
    at = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(places.get(found[1], "1")), path)
    at = at.format(account="north")
    if at == f"/a/north{LEAVE}":
        pytest.skip("the way out is open, and has tests of its own")
    browser = begin("bob")
    before = rows_of(cast.north.schema_name)
    answer = browser.generic(method, at, b"reason=x&user=beth", "application/x-www-form-urlencoded")
    assert answer.status_code == 403, at
    assert b"Nothing was changed" in answer.content
    assert rows_of(cast.north.schema_name) == before


def test_the_refusal_is_the_views_and_not_the_pages(sign_in, begin):
    fields = {"user": "beth", "reason": "Another"}
    assert begin("bob").post("/a/north/view", fields).status_code == 403
    assert sign_in("alice").post("/a/north/view", fields).status_code == 303


def test_reading_in_a_view_is_noted_as_the_admins(begin, api, cast):
    api.say(cast.beth.headers, "of-beth")
    begin("bob").get("/a/north/sessions/of-beth")
    noted = events(cast, "read.messages", "read.session", "read.list")
    assert noted
    assert {one.actor for one in noted} == {user_of(cast, "alice")}
    assert {one.acting_as for one in noted} == {user_of(cast, "bob")}
    assert user_of(cast, "beth") in {one.target for one in noted}


# --- The end ---


def test_leaving_ends_it_and_is_written_down_once(begin, cast):
    browser = begin("bob")
    assert browser.post("/a/north/view/leave").status_code == 303
    assert not is_viewing(browser)
    assert browser.post("/a/north/view/leave").status_code == 303
    [ended] = events(cast, "view.ended")
    assert (ended.actor, ended.target) == (user_of(cast, "alice"), user_of(cast, "bob"))
    with tenancy.account(cast.north):
        assert ViewAs.objects.get().ended_at is not None


def test_leaving_takes_a_post(begin):
    browser = begin("bob")
    assert browser.get("/a/north/view/leave").status_code == 405
    assert is_viewing(browser)


def run_out(cast) -> ViewAs:
    with tenancy.account(cast.north):
        ViewAs.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        return ViewAs.objects.get()


def demote(cast) -> None:
    user_set_role(actor=Operator(), account=cast.north, user_id="beth", role="admin")
    user_set_role(actor=Operator(), account=cast.north, user_id="alice", role="user")


def lose_subject(cast) -> None:
    user_delete(actor=Operator(), account=cast.north, user_id="bob")


@pytest.mark.parametrize(
    ("ending", "onward"),
    [
        (run_out, "/a/north/view?over=1"),
        (demote, "/a/north/"),
        (lose_subject, "/a/north/view?over=1"),
    ],
)
def test_a_view_that_is_over_shows_and_does_nothing_more(ending, onward, begin, cast):
    browser = begin("bob")
    ending(cast)
    answer = browser.get("/a/north/sessions")
    assert answer.status_code == 302
    assert answer["Location"] == onward
    assert b"view-banner" not in browser.get("/a/north/sessions").content


def strict(browser: Client) -> Client:
    """The same browser, asked for the tokens of its forms as a real one is."""
    browser.handler.enforce_csrf_checks = True
    return browser


def token_in(page) -> str:
    return re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.content)[1].decode()


@pytest.mark.parametrize("ending", ["leave", "run out"])
def test_forms_of_a_view_that_is_over_do_nothing(ending, begin, cast):
    """They stand open in another tab, with the banner; the browser has gone on in this one."""
    browser = strict(begin("bob"))
    stale = token_in(browser.get("/a/north/view"))
    if ending == "leave":
        leaving = token_in(browser.get("/a/north/sessions"))
        answer = browser.post("/a/north/view/leave", {"csrfmiddlewaretoken": leaving})
        assert answer.status_code == 303
    else:
        run_out(cast)
        assert browser.get("/a/north/sessions").status_code == 302
    fields = {"user": "beth", "reason": "Ticket"}
    answer = browser.post("/a/north/view", {**fields, "csrfmiddlewaretoken": stale})
    assert answer.status_code == 403
    assert not is_viewing(browser)
    fresh = token_in(browser.get("/a/north/view"))
    answer = browser.post("/a/north/view", {**fields, "csrfmiddlewaretoken": fresh})
    assert answer.status_code == 303


def test_what_the_admin_did_before_is_not_told_in_the_view(begin, sign_in):
    alice = sign_in("alice")
    alice.post("/a/north/users/bob/edit", {"display_name": "Robert", "role": "user"})
    alice.post("/a/north/view", {"user": "beth", "reason": "Ticket"})
    assert b"bob was saved" not in alice.get("/a/north/sessions").content
    alice.post("/a/north/view/leave")
    assert b"bob was saved" in alice.get("/a/north/sessions").content


def test_a_change_just_after_the_end_is_refused(begin, cast):
    browser = begin("bob")
    run_out(cast)
    fields = {"user": "beth", "reason": "Meant for somebody else"}
    assert browser.post("/a/north/view", fields).status_code == 403
    with tenancy.account(cast.north):
        assert ViewAs.objects.count() == 1
    assert browser.post("/a/north/view", fields).status_code == 303


def test_a_fragment_after_the_end_leads_to_a_whole_page(begin, cast):
    browser = begin("bob")
    run_out(cast)
    answer = browser.get("/a/north/sessions", headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == "/a/north/view?over=1"


def test_the_job_writes_down_an_end_that_nobody_pressed(begin, cast):
    begin("bob")
    view = run_out(cast)
    with tenancy.account(cast.north):
        view_expire(view=view.pk)
        view_expire(view=view.pk)
    [ended] = events(cast, "view.ended")
    assert (ended.actor, ended.target) == (None, user_of(cast, "bob"))


def test_the_job_leaves_a_running_view_alone(begin, cast):
    browser = begin("bob")
    with tenancy.account(cast.north):
        view_expire(view=ViewAs.objects.get().pk)
    assert events(cast, "view.ended") == []
    assert is_viewing(browser)


def test_the_end_is_queued_with_the_beginning(begin, cast):
    begin("bob")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args, scheduled_at FROM procrastinate_jobs"
            " WHERE task_name = 'accounts.principals.tasks.end_view'"
        )
        [(args, at)] = cursor.fetchall()
    assert json.loads(args)["account"] == str(cast.north.id)
    assert timedelta(minutes=29) < at - timezone.now() <= timedelta(minutes=30)


def test_a_suspended_account_shows_nothing_to_a_view(begin, cast):
    browser = begin("bob")
    Account.objects.filter(pk=cast.north.id).update(state="suspended")
    assert browser.get("/a/north/sessions").status_code == 404


def test_a_view_in_one_account_is_none_in_another(begin, sign_in, cast):
    with tenancy.account(cast.south):
        default = User.objects.get(is_default=True).pk
    person_enroll(
        actor=Operator(),
        email="alice@north.example",
        name="",
        password="",
        account=cast.south,
        user=default,
        existing=True,
    )
    browser = begin("bob")
    page = browser.get("/a/south/sessions")
    assert page.status_code == 200
    assert b"view-banner" not in page.content
    assert is_viewing(browser)
