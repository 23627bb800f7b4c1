from __future__ import annotations

import fcntl
import os
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts import tenancy
from accounts.actor import DEFAULT_ID, Operator
from accounts.errors import AlreadyExists
from accounts.principals.services import account_create
from config.demo import DemoSignIn, keep_sign_in, kept_sign_in, load_demo
from config.postgres import EmbeddedPostgres, PostgresProblem
from config.static import collect_if_changed
from config.supervisor import ChildProblem, Stopped, Supervisor, listening_problem, signals_raise

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = (
        "Serve the product on this machine: start the embedded PostgreSQL (unless DATABASE_URL is "
        "set), migrate, make a demo account on the first start, run web server and job worker, and "
        "stop everything on Ctrl-C. The data stays."
    )
    requires_system_checks = ()  # the server runs them; here they would cost a second

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="make no demo account")

    def handle(self, *_args: Any, no_demo: bool, **_options: Any) -> None:
        env = settings.ENV
        with ExitStack() as stack:
            _hold(stack, env.data_dir / "quickstart.lock")
            problem = listening_problem(env.host, env.port)
            if problem is not None:
                raise CommandError(problem)
            stack.enter_context(signals_raise())
            try:
                self._serve(stack, no_demo=no_demo)
            except (PostgresProblem, ChildProblem) as problem:
                raise CommandError(str(problem)) from None
            except Stopped:
                self.stdout.write("Stopping …")
        self.stdout.write("Stopped. The data is kept.")

    def _serve(self, stack: ExitStack, *, no_demo: bool) -> None:
        env = settings.ENV
        postgres = EmbeddedPostgres(env.data_dir) if env.database is None else None
        if postgres is not None:
            # Also when it runs already: the lock says that no other quickstart uses it.
            stack.callback(postgres.stop)
            postgres.start()
        call_command("migrate_accounts", quiet=True)
        sign_in = _demo(env.data_dir / "demo.json", wanted=env.demo and not no_demo)
        if env.auth_mode == "dev":
            _make_dev_account()
        collect_if_changed()
        tenancy.disconnect()
        supervisor = Supervisor()
        stack.callback(supervisor.stop)
        environment = {
            # Where the recogniser of secrets keeps its compiled rules; else in the home folder.
            "KF_RULE_CACHE_DIR": str(env.data_dir / "cache"),
            **os.environ,
            "BAILIWICK_DATA_DIR": str(env.data_dir),
        }
        supervisor.start("web server", _web_server(), environment)
        supervisor.start("job worker", _worker(), environment)
        address = f"http://{_reachable(env.host)}:{env.port}"
        supervisor.wait_until_serving(f"{address}/health", env.allowed_hosts[0])
        self.stdout.write(_welcome(address, sign_in, env.root_key))
        self.stdout.flush()  # into a file or a service's log it would wait there
        supervisor.watch(postgres.is_running if postgres else lambda: True)


def _hold(stack: ExitStack, path: Path) -> None:
    """One quickstart for a data directory; the lock goes with the process."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = stack.enter_context(path.open("a"))
    except OSError as error:
        raise CommandError(
            f"BAILIWICK_DATA_DIR is {path.parent}, which cannot be written "
            f"({(error.strerror or 'unknown reason').lower()}); "
            "valid: a folder that this user may write."
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CommandError(
            f"Bailiwick runs already on {path.parent}; stop it, or set BAILIWICK_DATA_DIR."
        ) from None


def _demo(path: Path, *, wanted: bool) -> DemoSignIn | None:
    made = load_demo() if wanted else None
    if made is not None:
        keep_sign_in(path, made)
    return made or kept_sign_in(path)


def _make_dev_account() -> None:
    """Mode dev speaks for an account named `default`."""
    with suppress(AlreadyExists):
        account_create(actor=Operator(), account_id=DEFAULT_ID, admin_user_id="admin")


def _web_server() -> list[str]:
    env = settings.ENV
    return [
        str(Path(sys.executable).with_name("granian")),
        "config.wsgi:application",
        "--interface",
        "wsgi",
        "--host",
        env.host,
        "--port",
        str(env.port),
        "--workers",
        str(env.workers),
        "--blocking-threads",
        "4",
        "--respawn-failed-workers",
        "--workers-kill-timeout",
        "10",
        "--log-level",
        "warning",
    ]


def _worker() -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker"]


def _reachable(host: str) -> str:
    """Where a browser on this machine finds a server that listens on the host."""
    if host in ("127.0.0.1", "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _welcome(address: str, sign_in: DemoSignIn | None, root_key: str) -> str:
    lines = ["", f"  Bailiwick serves at {address}", ""]
    if sign_in is not None:
        lines += [
            f"  Sign in      {address}/sign-in",
            f"               {sign_in.email}",
            f"               {sign_in.password}",
            f"  Admin key    {sign_in.admin_key}",
        ]
        if sign_in.operator_email:
            lines += [
                f"  Operator     {address}/operator/",
                f"               {sign_in.operator_email}",
                f"               {sign_in.operator_password}",
            ]
    else:
        lines += ["  No account yet: `manage.py account_create --help`, or the API with this key."]
    lines += [
        f"  Root key     {root_key}",
        f"  API          {address}/api/v1/docs",
        "",
        "  Ctrl-C stops it and keeps the data.",
        "",
    ]
    return "\n".join(lines)
