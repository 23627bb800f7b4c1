"""A real server process, for what rollback cannot show: races, other processes, browsers.

Tests that use it commit, so each makes accounts of its own through the API.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from django.conf import settings

from config.postgres import EmbeddedPostgres

BASE = Path(__file__).resolve().parent.parent


@dataclass
class Server:
    """A running Bailiwick."""

    url: str
    environment: dict[str, str]

    @property
    def root(self) -> dict[str, str]:
        return {"X-API-Key": settings.ROOT_KEY}

    def client(self, headers: dict[str, str] | None = None) -> httpx.Client:
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers or {}, timeout=30)

    def account(self, **flags: bool) -> tuple[str, dict[str, str]]:
        """Make an account with the admin alice; its id and her headers."""
        account_id = f"acct-{uuid4().hex[:12]}"
        with self.client(self.root) as client:
            answer = client.post(
                "/admin/accounts",
                json={"account_id": account_id, "admin_user_id": "alice", **flags},
            )
        assert answer.status_code == 200, answer.text
        return account_id, {"X-API-Key": answer.json()["result"]["user_key"]}

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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server(django_db_setup: None) -> Any:
    """Granian with two workers on this run's database."""
    from config.static import collect_if_changed

    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "whitenoise.storage.CompressedManifestStaticFilesStorage"
    )
    collect_if_changed()
    parameters = EmbeddedPostgres(settings.ENV.data_dir).parameters
    name = settings.DATABASES["default"]["NAME"]
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://bailiwick@/{name}?host={quote(parameters['host'], safe='')}",
    }
    port = free_port()
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("granian")),
            "config.wsgi:application",
            "--interface",
            "wsgi",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--workers",
            "2",
            "--blocking-threads",
            "4",
            "--log-level",
            "warning",
            "--workers-kill-timeout",
            "5",
        ],
        cwd=BASE,
        env=environment,
    )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{url}/ready", timeout=2).status_code == 200:
                break
        except httpx.HTTPError:
            pass
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server did not answer"
        time.sleep(0.05)
    yield Server(url, environment)
    process.terminate()
    process.wait(20)
