"""Where a bench runs: a throw-away PostgreSQL, durable as in production, and server processes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import django
import psycopg
from django.conf import settings
from django.core.management import call_command
from psycopg.conninfo import make_conninfo

from bench import load
from bench.report import Worthless
from config.postgres import EmbeddedPostgres, PostgresProblem
from config.static import collect_if_changed
from config.supervisor import Supervisor, signals_raise

BASE = Path(__file__).resolve().parent.parent
TIME_LIMIT = 1200  # seconds; a bench that hangs must not hold the machine


@dataclass(slots=True)
class Stand:
    """What a bench works with. Everything on it is stopped and removed at the end."""

    postgres: EmbeddedPostgres
    root_key: str
    quick: bool
    sizes: tuple[int, ...]  # numbers of accounts, for those that grow
    stack: ExitStack

    def connect(self, schema: str = "public") -> psycopg.Connection[Any]:
        """A plain connection in autocommit mode, in that schema."""
        path = f"-c search_path={schema},public" if schema != "public" else ""
        return self.stack.enter_context(
            psycopg.connect(
                make_conninfo(**self.postgres.parameters, options=path), autocommit=True
            )
        )

    @contextmanager
    def server(self, workers: int) -> Iterator[int]:
        """The web server as quickstart starts it; yields its port."""
        from config.management.commands import quickstart  # noqa: PLC0415 - models need Django

        port = _free_port()
        settings.ENV = replace(settings.ENV, port=port, workers=workers)
        supervisor = Supervisor()
        try:
            supervisor.start("web server", quickstart._web_server(), os.environ)  # noqa: SLF001
            supervisor.wait_until_serving(f"http://127.0.0.1:{port}/health", "localhost")
            yield port
        finally:
            supervisor.stop()

    def account(self, port: int, account_id: str) -> tuple[str, str]:
        """Make an account over HTTP with the users alice (admin) and bob; its schema, bob's key."""
        body = {"account_id": account_id, "admin_user_id": "alice"}
        load.once(port, "POST", "/admin/accounts", self.root_key, body)
        users = f"/admin/accounts/{account_id}/users"
        bob = load.once(port, "POST", users, self.root_key, {"user_id": "bob"})
        found = self.connect().execute(
            "SELECT schema_name FROM accounts_account WHERE account_id = %s", [account_id]
        )
        return str(found.fetchall()[0][0]), str(bob["user_key"])

    def memory(self) -> tuple[float, int]:
        """Megabytes of all PostgreSQL processes, shared pages divided among them; how many.

        Not a number where the system does not tell.
        """
        server = int((self.postgres.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        total, backends = 0, 0
        try:
            for process in Path("/proc").iterdir():
                if process.name.isdigit() and server in (int(process.name), _parent(process)):
                    total += _pss(process)
                    backends += 1
        except OSError:
            return float("nan"), backends
        return total / 1024, backends


@contextmanager
def stand(*, quick: bool, sizes: tuple[int, ...]) -> Iterator[Stand]:
    """Put everything up, with Django on it, and take everything down whatever happens.

    Raises:
        Stopped: SIGINT or SIGTERM arrived.
        Worthless: it took longer than TIME_LIMIT.
    """
    with ExitStack() as stack:
        stack.enter_context(signals_raise())
        folder = Path(tempfile.mkdtemp(prefix="bailiwick-bench-"))
        postgres = EmbeddedPostgres(folder)
        stack.callback(_remove, postgres)
        folder.chmod(0o755)  # the cluster's system user must come through when root runs this
        _settle_environment(folder)
        postgres.start()
        root_key = _set_up_django()
        inner = stack.enter_context(ExitStack())
        _limit_time(stack)
        yield Stand(postgres, root_key, quick, sizes, inner)


def _settle_environment(folder: Path) -> None:
    """Nothing that the operator has set may change what is measured."""
    os.chdir(BASE)
    for name in list(os.environ):
        if name.startswith(("BAILIWICK_", "GRANIAN_", "PG")) or name in {"DATABASE_URL", "HOST"}:
            del os.environ[name]
    os.environ["BAILIWICK_DATA_DIR"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"


def _set_up_django() -> str:
    django.setup()
    call_command("migrate_accounts", quiet=True)
    collect_if_changed()
    return str(settings.ROOT_KEY)


def _limit_time(stack: ExitStack) -> None:
    def too_long(_number: int, _frame: object) -> NoReturn:
        raise Worthless(f"it took longer than {TIME_LIMIT} s.")

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(TIME_LIMIT)
    stack.callback(signal.alarm, 0)


def _remove(postgres: EmbeddedPostgres) -> None:
    with suppress(PostgresProblem):  # it may not have started
        postgres.stop()
    for folder in (postgres.cluster.resolve(), postgres.data_dir, postgres.socket_dir):
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has just ended
        return 0


def _pss(process: Path) -> int:
    for line in (process / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
