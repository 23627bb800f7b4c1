"""Files as a browser sends them, and the jobs that read them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from accounts import tenancy
from accounts.principals.membership import actor_in_job
from accounts.principals.models import User
from memory.models import Import
from memory.tasks import read_import
from tests.memory.importers.fixtures_jsonl import line

IMPORTS = "/a/north/imports"
_WAITING = """
    SELECT job.id, job.args->>'account', job.args->>'run' FROM public.procrastinate_jobs job
    JOIN public.accounts_account a ON a.id::text = job.args->>'account'
    WHERE job.status = 'todo' AND job.task_name = 'memory.tasks.read_import'
        AND a.account_id = 'north' ORDER BY job.id
"""


def sent(name: str, content: bytes = b"") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def talk(*texts: str) -> bytes:
    """Lines of a conversation."""
    roles = ("user", "assistant")
    return b"".join(line(roles[n % 2], text) + b"\n" for n, text in enumerate(texts))


def packed(files: dict[str, bytes], name: str = "workspace.zip") -> SimpleUploadedFile:
    """An archive of files; a name may come twice as a ZipInfo."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, content in files.items():
            archive.writestr(one, content)
    return sent(name, target.getvalue())


def queued() -> list[tuple[int, str, str]]:
    """The jobs that wait, oldest first."""
    tenancy.leave()
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        return cursor.fetchall()


def lose_jobs() -> list[dict[str, str]]:
    """Take the jobs out of the queue; their arguments."""
    waiting = queued()
    with connection.cursor() as cursor:
        keys = [key for key, _, _ in waiting]
        cursor.execute("DELETE FROM public.procrastinate_jobs WHERE id = ANY(%s)", [keys])
    return [{"account": account, "run": run} for _, account, run in waiting]


def work() -> int:
    """Do what a worker would do with the queue; how many jobs there were."""
    jobs = lose_jobs()
    for args in jobs:
        read_import(**args)
    return len(jobs)


def in_person(account, user_id: str = "alice"):
    """That user as if signed in; inside the account."""
    actor = actor_in_job(account, User.objects.get(user_id=user_id).pk)
    assert actor is not None
    return actor


def the_import(account) -> Import:
    """The only one."""
    with tenancy.account(account):
        return Import.objects.get()


def files_below(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())
