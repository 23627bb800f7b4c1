"""`manage.py quickstart` as a process with a data directory of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import psutil
import psycopg

from config.postgres import EmbeddedPostgres
from tests.live import BASE, free_port

COMMAND = (sys.executable, str(BASE / "manage.py"))
OURS = re.compile(r"BAILIWICK_|PYTEST_|DJANGO_|(DATABASE_URL|DEMO|HOST|PORT)$")


@dataclass
class Quickstart:
    """One installation: its data stays between starts."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None
    output: str = ""
    errors: str = ""

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def postgres(self) -> EmbeddedPostgres:
        return EmbeddedPostgres(self.data_dir)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not OURS.match(name)}
        data_dir, port = str(self.data_dir), str(self.port)
        return {
            **kept,
            "BAILIWICK_DATA_DIR": data_dir,
            "PORT": port,
            "BAILIWICK_WORKERS": "2",
            **more,
        }

    # --- starting and stopping ---

    def running(self) -> str:
        """Start it unless it runs; what the last start printed."""
        if self.process is None:
            self.start()
        return self.output

    def begin(self, **environment: str) -> subprocess.Popen[str]:
        """Start it without waiting."""
        assert self.process is None
        with self._log("output", "w") as output, self._log("errors", "w") as errors:
            self.process = subprocess.Popen(
                [*COMMAND, "quickstart"],
                env=self.environment(**environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        return self.process

    def start(self, **environment: str) -> str:
        """Start it and wait until it says that it serves; what it printed."""
        process = self.begin(**environment)
        eventually(lambda: process.poll() is not None or "Ctrl-C stops it" in self._read())
        assert process.poll() is None, f"it ended: {self.output}{self.errors}"
        return self.output

    def ended(self, seconds: float = 30) -> int:
        """Wait for its end; the exit status."""
        assert self.process is not None
        status = self.process.wait(seconds)
        self._read()
        self.process = None
        return status

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal, and wait; the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.ended()

    def forget(self) -> None:
        """Let go of a process that has been ended in another way."""
        if self.process is not None:
            self.ended()

    def refused(self, **environment: str) -> str:
        """Start it with what must be refused; the one line on standard error."""
        done = self.manage("quickstart", **environment)
        assert done.returncode not in {0, None}, done.stdout
        assert "Traceback" not in done.stdout + done.stderr
        lines = done.stderr.strip().splitlines()
        assert len(lines) == 1, done.stderr
        return lines[0]

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a management command on this installation."""
        return subprocess.run(
            [*COMMAND, *arguments],
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def clean_up(self) -> None:
        """Leave no process and no folder, whatever the test did."""
        if self.process is not None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.process.kill()
        end(self.processes())
        if self.postgres.is_running():
            self.postgres.stop()
        for folder in (self.postgres.cluster.resolve(), self.postgres.socket_dir, self.folder):
            shutil.rmtree(folder, ignore_errors=True)

    # --- looking inside ---

    def processes(self) -> list[psutil.Process]:
        """Everything that it started, the database's processes included."""
        own = str(self.data_dir)
        found = [psutil.Process(self.process.pid)] if self.process else []
        for process in psutil.process_iter():
            try:
                if process.environ().get("BAILIWICK_DATA_DIR") == own or own in process.cmdline():
                    found.append(process)
            except psutil.Error:
                continue
        whole = {
            one
            for process in found
            for one in (process, *children(process, recursive=True))
            if one.pid != os.getpid()
        }
        return sorted(whole, key=lambda one: one.pid)

    def database_pid(self) -> int:
        """The database server's main process."""
        return int((self.postgres.cluster / "postmaster.pid").read_text().splitlines()[0])

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(**self.postgres.parameters) as connection:
            return connection.execute(statement).fetchall()

    def printed(self, name: str) -> str:
        """A value of the welcome, by its label."""
        found = re.search(rf"^ +{name} +(\S+)$", self.output, re.MULTILINE)
        assert found is not None, self.output
        return found[1]

    def client(self, key: str) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self.url}/api/v1", headers={"X-API-Key": key}, timeout=30, trust_env=False
        )

    def _log(self, name: str, mode: str) -> IO[str]:
        return (self.folder / name).open(mode, encoding="utf-8")

    def _read(self) -> str:
        with self._log("output", "r") as output, self._log("errors", "r") as errors:
            self.output, self.errors = output.read(), errors.read()
        return self.output


@contextmanager
def installation() -> Iterator[Quickstart]:
    """A Quickstart in a new folder, which goes at the end."""
    folder = Path(tempfile.mkdtemp(prefix="bailiwick-quickstart-"))
    folder.chmod(0o755)  # started by root, the database runs as another user
    house = Quickstart(folder)
    try:
        yield house
    finally:
        house.clean_up()


def children(process: psutil.Process, *, recursive: bool = False) -> list[psutil.Process]:
    """Its children; asked again when one of those that were being read has just ended."""
    while process.is_running():
        with suppress(psutil.NoSuchProcess):
            return process.children(recursive=recursive)
    return []


def command_line(process: psutil.Process) -> str:
    """What it was started with, and nothing for one that has ended."""
    with suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


def alive(processes: list[psutil.Process]) -> list[str]:
    """Those that still run; one that only waits for init to collect it does not."""
    left = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                left.append(f"{process.pid} {command_line(process)}")
    return left


def end(processes: list[psutil.Process]) -> None:
    """Kill what is left of them."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=5)


def eventually(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until it holds, or fail."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(0.01)
