"""Children of `quickstart`: start them, watch them, stop them all."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn
from urllib.error import URLError
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 15
TURN_SECONDS = 0.3
ASK_EVERY = 10  # turns


class Stopped(Exception):
    """SIGINT or SIGTERM arrived."""


class ChildProblem(Exception):
    """A child could not serve; the message is one line for the operator."""


class Supervisor:
    """Runs commands side by side until one ends or a signal arrives."""

    def __init__(self) -> None:
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a child in a session of its own, so that Ctrl-C reaches only this process."""
        self.children[name] = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )

    def wait_until_serving(self, url: str, host: str, seconds: float = 30) -> None:
        """Wait for the web server's first answer.

        Args:
            host: for the Host header, one that the server serves.
        """
        question = Request(url, headers={"Host": host})  # noqa: S310 - our own address
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.check()
            try:
                with urlopen(question, timeout=1):  # noqa: S310
                    return
            except (URLError, OSError):
                time.sleep(0.05)
        raise ChildProblem(f"the web server did not answer within {seconds:.0f} s.")

    def check(self) -> None:
        """Raise when a child has ended."""
        for name, child in self.children.items():
            if child.poll() is not None:
                raise ChildProblem(f"the {name} ended with status {child.returncode}.")

    def watch(self, is_well: Callable[[], bool]) -> NoReturn:
        """Return only by an exception: a signal, a child that ended, or what they need is gone.

        Args:
            is_well: asked every few seconds.
        """
        while True:
            if not is_well():
                raise ChildProblem("the embedded PostgreSQL has ended.")
            for _turn in range(ASK_EVERY):
                self.check()
                time.sleep(TURN_SECONDS)

    def stop(self) -> None:
        """Ask all children to stop, wait, and kill what does not, with all that they started."""
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.1, deadline - time.monotonic()))
            # Its session is its process group: a server that was killed leaves its workers there.
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


@contextmanager
def signals_raise() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into Stopped, once: a second one must not break the stopping."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    yield


def listening_problem(host: str, port: int) -> str | None:
    """Why a server could not listen there now, in one line; None when it could."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                return f"HOST {host} is no address of this machine; valid: 127.0.0.1, for instance."
            if error.errno == errno.EACCES:
                return f"PORT {port} may not be used by this user; valid: 1024 to 65535."
            return f"PORT {port} is in use; choose another: PORT={port % 65535 + 1} make run."
    return None


def _die_with_parent() -> None:
    # After a kill -9 of the parent nobody else would stop the children.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
