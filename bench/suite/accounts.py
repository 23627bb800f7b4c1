"""Making, using and migrating 10, 100 and 1,000 accounts, and what they keep of memory and disk."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from uuid import uuid4

import psycopg
from django.core.management import call_command
from django.db import connection as own_connection

from accounts.actor import Operator
from accounts.principals.services import account_create
from accounts.tenancy.template import TOKEN, account_heads, current_template
from bench.figures import Burst, milliseconds
from bench.load import drive, once, request
from bench.report import Bar, Cell, Report, Worthless
from bench.stand import BASE, Stand

SIZES, QUICK_SIZES = (10, 100, 1000), (5, 20)
SAMPLES = 10  # creations of each kind that are timed at each size, the last ones up to it
JOBS = 2  # the command's own default
THREADS = 4  # of a server process, each with its connection
MAX_CREATE = 2  # times the floor
MAX_GROWTH = 1.5  # from the smallest size to the largest
MAX_NOOP = 2  # s
MAX_SIZE = 2.6  # MB of an empty account
MEGABYTE = 1_000_000
SESSION = "sess_bench"

Values = dict[str, list[Cell]]


@dataclass(slots=True)
class Growing:
    """The accounts made so far.

    Attributes:
        people: account_id and key of its admin.
        empty: bytes of the database before the first account.
    """

    stand: Stand
    statements: list[str]
    plain: psycopg.Connection[Any]
    empty: int
    people: list[tuple[str, str]] = field(default_factory=list)


def run(stand: Stand) -> Report:
    """At each size: grow to it, then sizes, requests, memory, deploys."""
    sizes = stand.sizes or (QUICK_SIZES if stand.quick else SIZES)
    plain = stand.connect()
    growing = Growing(stand, current_template().statements, plain, _database_bytes(plain))
    values: Values = defaultdict(list)
    for size in sizes:
        with stand.server(1) as port:
            met = len(growing.people)
            _grow(growing, size, port, values)
            _sizes(growing, values)
            _requests(growing, port, met, values)
        _deploys(growing, values)
    report = Report(
        "accounts: a schema for each",
        ["", *(f"{size:,} accounts" for size in sizes)],
        {"creations timed": SAMPLES, "migrate_accounts --jobs": JOBS, "connections": THREADS},
    )
    report.rows = [[name, *cells] for name, cells in values.items()]
    report.bars = _bars(values)
    report.notes.append(
        "p50 of requests: GET a list of sessions and POST a message in turn, 4 clients, one "
        "server process, accounts at random; cold: the first on an account in each connection."
    )
    return report


def _bars(values: Values) -> list[Bar]:
    def growth(name: str) -> float:
        return float(values[name][-1]) / float(values[name][0])  # type: ignore[arg-type]

    def most(name: str) -> float:
        return max(float(cell) for cell in values[name])  # type: ignore[arg-type]

    def last(name: str) -> float:
        return float(values[name][-1])  # type: ignore[arg-type]

    return [
        Bar("create by the service ÷ floor, the worst size", most(_CREATE_RATIO), MAX_CREATE),
        Bar("growth of create, largest size ÷ smallest", growth(_CREATE), MAX_GROWTH),
        Bar("s, deploy with nothing to do, the whole process", last(_NOOP), MAX_NOOP),
        Bar("growth of a POST's p50", growth(_POST), MAX_GROWTH),
        Bar("growth of a GET's p50", growth(_GET), MAX_GROWTH),
        Bar("MB an empty account, catalogue included", last(_DISK), MAX_SIZE),
    ]


_CREATE, _CREATE_HTTP, _FLOOR = "create, service, ms", "create, HTTP, ms", "floor: same DDL, ms"
_CREATE_RATIO = "create, service ÷ floor"
_RELATIONS, _DISK = "MB an account, its relations", "MB an account, whole database"
_COLD = "first request on an account, p50 ms"
_GET, _POST = "GET sessions, p50 ms", "POST message, p50 ms"
_MEMORY, _EACH = "PostgreSQL's memory, MB", "of it KB an account and connection"
_NOOP, _NOOP_WORK = "deploy, nothing to do, s", "deploy, nothing to do, its work, s"
_CHANGE, _CHANGE_EACH = "deploy, one change, s", "deploy, one change, ms an account"


def _grow(growing: Growing, size: int, port: int, values: Values) -> None:
    """Make accounts up to the size; the last ones are timed, with the floor between them."""
    samples = min(SAMPLES, (size - len(growing.people)) // 2)
    if samples < 1:
        raise Worthless(f"{size} accounts are too few after {len(growing.people)}.")
    while len(growing.people) < size - 2 * samples:
        _create(growing)
    _create_by_http(growing, port)
    by_service, by_http, floors = [], [], []
    for number in range(samples):
        floors.append(_floor(growing))
        by_service.append(_create(growing))
        if number:  # the first one was the connection's first
            by_http.append(_create_by_http(growing, port))
    values[_CREATE].append(milliseconds(by_service))
    values[_CREATE_HTTP].append(milliseconds(by_http))
    values[_FLOOR].append(milliseconds(floors))
    pairs = zip(by_service, floors, strict=True)
    values[_CREATE_RATIO].append(median(create / floor for create, floor in pairs))
    with growing.plain.cursor() as cursor:  # what the floor made is not kept
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'floor%'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP SCHEMA "{name}" CASCADE')


def _create(growing: Growing) -> float:
    account_id = f"acct-{len(growing.people)}"
    started = time.perf_counter()
    made = account_create(actor=Operator(), account_id=account_id, admin_user_id="alice")
    took = time.perf_counter() - started
    growing.people.append((account_id, made.user_key))
    return took


def _create_by_http(growing: Growing, port: int) -> float:
    account_id = f"acct-{len(growing.people)}"
    body = {"account_id": account_id, "admin_user_id": "alice"}
    started = time.perf_counter()
    made = once(port, "POST", "/admin/accounts", growing.stand.root_key, body)
    took = time.perf_counter() - started
    growing.people.append((account_id, made["user_key"]))
    return took


def _floor(growing: Growing) -> float:
    """The same DDL in one transaction, statement by statement."""
    name = f"floor_{uuid4().hex}"
    started = time.perf_counter()
    with growing.plain.transaction():
        for statement in growing.statements:
            growing.plain.execute(statement.replace(TOKEN, name).encode())
    return time.perf_counter() - started


def _sizes(growing: Growing, values: Values) -> None:
    relations = growing.plain.execute(
        "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c"
        " JOIN accounts_account a ON a.schema_name = c.relnamespace::regnamespace::text"
        " WHERE c.relkind = 'r'"
    ).fetchall()[0][0]
    count = len(growing.people)
    whole = _database_bytes(growing.plain) - growing.empty
    values[_RELATIONS].append(float(relations) / count / MEGABYTE)
    values[_DISK].append(whole / count / MEGABYTE)


def _database_bytes(plain: psycopg.Connection[Any]) -> int:
    plain.execute("CHECKPOINT")
    return int(plain.execute("SELECT pg_database_size(current_database())").fetchall()[0][0])


def _requests(growing: Growing, port: int, met: int, values: Values) -> None:
    """Each connection meets each account, then requests at random."""
    message = {"role": "user", "content": "The 07:40 train, please. A window seat if there is one."}
    posts = [
        request("POST", f"/sessions/{SESSION}/messages", key, message) for _, key in growing.people
    ]
    gets = [request("GET", "/sessions?limit=20", key) for _, key in growing.people]
    begin = [
        request("POST", "/sessions", key, {"session_id": SESSION})
        for _, key in growing.people[met:]
    ]
    drive(port, iter(begin), clients=1)
    for _ in range(THREADS):  # connect, import, compile
        drive(port, iter(posts[:1] * THREADS), clients=THREADS)
    before, _ = growing.stand.memory()
    # All four clients ask for one account at once, so four connections serve it.
    cold = drive(port, iter(_times(posts, THREADS)), clients=THREADS, seconds=120)
    drive(port, iter(_times(gets, THREADS)), clients=THREADS, seconds=120)
    after, _ = growing.stand.memory()
    chance = random.Random(5)
    bursts: dict[str, list[Burst]] = {_GET: [], _POST: []}
    for _ in range(3 if growing.stand.quick else 5):
        for name, kind in ((_GET, gets), (_POST, posts)):
            bursts[name].append(drive(port, _at_random(chance, kind), clients=THREADS, seconds=1))
    values[_COLD].append(cold.percentile(50))
    for name, found in bursts.items():
        values[name].append(median(burst.percentile(50) for burst in found))
    values[_MEMORY].append(after)
    values[_EACH].append(1000 * (after - before) / THREADS / len(growing.people))


def _times(requests: list[bytes], times: int) -> list[bytes]:
    return [each for each in requests for _ in range(times)]


def _at_random(chance: random.Random, requests: list[bytes]) -> Iterator[bytes]:
    while True:
        yield chance.choice(requests)


def _deploys(growing: Growing, values: Values) -> None:
    """migrate_accounts as a process: with nothing to do, and with one more migration."""
    samples = 3 if growing.stand.quick else 5
    values[_NOOP].append(median(_deploy() for _ in range(samples)))
    works = []
    for _ in range(samples):
        account_heads.cache_clear()
        own_connection.close()
        started = time.perf_counter()
        call_command("migrate_accounts", quiet=True)
        works.append(time.perf_counter() - started)
    values[_NOOP_WORK].append(median(works))
    took = _deploy(change=True)
    values[_CHANGE].append(took)
    values[_CHANGE_EACH].append(1000 * took / len(growing.people))
    _undo_change(growing)


def _deploy(*, change: bool = False) -> float:
    command = [sys.executable, str(BASE / "manage.py"), "migrate_accounts", "--quiet"]
    environment = {**os.environ, **({"BAILIWICK_BENCH_CHANGE": "1"} if change else {})}
    started = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own command
        [*command, "--jobs", str(JOBS)], env=environment, check=False, timeout=600
    )
    if done.returncode:
        raise Worthless("migrate_accounts failed.")
    return time.perf_counter() - started


def _undo_change(growing: Growing) -> None:
    """As if the last migration had not run, for the next size and its template."""
    plain = growing.plain
    changed = plain.execute(
        "SELECT schema_name FROM accounts_account WHERE migrated_to LIKE '%change.0001_note%'"
    ).fetchall()
    if len(changed) != len(growing.people):
        raise Worthless(f"{len(changed)} of {len(growing.people)} accounts were migrated.")
    for (schema,) in changed:
        plain.execute(f'ALTER TABLE "{schema}".agent_sessions_session DROP COLUMN bench_note')
        plain.execute(
            f"DELETE FROM \"{schema}\".django_migrations WHERE app = 'change'"  # noqa: S608
        )
    plain.execute("DELETE FROM accounts_schematemplate WHERE heads LIKE '%change.0001_note%'")
    heads = " ".join(f"{app}.{name}" for app, name in account_heads())
    plain.execute("UPDATE accounts_account SET migrated_to = %s", [heads])
