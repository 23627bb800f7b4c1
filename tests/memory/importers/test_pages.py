"""The pages of imports: files are counted, brought in when told to, and taken out again."""

from __future__ import annotations

import re

import pytest

from accounts import tenancy
from accounts.actor import Operator
from accounts.principals.models import AuditEvent, User
from accounts.principals.services import account_update
from memory.models import Import, ImportReceipt
from memory.services.imports import runs, uploads_tidy
from sessions_app.models import Session
from tests.memory.importers.stores import KilledError
from tests.memory.importers.uploading import IMPORTS, packed, queued, sent, talk, the_import, work
from tests.memory.pages.kit import titles, toast, words

FILES = {
    "gw_shed.jsonl": talk("Where is the key?", "Under the stone."),
    "telegram_4711.jsonl": talk("Hello") + b"{broken\n",
}


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path):
    settings.UPLOADS_DIR = tmp_path / "uploads"
    return settings.UPLOADS_DIR


@pytest.fixture
def alice(sign_in):
    return sign_in("alice")


@pytest.fixture
def upload(alice):
    """upload(files, agent="ada") → the address of the import."""

    def send(files=FILES, **fields):
        given = [sent(name, content) for name, content in files.items()]
        answer = alice.post(f"{IMPORTS}/new", {"files": given, "format": "auto", **fields})
        assert answer.status_code == 303, words(answer)[-1500:]
        return answer["Location"]

    return send


@pytest.fixture
def counted(upload):
    """The address of an import that was counted."""
    address = upload()
    assert work() == 1
    return address


@pytest.fixture
def brought_in(alice, counted):
    assert alice.post(f"{counted}/apply").status_code == 303
    assert work() == 1
    return counted


def sessions(cast):
    with tenancy.account(cast.north):
        return set(Session.objects.values_list("session_id", flat=True))


def polls(answer):
    return 'hx-trigger="every 2s"' in answer.content.decode()


def forms(answer):
    return re.findall(r'<form method="post" action="([^"]*imports[^"]*)"', answer.content.decode())


def test_files_are_counted_brought_in_and_taken_out(alice, upload, cast):
    address = upload(user="bob", agent="gardener")
    waiting = alice.get(address)
    assert "waits to be counted" in words(waiting)
    assert polls(waiting)
    assert "Check again" in words(waiting)
    assert forms(waiting) == []
    work()

    found = alice.get(address)
    assert not polls(found)
    assert "Bring in 2 sessions with 3 messages" in words(found)
    assert "sessions/telegram_4711.jsonl:2" in words(found)
    assert forms(found) == [f"{address}/apply", f"{address}/discard"]
    assert sessions(cast) == set()

    answer = alice.post(f"{address}/apply")
    assert toast(alice, answer)[0] == "It is being brought in."
    assert "waits to be brought in" in words(alice.get(address))
    work()
    assert "What came in" in words(alice.get(address))
    assert sessions(cast) == {"gw_shed", "telegram_4711"}
    with tenancy.account(cast.north):
        row = Session.objects.get(session_id="gw_shed")
        assert (row.owner.user_id, row.agent.agent_id) == ("bob", "gardener")

    ask = alice.get(f"{address}/rollback")
    assert "Take out 2 sessions?" in words(ask)
    assert "Messages in them 3" in words(ask)
    answer = alice.post(f"{address}/rollback")
    assert toast(alice, answer)[0] == "Taken out: 2 sessions."
    assert sessions(cast) == set()
    assert "taken out" in words(alice.get(address))
    assert alice.post(f"{address}/rollback").status_code == 422


def test_each_step_stands_in_the_audit_log(alice, brought_in, cast):
    alice.post(f"{brought_in}/rollback")
    with tenancy.account(cast.north):
        rows = AuditEvent.objects.filter(action__startswith="import.").order_by("id")
        found = list(rows.values_list("action", "actor", "data"))
        key = User.objects.get(user_id="alice").pk
    counts = {"sessions": 2, "messages": 3, "memories": 0}
    assert found == [
        ("import.started", key, {}),
        ("import.counted", key, counts),
        ("import.applied", key, {"sessions": 2, "memories": 0}),
        ("import.completed", key, counts),
        ("import.rolled_back", key, {"sessions": 2, "memories": 0}),
    ]
    log = words(alice.get("/a/north/audit?action=import."))
    assert "brought in 2 sessions with 3 messages and 0 memories" in log


