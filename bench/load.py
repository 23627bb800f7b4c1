"""A lean load generator: one thread, raw sockets kept open, requests made beforehand.

Load, server and database share the same cores, so each cycle spent here is missing there.
"""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from bench.figures import Burst
from bench.report import Worthless

ANSWER_SECONDS = 30  # an answer that takes longer ends the run
OK = b"HTTP/1.1 200 "


@dataclass(slots=True)
class Answers:
    """The answers' bodies of several bursts, unread until the measuring is over."""

    bodies: list[bytes] = field(default_factory=list)

    def results(self) -> list[Any]:
        """What stands under `result` in each envelope."""
        return [json.loads(body)["result"] for body in self.bodies]


@dataclass(slots=True)
class _Client:
    """One connection, with at most one request in flight."""

    sock: socket.socket
    started: float = 0.0
    received: bytes = b""

    def send(self, request: bytes | None) -> bool:
        """Send it, if there is one. Far below a socket's buffer, so it does not block."""
        if request is None:
            return False
        self.received = b""
        self.started = time.perf_counter()
        self.sock.sendall(request)
        return True

    def answer(self) -> bytes | None:
        """Read what is there; the body once it is complete."""
        chunk = self.sock.recv(65536)
        if not chunk:
            raise Worthless("the server closed a connection.")
        self.received += chunk
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return None
        if not head.startswith(OK):
            raise Worthless(f"an answer was not 200: {head[:40]!r} {body[:200]!r}")
        return body


def request(method: str, path: str, key: str, body: Any = None) -> bytes:
    """One request's bytes."""
    content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    head = (
        f"{method} /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def drive(
    port: int,
    requests: Iterator[bytes],
    *,
    clients: int,
    seconds: float = ANSWER_SECONDS,
    answers: Answers | None = None,
) -> Burst:
    """Send the requests, each client one after the other, until they or the time run out.

    Raises:
        Worthless: an answer other than 200, or none in time.
    """
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            for _ in range(clients)
        ]
        began = time.perf_counter()
        timed = list(_exchange(sockets, requests, began + seconds))
    if answers is not None:
        answers.bodies += [body for _, _, body in timed]
    return Burst(timed[-1][0] - began, [latency for _, latency, _ in timed])


def _exchange(
    sockets: list[socket.socket], requests: Iterator[bytes], until: float
) -> Iterator[tuple[float, float, bytes]]:
    """The moment, the latency and the body of each answer, as they come in."""
    with selectors.DefaultSelector() as selector:
        waiting = 0
        for sock in sockets:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client = _Client(sock)
            selector.register(sock, selectors.EVENT_READ, client)
            waiting += client.send(next(requests, None))
        while waiting:
            ready = selector.select(ANSWER_SECONDS)
            if not ready:
                raise Worthless(f"no answer within {ANSWER_SECONDS} s.")
            for key, _ in ready:
                body = key.data.answer()
                if body is not None:
                    now = time.perf_counter()
                    yield now, now - key.data.started, body
                    waiting -= 1
                    waiting += key.data.send(next(requests, None) if now < until else None)


def once(port: int, method: str, path: str, key: str, body: Any = None) -> Any:
    """One request, and its result."""
    answers = Answers()
    drive(port, iter([request(method, path, key, body)]), clients=1, answers=answers)
    return answers.results()[0]


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    if at < 0:
        raise Worthless("an answer had no length.")
    return int(head[at + 15 :].split(b"\r\n", 1)[0])
