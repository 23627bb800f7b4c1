"""A real server process, for what rollback cannot show: races, other processes, browsers.

Tests that use it commit, so each makes accounts of its own through the API.
"""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
import psycopg
import pytest
from django.conf import settings
from django.test import override_settings
from psycopg import sql
from psycopg.rows import dict_row

from config.postgres import EmbeddedPostgres
from config.static import collect_if_changed
from config.supervisor import Supervisor
from tests.cast import PASSWORD
from tests.pages import browser, submit

BASE = Path(__file__).resolve().parents[2]
T = TypeVar("T")


@dataclass(frozen=True)
class Person:
    """Somebody who signs in, as alice, the admin of an account of their own."""

    account_id: str
    email: str
    password: str
    headers: dict[str, str]

    @property
    def home(self) -> str:
        return f"/a/{self.account_id}"


@dataclass(frozen=True)
class Server:
    """A running Bailiwick."""

    url: str
    environment: dict[str, str]

    @property
    def root(self) -> dict[str, str]:
        return {"X-API-Key": settings.ROOT_KEY}

    def client(self, headers: dict[str, str] | None = None) -> httpx.Client:
        """For the API; one client may be used from many threads."""
        return httpx.Client(
            base_url=f"{self.url}/api/v1", headers=headers or {}, timeout=60, trust_env=False
        )

    def account(self, **flags: bool) -> tuple[str, dict[str, str]]:
        """Make an account with the admin alice; its id and her headers."""
        account_id = new_id("acct")
        with self.client(self.root) as client:
            answer = client.post(
                "/admin/accounts",
                json={"account_id": account_id, "admin_user_id": "alice", **flags},
            )
        return account_id, {"X-API-Key": result(answer)["user_key"]}

    def user(self, account_id: str, user_id: str) -> dict[str, str]:
        """Register a user of the account; their headers."""
        with self.client(self.root) as client:
            answer = client.post(f"/admin/accounts/{account_id}/users", json={"user_id": user_id})
        return {"X-API-Key": result(answer)["user_key"]}

    def person(self, email: str = "") -> Person:
        """Make an account whose admin may sign in; a given e-mail has a sign-in already."""
        account_id = new_id("acct")
        known = ["--existing"] if email else []
        email = email or f"alice@{account_id}.example"
        done = self.manage(
            *("account_create", account_id, "--admin", "alice"),
            *("--email", email, "--password", PASSWORD, *known),
        )
        assert done.returncode == 0, done.stderr
        return Person(account_id, email, PASSWORD, {"X-API-Key": done.stdout.split()[-1]})

    def sign_in(self, person: Person) -> dict[str, str]:
        """The cookies of a browser in which the person has just signed in."""
        self.forget_attempts()
        with self.pages() as client:
            answer = submit(client, "/sign-in", login=person.email, password=person.password)
            assert answer.status_code == 302, answer.text
            return dict(client.cookies)

    def forget_attempts(self) -> None:
        """Forget earlier sign-ins: a test run has more of them a minute than one address may."""
        self.rows("DELETE FROM bailiwick_cache RETURNING cache_key")

    def pages(self, cookies: dict[str, str] | None = None) -> httpx.Client:
        """For pages, as a browser without a screen; redirects are not followed."""
        return browser(self.url, cookies)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a management command on the same database."""
        return subprocess.run(
            [sys.executable, str(BASE / "manage.py"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def rows(self, statement: str, account_id: str | None = None) -> list[dict[str, Any]]:
        """Look into the database itself: public, or the schema of an account."""
        url = self.environment["DATABASE_URL"]
        with psycopg.connect(url, row_factory=dict_row) as connection:
            if account_id is not None:
                found = connection.execute(
                    "SELECT schema_name FROM accounts_account WHERE account_id = %s", [account_id]
                ).fetchone()
                assert found is not None, account_id
                path = sql.SQL("SET search_path TO {}").format(sql.Identifier(found["schema_name"]))
                connection.execute(path)
            return connection.execute(statement).fetchall()


def result(answer: httpx.Response) -> Any:
    """The result in the envelope of a good answer."""
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def new_id(prefix: str) -> str:
    return f"{prefix}-{uuid4().hex[:12]}"


def at_once(act: Callable[[int], T], count: int) -> list[T]:
    """Run act(0), act(1), … each in its own thread, all let go at one moment; their results."""
    start = Barrier(count)

    def run(number: int) -> T:
        start.wait(30)
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def collect_static() -> None:
    """For servers with hashed file names. Two test runs share the folder, so one at a time."""
    storages = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    folder = os.open(BASE / "tests", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with override_settings(STORAGES=storages):
            collect_if_changed()
    finally:
        os.close(folder)


@contextmanager
def serving(**environment: str) -> Iterator[Server]:
    """Granian with two workers of four threads on this run's database."""
    collect_static()
    parameters = EmbeddedPostgres(settings.ENV.data_dir).parameters
    name = settings.DATABASES["default"]["NAME"]
    host = quote(parameters["host"], safe="")
    whole = {
        **os.environ,
        "DATABASE_URL": f"postgresql://bailiwick@/{name}?host={host}",
        **environment,
    }
    port = free_port()
    supervisor = Supervisor()  # its children die with this process, however that ends
    supervisor.start(
        "server",
        [
            *(str(Path(sys.executable).with_name("granian")), "config.wsgi:application"),
            *("--interface", "wsgi", "--working-dir", str(BASE)),
            *("--host", "127.0.0.1", "--port", str(port)),
            *("--workers", "2", "--blocking-threads", "4"),
            *("--log-level", "warning", "--workers-kill-timeout", "5"),
        ],
        whole,
    )
    try:
        supervisor.wait_until_serving(f"http://127.0.0.1:{port}/ready", "localhost", seconds=60)
        yield Server(f"http://127.0.0.1:{port}", whole)
    finally:
        supervisor.stop()


@pytest.fixture(scope="session")
def server(django_db_setup: None) -> Iterator[Server]:
    """One server for all live tests of this run."""
    with serving() as running:
        yield running