def test_only_admins_have_them(sign_in, alice, counted, cast, uploads):
    bob = sign_in("bob")
    data = {"files": [sent("a.jsonl", talk("Hi"))], "format": "auto"}
    assert bob.post(f"{IMPORTS}/new", data).status_code == 403
    for step in ("apply", "discard", "rollback"):
        assert bob.post(f"{counted}/{step}").status_code == 403
    assert the_import(cast.north).dry_run
    assert len(list(uploads.iterdir())) == 1
    assert queued() == []
    assert alice.post(f"{counted}/apply").status_code == 303
    assert len(queued()) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Choose at least one file."),
        ({"files": [sent("notes.txt", b"x")]}, "notes.txt is none of"),
        ({"files": [packed({"readme.md": b"x"})]}, "no file that ends in"),
        ({"files": [sent("a.jsonl", b"")], "format": "tape"}, "Choose one of the formats."),
        ({"files": [sent("a.jsonl", b"")], "user": "nobody-here"}, "Choose one of the users"),
        ({"files": [sent("a.jsonl", b"")], "agent": "no id!"}, "agent"),
    ],
)
def test_a_refused_upload_says_why_and_leaves_nothing(alice, cast, uploads, fields, said):
    answer = alice.post(f"{IMPORTS}/new", {"format": "auto", **fields})
    assert answer.status_code == 422
    assert said in words(answer)
    assert "Nothing was uploaded." in words(answer)
    assert not uploads.exists() or list(uploads.iterdir()) == []
    with tenancy.account(cast.north):
        assert not Import.objects.exists()


def test_what_nobody_wants_is_thrown_away(alice, counted, cast, uploads):
    answer = alice.post(f"{counted}/discard")
    assert toast(alice, answer)[0] == "The uploaded files are gone."
    assert list(uploads.iterdir()) == []
    assert "counted, not brought in" in words(alice.get(counted))
    for step, said in (("apply", "Nothing was brought in."), ("discard", "Nothing was thrown")):
        assert toast(alice, alice.post(f"{counted}/{step}"))[0].startswith(said)
    assert sessions(cast) == set()


def test_files_that_are_in_already_bring_nothing(alice, brought_in, upload, cast):
    address = upload()
    work()
    page = words(alice.get(address))
    assert "There is nothing new in it." in page
    assert forms(alice.get(address)) == [f"{address}/discard"]
    assert sessions(cast) == {"gw_shed", "telegram_4711"}


def test_a_session_that_was_continued_keeps_the_import(alice, brought_in, api, cast):
    assert api.say(cast.alice.headers, "gw_shed", "Found it.").status == 200
    answer = alice.post(f"{brought_in}/rollback")
    assert answer.status_code == 422
    assert "gw_shed has been continued since" in words(answer)
    assert "Nothing was taken out." in words(answer)
    assert sessions(cast) == {"gw_shed", "telegram_4711"}
    assert the_import(cast.north).state == "completed"


def test_what_only_counted_is_not_taken_out(alice, counted, cast):
    assert "nothing to take out" in words(alice.get(f"{counted}/rollback"))
    assert alice.post(f"{counted}/rollback").status_code == 422
    assert the_import(cast.north).state == "completed"
    assert alice.post(f"{counted}/apply").status_code == 303


def test_the_first_problems_are_shown_and_the_others_counted(alice, upload):
    address = upload({f"gw_{n:03}.jsonl": talk("Hi") + b"x\n" for n in range(203)})
    work()
    page = alice.get(address).content.decode()
    assert page.count("The line is no JSON.") == 200
    assert "203 problems" in page
    assert "And 3 more." in page


def test_progress_is_told_while_it_is_at_work(alice, counted, cast):
    with tenancy.account(cast.north):
        Import.objects.update(state="running", dry_run=False, done=1, total=2)
    page = alice.get(counted)
    assert '<progress value="1" max="2"' in page.content.decode()
    part = alice.get(counted, headers={"HX-Request": "true", "HX-Trigger": "again"})
    assert polls(part)
    assert b"data-announce" not in part.content
    assert b"<html" not in part.content
    with tenancy.account(cast.north):
        Import.objects.update(state="completed")
    part = alice.get(counted, headers={"HX-Request": "true", "HX-Trigger": "again"})
    assert not polls(part)
    assert b"data-announce" in part.content


def test_a_killed_job_goes_on_and_reports_the_whole(alice, counted, cast, monkeypatch):
    alice.post(f"{counted}/apply")
    whole = runs.session_import

    def dies(**given):
        if given["session"].key == "telegram_4711":
            raise KilledError
        return whole(**given)

    monkeypatch.setattr(runs, "session_import", dies)
    with pytest.raises(KilledError):
        work()
    assert the_import(cast.north).state == "running"
    assert sessions(cast) == {"gw_shed"}
    assert "is being brought in" in words(alice.get(counted))
    monkeypatch.undo()
    with tenancy.account(cast.north):
        uploads_tidy(account=cast.north)
    work()
    run = the_import(cast.north)
    assert (run.state, run.sessions, run.messages, run.known) == ("completed", 2, 3, 0)
    assert sessions(cast) == {"gw_shed", "telegram_4711"}


