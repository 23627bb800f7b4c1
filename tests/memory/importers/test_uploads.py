"""Files from a browser: kept in one folder, under harmless names, and never more than allowed."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts import tenancy
from accounts.errors import InvalidArgument, PermissionDenied
from memory.models import Import
from memory.services.imports import files, import_apply, import_upload, uploads_tidy
from sessions_app.models import Session
from tests.memory.importers import fixtures_openfang, fixtures_sqlite
from tests.memory.importers.stores import told
from tests.memory.importers.uploading import (
    files_below,
    in_person,
    lose_jobs,
    packed,
    queued,
    sent,
    talk,
    the_import,
    work,
)

ONE = talk("Where is the key?", "Under the stone.")


@pytest.fixture
def uploads(settings, tmp_path):
    settings.UPLOADS_DIR = tmp_path / "uploads"
    return settings.UPLOADS_DIR


@pytest.fixture
def upload(cast, uploads):
    """upload(file, …) → the import, which waits; alice is an admin."""

    def run(*given, **options):
        with tenancy.account(cast.north):
            actor = in_person(cast.north, options.pop("by", "alice"))
            return import_upload(actor=actor, files=given, **options)

    return run


def kept(uploads) -> list[str]:
    (folder,) = uploads.iterdir()
    return files_below(folder)


def test_files_lie_where_an_importer_looks_and_nobody_else_may(upload, uploads):
    run = upload(sent("gw_a.jsonl", ONE), sent("sessions.db", b"x"), sent("sessions.db-wal", b"y"))
    assert kept(uploads) == ["sessions.db", "sessions.db-wal", "sessions/gw_a.jsonl"]
    assert (run.source, run.dry_run, run.state) == ("gw_a.jsonl and 2 more", True, "waiting")
    folders = [uploads, *(one for one in uploads.rglob("*") if one.is_dir())]
    assert {stat.S_IMODE(one.stat().st_mode) & 0o077 for one in folders[:2]} == {0}
    assert len(queued()) == 1


@pytest.mark.parametrize(
    "name",
    [
        "../../gw_a.jsonl",
        "/etc/gw_a.jsonl",
        "C:\\talks\\gw_a.jsonl",
        "..\\gw_a.jsonl",
        "gw_\ra.jsonl",
    ],
)
def test_only_the_end_of_a_name_counts(upload, uploads, name):
    class Named:
        def __init__(self):
            self.name = name

        def chunks(self, _chunk_size=None):
            yield ONE

    upload(Named())
    assert kept(uploads) == ["sessions/gw_a.jsonl"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([sent("notes.txt", b"x")], "notes.txt is none of .jsonl"),
        ([sent(".jsonl", b"x")], "is none of"),
        ([sent("a.jsonl", ONE), sent("a.jsonl", ONE)], "sessions/a.jsonl comes twice"),
        ([packed({"a.jsonl": ONE}), packed({"a.jsonl": ONE})], "a.jsonl comes twice"),
        ([packed({"sessions": b"x", "notes.txt": b"x"})], "no file that ends in"),
        ([packed({"x.jsonl": ONE, "x.jsonl/y.jsonl": ONE})], "x.jsonl/y.jsonl comes twice"),
        ([sent("a.zip", b"PK no archive")], "a.zip cannot be unpacked"),
        ([packed({f"{'é' * 200}.jsonl": ONE})], "cannot be kept here: File name too long"),
        ([], "Choose 1 to"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_leaves_nothing(upload, uploads, cast, given, said):
    with pytest.raises(InvalidArgument, match=said) as caught:
        upload(*given)
    assert caught.value.details["field"] == "files"
    assert str(uploads) not in caught.value.message
    assert not uploads.exists() or list(uploads.iterdir()) == []
    with tenancy.account(cast.north):
        assert not Import.objects.exists()
    assert upload(sent("a.jsonl", ONE)).state == "waiting"


def test_an_archive_cannot_leave_its_folder(upload, uploads):
    link = zipfile.ZipInfo("sessions/link.jsonl")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    upload(
        packed(
            {
                "../out.jsonl": ONE,
                "/abs.jsonl": ONE,
                "..\\back.jsonl": ONE,
                "sessions/../../up.jsonl": ONE,
                "sessions/gw_a.jsonl": ONE,
                "sessions/._gw_a.jsonl": b"x",
                "__MACOSX/sessions/x.jsonl": b"x",
                "readme.md": b"x",
                link: b"/etc/passwd",
            }
        )
    )
    assert kept(uploads) == ["sessions/gw_a.jsonl", "sessions/link.jsonl"]
    assert files_below(uploads.parent) == [
        f"{folder}/{name}"
        for folder in [f"uploads/{next(uploads.iterdir()).name}"]
        for name in kept(uploads)
    ]
    assert not any(one.is_symlink() for one in uploads.rglob("*"))


@pytest.mark.parametrize("top", ["", "my workspace/"])
def test_a_folder_around_everything_makes_no_difference(upload, uploads, top):
    upload(packed({f"{top}sessions/gw_a.jsonl": ONE, f"{top}memory/brain.db": b"x"}))
    assert kept(uploads) == ["memory/brain.db", "sessions/gw_a.jsonl"]


def test_bytes_are_counted_when_unpacked(upload, uploads, monkeypatch):
    bomb = packed({"a.jsonl": b" " * 5_000_000})
    assert bomb.size < 10_000
    monkeypatch.setattr(files, "MAX_BYTES", 4_000_000)
    with pytest.raises(InvalidArgument, match="at most"):
        upload(bomb)
    assert list(uploads.iterdir()) == []
    monkeypatch.setattr(files, "MAX_BYTES", 6_000_000)
    bomb.seek(0)
    assert upload(bomb).state == "waiting"


def test_a_damaged_archive_is_refused(upload, uploads):
    whole = packed({"a.jsonl": os.urandom(9_000)}).read()
    for at in range(0, len(whole), 97):
        broken = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        try:
            upload(sent("a.zip", broken))
        except InvalidArgument as error:
            assert error.details == {"field": "files"}  # noqa: PT017 - or it is harmless
    with pytest.raises(InvalidArgument):
        upload(sent("a.zip", whole[: len(whole) // 2]))


def test_files_of_an_archive_keep_their_times(upload, cast, uploads):
    plain = zipfile.ZipInfo("gw_plain.jsonl", (2023, 5, 6, 7, 8, 10))
    exact = zipfile.ZipInfo("gw_exact.jsonl", (2023, 5, 6, 7, 8, 10))
    at = datetime(2022, 1, 2, 3, 4, 5, tzinfo=UTC)
    exact.extra = struct.pack("<HHBi", 0x5455, 5, 1, int(at.timestamp()))
    upload(packed({plain: ONE, exact: ONE}))
    work()
    _apply(cast)
    with tenancy.account(cast.north):
        times = dict(Session.objects.values_list("session_id", "last_activity_at"))
    assert times == {"gw_plain": datetime(2023, 5, 6, 7, 8, 10, tzinfo=UTC), "gw_exact": at}


def _apply(cast):
    with tenancy.account(cast.north):
        import_apply(actor=in_person(cast.north), run_id=Import.objects.get().pk)
    assert work() == 1
    return the_import(cast.north)


def test_a_database_comes_with_the_log_beside_it(upload, cast, tmp_path, uploads):
    fixtures_sqlite.sessions_db(tmp_path).close()
    path = tmp_path / "sessions" / "sessions.db"
    rows = (
        "INSERT INTO sessions (session_key, role, content, created_at)"
        " VALUES ('gw_a', 'user', 'Logged', '2024-05-01T08:00:00')"
    )
    fixtures_sqlite.died_with_a_log(path, rows)
    log = path.with_name("sessions.db-wal")
    assert log.stat().st_size > 0
    upload(sent("sessions.db", path.read_bytes()), sent("sessions.db-wal", log.read_bytes()))
    work()
    run = _apply(cast)
    assert (run.format, run.state, run.problems) == ("sqlite", "completed", [])
    with tenancy.account(cast.north):
        assert [text for _, text, _ in told()["gw_a"]] == ["Logged"]


def test_a_database_may_have_any_name(upload, cast, tmp_path):
    store = fixtures_openfang.Store(tmp_path)
    store.session(fixtures_openfang.said("user", "Hello"))
    upload(sent("backup of monday.db", store.path.read_bytes()), format="openfang")
    work()
    run = the_import(cast.north)
    assert (run.state, run.sessions, run.messages) == ("completed", 1, 1)


def test_a_format_that_it_is_not_is_said_without_our_paths(upload, cast, uploads):
    upload(sent("a.jsonl", ONE), format="openfang")
    work()
    run = the_import(cast.north)
    assert run.state == "failed"
    assert "openfang.db" in run.problems[0]["what"]
    assert Path(run.upload).name not in run.problems[0]["what"]
    assert str(uploads) not in run.problems[0]["what"]


def test_a_user_uploads_nothing(upload, uploads):
    with pytest.raises(PermissionDenied):
        upload(sent("a.jsonl", ONE), by="bob")
    assert not uploads.exists()
    assert upload(sent("a.jsonl", ONE)).state == "waiting"


def test_what_nobody_brings_in_is_thrown_away_after_a_day(upload, cast, uploads):
    upload(sent("a.jsonl", ONE))
    work()

    def tidy(hours):
        with tenancy.account(cast.north):
            at = timezone.now() - timedelta(hours=hours)
            Import.objects.update(created_at=at)
            uploads_tidy(account=cast.north)
        return len(list(uploads.iterdir()))

    assert tidy(23) == 1
    assert tidy(25) == 0
    assert (the_import(cast.north).state, the_import(cast.north).upload) == ("completed", "")
    assert queued() == []


def test_what_lost_its_job_is_queued_again(upload, cast):
    upload(sent("a.jsonl", ONE))
    assert len(queued()) == 1
    with tenancy.account(cast.north):
        uploads_tidy(account=cast.north)
    assert len(queued()) == 1
    lose_jobs()
    with tenancy.account(cast.north):
        uploads_tidy(account=cast.north)
    assert work() == 1
    assert the_import(cast.north).state == "completed"
