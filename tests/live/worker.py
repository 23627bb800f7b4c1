"""`manage.py worker` as a process of its own, and what stands in its queue."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from tests.live import BASE, Server
from tests.live.quickstart import eventually

FINISHED = ("completed", "failed", "cancelled")


class Worker:
    """One worker process."""

    def __init__(self, server: Server) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(BASE / "manage.py"), "worker"],
            env=server.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self) -> None:
        """As a crash of the machine: no time to say anything."""
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        self.process.terminate()
        return self.process.wait(30)


@contextmanager
def working(server: Server) -> Iterator[Worker]:
    """A worker that runs until the end of the block, or until it is killed inside it."""
    worker = Worker(server)
    try:
        yield worker
    finally:
        if worker.process.poll() is None:
            worker.kill()


@contextmanager
def holding(server: Server, account_id: str, archive_number: int = 1) -> Iterator[None]:
    """Hold the rows of these archives: a job that wants one begins, and does not come to its end.

    Only one session of the account may have such an archive.
    """
    with psycopg.connect(server.environment["DATABASE_URL"]) as connection:
        found = connection.execute(
            "SELECT schema_name FROM accounts_account WHERE account_id = %s", [account_id]
        ).fetchone()
        assert found is not None
        table = sql.Identifier(found[0], "agent_sessions_archive")
        connection.execute(
            sql.SQL("SELECT id FROM {} WHERE number = %s FOR UPDATE").format(table),
            [archive_number],
        )
        yield
        connection.rollback()


def jobs(server: Server, account_id: str) -> list[dict[str, Any]]:
    """The queue's own rows about archives of an account, oldest first."""
    return server.rows(
        "SELECT j.id, j.status::text, j.args, j.attempts FROM procrastinate_jobs j"
        " JOIN accounts_account a ON a.id::text = j.args->>'account'"
        f" WHERE a.account_id = '{account_id}' ORDER BY j.id"
    )


def finished(client: Any, task_id: str, seconds: float = 40) -> dict[str, Any]:
    """The task, once it is finished."""
    found: dict[str, Any] = {}

    def is_finished() -> bool:
        answer = client.get(f"/tasks/{task_id}")
        assert answer.status_code == 200, answer.text
        found.update(answer.json()["result"])
        return found["status"] in FINISHED

    eventually(is_finished, seconds)
    return found