def test_a_defect_stops_it_with_words_and_the_upload_can_go(alice, upload, cast, monkeypatch):
    address = upload()

    def breaks(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(runs, "_count", breaks)
    with pytest.raises(ZeroDivisionError):
        work()
    page = words(alice.get(address))
    assert "It stopped before the end." in page
    assert "the log of the worker has it" in page
    assert alice.post(f"{address}/discard").status_code == 303
    assert the_import(cast.north).upload == ""


def test_an_admin_who_is_none_any_more_brings_nothing_in(alice, counted, cast):
    alice.post(f"{counted}/apply")
    with tenancy.account(cast.north):
        User.objects.filter(user_id="alice").update(role="user")
    work()
    run = the_import(cast.north)
    assert run.state == "failed"
    assert run.problems[0]["what"] == "alice, who began this import, is no admin any more."
    assert sessions(cast) == set()


def test_a_suspended_account_is_read_when_it_is_active_again(upload, cast):
    upload()
    account_update(actor=Operator(), account=cast.north, state="suspended")
    assert work() == 1
    assert the_import(cast.north).state == "waiting"
    account_update(actor=Operator(), account=cast.north, state="active")
    with tenancy.account(cast.north):
        uploads_tidy(account=cast.north)
    assert work() == 1
    assert the_import(cast.north).state == "completed"


def test_files_that_are_gone_are_said(alice, counted, cast, uploads):
    for folder in uploads.iterdir():
        folder.rename(uploads.parent / "elsewhere")
    assert toast(alice, alice.post(f"{counted}/apply"))[0].startswith("Nothing was brought in.")
    with tenancy.account(cast.north):
        Import.objects.update(state="waiting")
        uploads_tidy(account=cast.north)
    work()
    assert the_import(cast.north).problems[0]["what"] == (
        "The uploaded files are gone; upload them again."
    )


def test_the_list_has_pages_and_says_who(alice, cast):
    assert "Nothing was brought in yet" in words(alice.get(IMPORTS))
    with tenancy.account(cast.north):
        key = User.objects.get(user_id="alice").pk
        Import.objects.bulk_create(
            Import(format="jsonl", source=f"talks {n}", state="completed", written_by=key)
            for n in range(52)
        )
        Import.objects.bulk_create([Import(format="sqlite", source="/srv/a", state="failed")])
    first = alice.get(IMPORTS)
    assert len(titles(first)) == 50
    assert titles(first)[0] == "/srv/a"
    assert "an operator" in words(first)
    older = re.search(r'id="older" href="([^"]+)"', first.content.decode())[1]
    assert titles(alice.get(older)) == ["talks 2", "talks 1", "talks 0"]
    assert alice.get(f"{IMPORTS}?older=garbage").status_code == 404


def test_of_another_account_there_is_no_import(sign_in, counted, cast):
    charlie = sign_in("charlie")
    key = the_import(cast.north).pk
    for step in ("", "/rollback"):
        assert charlie.get(f"/a/south/imports/{key}{step}").status_code == 404
    for step in ("apply", "discard", "rollback"):
        assert charlie.post(f"/a/south/imports/{key}/{step}").status_code == 404
    with tenancy.account(cast.south):
        assert not ImportReceipt.objects.exists()


def test_the_way_there_is_shown_to_admins(alice, sign_in):
    for page in ("settings", "jobs"):
        assert f'href="{IMPORTS}"' in alice.get(f"/a/north/{page}").content.decode()
    assert f'href="{IMPORTS}/new"' in alice.get("/a/north/sessions").content.decode()
    assert b"/imports" not in sign_in("bob").get("/a/north/sessions").content


def test_large_bodies_are_refused_wherever_no_files_belong(alice, client, upload, settings):
    large = b" " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)

    def body():
        return {"files": [sent("gw_a.jsonl", large)], "format": "auto"}

    assert alice.post("/a/north/settings", body()).status_code == 413
    assert client.post("/sign-in", body()).status_code == 413
    refused = client.post("/api/v1/sessions", body())
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "RESOURCE_EXHAUSTED")
    assert upload({"gw_a.jsonl": large}).startswith(f"{IMPORTS}/")
