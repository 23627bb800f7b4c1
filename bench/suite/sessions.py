"""The newest page of the sessions list at 100 and at 100,000 sessions, against the bare query."""

from __future__ import annotations

import time
from contextlib import ExitStack
from itertools import repeat
from statistics import median
from typing import Any

import psycopg

from bench.figures import Burst, Summary, summary
from bench.load import drive, request
from bench.report import Bar, Report, Worthless, shown
from bench.stand import Stand

SMALL, LARGE = 100, 100_000
MESSAGES = 10  # in each session; a million in the large account
MAX_GROWTH = 1.3
PAGES = {"newest page": "/sessions", "of one user": "/sessions?user=bob"}

_BARE = """
SELECT s.*, u.user_id, a.agent_id FROM agent_sessions_session s
JOIN principals_user u ON u.id = s.owner_id JOIN principals_agent a ON a.id = s.agent_id
ORDER BY s.last_activity_at DESC, s.id DESC LIMIT 51
"""
_SESSIONS = """
INSERT INTO agent_sessions_session
    (id, session_id, owner_id, agent_id, title, state, is_current, memory_paused, contexts_used,
     skills_used, message_count, pending_tokens, last_activity_at, started_at, metadata)
SELECT gen_random_uuid(), 'sess_' || n, u.id, a.id, 'Session ' || n, 'active', false, false, 0, 0,
    %(messages)s, 100, now() - make_interval(mins => n), now() - make_interval(mins => n + 60), '{}'
FROM generate_series(1, %(sessions)s) n, principals_user u, principals_agent a
WHERE u.user_id = CASE WHEN n %% 2 = 0 THEN 'bob' ELSE 'alice' END AND a.agent_id = 'default'
"""
_MESSAGES = """
INSERT INTO agent_sessions_message (id, session_id, seq, role, role_id, parts, text, language)
SELECT gen_random_uuid(), s.id, n, 'user', 'bob', '[{"type": "text", "text": "seven forty"}]',
    'the train to porto leaves at seven forty, ' || n, 'english'
FROM agent_sessions_session s, generate_series(1, %(messages)s) n
"""


def run(stand: Stand) -> Report:
    """Fill two accounts, then ask both in turn."""
    large = LARGE // 20 if stand.quick else LARGE
    rounds, seconds = (3, 0.5) if stand.quick else (7, 1.0)
    with ExitStack() as servers:
        port = servers.enter_context(stand.server(1))
        sides = {size: _fill(stand, port, size) for size in (SMALL, large)}
        found: dict[tuple[str, int], list[Burst]] = {}
        for _ in range(rounds):
            for size, (connection, key) in sides.items():
                found.setdefault(("bare query", size), []).append(_bare(connection, seconds))
                for name, path in PAGES.items():
                    asked = repeat(request("GET", path, key))
                    burst = drive(port, asked, clients=1, seconds=seconds)
                    found.setdefault((name, size), []).append(burst)
    sizes = {"rounds": rounds, "messages": large * MESSAGES}
    report = Report("sessions: the newest page of a list", _COLUMNS, sizes)
    for name in ("bare query", *PAGES):
        _row(report, name, *(summary(found[name, size]) for size in (SMALL, large)))
        growth = median(
            many.percentile(50) / few.percentile(50)
            for few, many in zip(found[name, SMALL], found[name, large], strict=True)
        )
        if name != "bare query":
            report.bars.append(
                Bar(f"p50 at {shown(large)} / p50 at {shown(SMALL)}, {name}", growth, MAX_GROWTH)
            )
    return report


_COLUMNS = ["list", "p50 ms at 100", "p95 ms at 100", "p50 ms at many", "p95 ms at many"]


def _row(report: Report, name: str, few: Summary, many: Summary) -> None:
    report.rows.append([name, few.p50, few.p95, many.p50, many.p95])


def _fill(stand: Stand, port: int, size: int) -> tuple[psycopg.Connection[Any], str]:
    """An account with that many sessions; a connection into it, and bob's key."""
    schema, key = stand.account(port, f"with-{size}")
    connection = stand.connect(schema)
    connection.execute(_SESSIONS, {"sessions": size, "messages": MESSAGES})
    connection.execute(_MESSAGES, {"messages": MESSAGES})
    connection.execute("ANALYZE agent_sessions_session, agent_sessions_message")
    there = connection.execute("SELECT count(*) FROM agent_sessions_message").fetchall()[0][0]
    if there != size * MESSAGES:
        raise Worthless(f"{there} messages are there, {size * MESSAGES} were to be.")
    return connection, key


def _bare(connection: psycopg.Connection[Any], seconds: float) -> Burst:
    latencies: list[float] = []
    began = ended = time.perf_counter()
    while ended - began < seconds:
        started = time.perf_counter()
        connection.execute(_BARE).fetchall()
        ended = time.perf_counter()
        latencies.append(ended - started)
    return Burst(ended - began, latencies)
