"""Lists, search, facets and the policy's preview at 100,000 memories, against bare queries."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any
from urllib.parse import quote

import psycopg

from bench import filling
from bench.figures import Burst, summary
from bench.load import drive, once, request
from bench.report import Bar, Report
from bench.stand import Stand

# Of everything else just enough for memories of many people.
LISTED = filling.Size(1_200, 100, 2_000, 1_000, 500, 100, 100, 60, 12, 12, 100_000)
PREVIEWED = filling.Size(120, 12, 100, 20, 50, 20, 24, 12, 1, 1, 10_000)
MAX_PREVIEW = 1_000  # ms
LIST, PREVIEW = "listed", "previewed"  # the accounts' ids
ADMIN, USER = "alice", "bob"

_LIVE = "state = 'active' AND (expires_at IS NULL OR expires_at > now())"
_COLUMNS_OF = """
id, created_at, scope, user_id, agent_id, contact_id, kind, topic_key, summary, content, source,
salience, topics, state, expires_at, version, updated_at
"""
_NEWEST = f"SELECT {_COLUMNS_OF} FROM memory_memory WHERE {_LIVE}"  # noqa: S608 - our own text
_BOBS = " AND user_id = (SELECT id FROM principals_user WHERE user_id = 'bob')"
_PAGE = " ORDER BY id DESC LIMIT 51"
_FACETS = f"""
SELECT scope, kind, salience, count(*) FROM memory_memory WHERE {_LIVE} GROUP BY 1, 2, 3
"""  # noqa: S608
_AS_OF = """
SELECT memory_id, content FROM memory_version
WHERE valid_from <= %(moment)s AND (valid_to IS NULL OR valid_to > %(moment)s)
    AND state = 'active' ORDER BY memory_id DESC LIMIT 51
"""
_GROUPS = f"""
SELECT scope, user_id, agent_id, contact_id, count(*) FROM memory_memory
WHERE {_LIVE} GROUP BY 1, 2, 3, 4
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked over HTTP, and the bare query that reads the same rows."""

    words: str
    query: str
    bare: str
    who: str = ADMIN
    method: str = "GET"
    account: str = LIST


def run(stand: Stand) -> Report:
    """Fill two accounts, then ask each question and its bare query in turn."""
    size = filling.QUICK if stand.quick else LISTED
    rounds, seconds = (2, 0.3) if stand.quick else (7, 1.0)
    moment = datetime.now(UTC) - timedelta(days=10)
    questions = _questions(moment)
    found: dict[str, tuple[list[Burst], list[Burst]]] = {}
    with stand.server(1) as port:
        sides = {
            LIST: _fill(stand, port, LIST, size),
            PREVIEW: _fill(stand, port, PREVIEW, PREVIEWED),
        }
        for _ in range(rounds):
            for one in questions:
                rows, keys = sides[one.account]
                bare, asked = found.setdefault(one.words, ([], []))
                bare.append(_bare(rows, one.bare, moment, seconds / 2))
                asked.append(_asked(port, one, keys[one.who], seconds))
    sizes = {"rounds": rounds, "memories": size.memories, "users": size.users}
    sizes |= {"agents": size.agents, "previewed": PREVIEWED.memories}
    report = Report("memories: lists, search, facets, preview", _COLUMNS, sizes)
    for one in questions:
        bare, asked = map(summary, found[one.words])
        report.rows.append([one.words, bare.p50, bare.p95, asked.p50, asked.p95])
    preview = summary(found["preview of a policy"][1])
    words = "ms, p95 of a preview at {memories:,} memories of {users} users with {agents} agents"
    words = words.format(**asdict(PREVIEWED))
    report.bars.append(Bar(words, preview.p95, MAX_PREVIEW))
    return report


_COLUMNS = ["question", "bare p50", "bare p95", "p50 ms", "p95 ms"]


def _questions(moment: datetime) -> list[Question]:
    said = " AND search @@ websearch_to_tsquery('english', '{}')"
    as_of = f"as_of={quote(moment.isoformat())}"
    lists = [
        Question("newest page", "", _NEWEST + _PAGE),
        Question("newest page, to a user", "", _NEWEST + _BOBS + _PAGE, USER),
        *(
            Question(f"{name} word{to}", f"q={word}", _NEWEST + said.format(word) + whose, who)
            for name, word in (("common", filling.COMMON), ("rare", filling.RARE))
            for to, whose, who in (("", _PAGE, ADMIN), (", to a user", _BOBS + _PAGE, USER))
        ),
        Question("of an agent", f"agent={filling.SELDOM}", _NEWEST + _PAGE),
        Question("deleted", "state=deleted", _NEWEST.replace("'active'", "'deleted'") + _PAGE),
        Question("as of ten days ago", as_of, _AS_OF),
        Question("as of then, to a user", as_of, _AS_OF, USER),
    ]
    return [
        *lists,
        Question("facets", "/facets", _FACETS),
        Question("facets, common word", f"/facets?q={filling.COMMON}", _FACETS),
        Question("facets, to a user", "/facets", _FACETS, USER),
        Question("preview of a policy", "", _GROUPS, method="POST", account=PREVIEW),
    ]


def _asked(port: int, one: Question, key: str, seconds: float) -> Burst:
    if one.method == "POST":
        flags = {"isolate_user_scope_by_agent": True, "isolate_agent_scope_by_user": True}
        path = f"/admin/accounts/{one.account}/policy/preview"
        asked = request("POST", path, key, flags)
    else:
        query = one.query if one.query.startswith("/") else f"?{one.query}"
        asked = request("GET", f"/memories{query.rstrip('?')}", key)
    return drive(port, repeat(asked), clients=1, seconds=seconds)


def _fill(
    stand: Stand, port: int, account_id: str, size: filling.Size
) -> tuple[psycopg.Connection[Any], dict[str, str]]:
    """An account with that much; a connection into it, and the keys of alice and bob."""
    schema, key = stand.account(port, account_id)
    path, body = f"/admin/accounts/{account_id}/keys", {"user_id": ADMIN, "name": "bench"}
    body |= {"scopes": ["read", "write", "manage"]}
    made = once(port, "POST", path, stand.root_key, body)
    rows = stand.connect(schema)
    filling.fill(rows, account_id, size)
    return rows, {ADMIN: str(made["user_key"]), USER: key}


def _bare(rows: psycopg.Connection[Any], query: str, moment: datetime, seconds: float) -> Burst:
    latencies: list[float] = []
    began = ended = time.perf_counter()
    while ended - began < seconds:
        started = time.perf_counter()
        values = {"moment": moment} if "%(moment)s" in query else None
        rows.execute(query.encode(), values).fetchall()
        ended = time.perf_counter()
        latencies.append(ended - started)
    return Burst(ended - began, latencies)
