"""Every page at 1 M messages against the same page of an account with a dozen sessions."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from django.db import connection as own_connection
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from accounts import tenancy
from accounts.actor import Operator
from accounts.models import Person
from accounts.services import person_enroll
from bench import filling
from bench.addresses import ADMIN, NO_PAGES, PAGES, USER, Page
from bench.browser import Answer, Browser, Scales
from bench.figures import Burst
from bench.report import Bar, Report, Worthless, shown
from bench.stand import Stand
from sessions_app.services.days import days_count

FEW, MANY = "few", "many"  # the accounts' ids
PASSWORD = "correct horse battery staple"  # noqa: S105 - of accounts that live for minutes
MAX_GROWTH = 5  # times the small account's p95
MAX_LOAD, MAX_FRAGMENT = 150, 20  # kB
KILOBYTE = 1000
_OLDER = re.compile(r'id="older" href="([^"]+)"')


# One of bob's memories has two versions; there are as many imports as views, and the first brought
# in a few of the sessions and memories.
_MORE = (
    """
    UPDATE memory_memory SET content = content || ' (changed again)' WHERE id = (
        SELECT m.id FROM memory_memory m JOIN principals_user u ON u.id = m.user_id
        WHERE u.user_id = 'bob' AND m.state = 'active' AND m.expires_at IS NULL
            AND m.scope = 'user' AND m.contact_id IS NULL AND m.topic_key IS NULL
        ORDER BY m.id LIMIT 1)
    """,
    """
    INSERT INTO memory_import (id, created_at, format, source, upload, state, dry_run, "user",
        agent, done, total, sessions, messages, memories, extractions, known, problems,
        problem_count, notes, finished_at)
    SELECT uuidv7(), now(), 'jsonl', '/srv/gateway/' || n, '', 'completed', false, '', '',
        12, 12, 12, 120, 12, 0, 0, '[]', 0, '[]', now()
    FROM generate_series(1, {imports}) n
    """,
    """
    INSERT INTO memory_importreceipt (id, created_at, run_id, kind, source_key, source_name,
        source_hash, source_length, target, messages)
    SELECT uuidv7(), now(), (SELECT min(id::text)::uuid FROM memory_import), kind, id::text, '',
        sha256(id::text::bytea), 100, id, 10
    FROM ((SELECT 'session' AS kind, id FROM agent_sessions_session ORDER BY id LIMIT 12)
        UNION ALL (SELECT 'memory', id FROM memory_memory ORDER BY id LIMIT 12)) AS came
    """,
    "ANALYZE memory_import, memory_importreceipt",
)


@dataclass(slots=True)
class Side:
    """One account: who is signed in over HTTP and in this process, and what its places hold."""

    browsers: dict[str, Browser]
    clients: dict[str, Client]
    places: dict[str, str]


@dataclass(slots=True)
class Found:
    """What was measured of one page. Pairs are of the small and of the large account."""

    page: Page
    paths: tuple[str, str]
    statements: tuple[int, int] = (0, 0)
    first_time: int = 0  # statements of the large account's first visit
    seconds: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    load: float = 0.0  # kB, as the next two
    fragment: float = 0.0
    packed: float = 0.0  # the fragment gzipped: by us when the server sends it as it is
    as_it_is: bool = False

    @property
    def grown(self) -> int:
        return self.statements[1] - self.statements[0]

    @property
    def growth(self) -> float:
        few, many = self.bursts
        return many.percentile(95) / few.percentile(95)

    @property
    def bursts(self) -> tuple[Burst, Burst]:
        few, many = self.seconds
        return Burst(sum(few), few), Burst(sum(many), many)


def run(stand: Stand) -> Report:
    """Fill two accounts; count, weigh and time each page of both in turn."""
    _require_all()
    size = filling.QUICK if stand.quick else filling.MANY
    rounds, seconds = (1, 0.2) if stand.quick else (5, 0.8)
    with stand.server(1) as port:
        sides = (_side(stand, port, FEW, filling.FEW), _side(stand, port, MANY, size))
        found = []
        for name, page in _pages():
            found.append(Found(page, _paths(name, page, sides)))
            _count(found[-1], sides)
        scales = Scales(sides[1].browsers[ADMIN])
        for one in found:
            _weigh(one, sides[1], scales)
        for _ in range(rounds):
            for one in found:
                _time(one, sides, seconds)
    return _report(found, size, rounds)


def _require_all() -> None:
    """A new page that nobody put into the table would go unmeasured."""
    names = {
        pattern.name
        for included in get_resolver("config.account_urls").url_patterns
        for pattern in getattr(included, "url_patterns", [included])
    }
    if missing := names - PAGES.keys() - NO_PAGES:
        raise Worthless(f"bench/addresses.py does not know {', '.join(sorted(missing))}.")
    if gone := (PAGES.keys() | NO_PAGES) - names:
        raise Worthless(f"there is no address named {', '.join(sorted(gone))} any more.")


def _pages() -> Iterator[tuple[str, Page]]:
    return ((name, page) for name, pages in PAGES.items() for page in pages)


def _side(stand: Stand, port: int, account_id: str, size: filling.Size) -> Side:
    schema, _ = stand.account(port, account_id)
    rows = stand.connect(schema)
    filling.fill(rows, account_id, size)
    for statement in _MORE:
        rows.execute(statement.replace("{imports}", str(size.views)).encode())
    account = tenancy.find(account_id)
    assert account is not None
    with tenancy.account(account):  # as the hourly job has left it half an hour ago
        days_count(until=timezone.now() - timedelta(minutes=30))
    browsers, clients = {}, {}
    for user_id in (ADMIN, USER):
        email = f"{user_id}@{account_id}.example.org"
        found = rows.execute("SELECT id FROM principals_user WHERE user_id = %s", [user_id])
        person = person_enroll(
            actor=Operator(),
            email=email,
            name=user_id.title(),
            password=PASSWORD,
            account=account,
            user=found.fetchall()[0][0],
        )
        browsers[user_id] = Browser(port)
        browsers[user_id].sign_in(email, PASSWORD)
        clients[user_id] = _client(person)
    return Side(browsers, clients, _places(rows, size))


def _client(person: Person) -> Client:
    client = Client(raise_request_exception=False, headers={"Host": "127.0.0.1"})
    client.force_login(person)
    return client


def _places(rows: Any, size: filling.Size) -> dict[str, str]:
    """What stands in the addresses of this account's pages."""
    found = rows.execute(
        "SELECT (current_date - 30)::text, (current_date - 3)::text,"
        " (SELECT key_id FROM principals_apikey WHERE revoked_at IS NULL ORDER BY id DESC LIMIT 1),"
        " (SELECT id::text FROM principals_auditevent WHERE action = 'key.created'"
        " ORDER BY created_at DESC LIMIT 1), c.id::text, h.id::text,"
        " (SELECT m.id::text FROM memory_memory m WHERE m.content LIKE '% (changed again)'),"
        " (SELECT run_id::text FROM memory_importreceipt LIMIT 1)"
        " FROM principals_contact c JOIN principals_contacthandle h ON h.contact_id = c.id"
        " JOIN principals_user u ON u.id = c.owner_id WHERE u.user_id = 'bob' ORDER BY c.id LIMIT 1"
    )
    names = (
        *("since", "until", "key", "event", "contact", "handle"),
        *("memory", "import"),
    )
    return dict(zip(names, found.fetchall()[0], strict=True)) | {
        "half": str(size.long // 2),
        "new": str(size.long - 3),
        "all": str(size.long),
    }


def _paths(name: str, page: Page, sides: tuple[Side, Side]) -> tuple[str, str]:
    """The page's address in each account."""
    few, many = (
        _address(name, page, account_id, side.places)
        for account_id, side in zip((FEW, MANY), sides, strict=True)
    )
    if page.older:
        link = _OLDER.search(sides[1].browsers[page.who].get(many, packed=False).text)
        if link is None:
            raise Worthless(f"{many} has no second page.")
        query = urlsplit(unescape(link.group(1))).query
        few, many = f"{few}?{query}", f"{many}?{query}"
    return few, many


def _address(name: str, page: Page, account_id: str, places: dict[str, str]) -> str:
    values = [one.format(**places) for one in page.path.split("/") if one]
    route = get_resolver("config.account_urls").reverse(name, *values)
    query = page.query.format(**places)
    return f"/a/{account_id}/{route}" + (f"?{query}" if query else "")


def _count(found: Found, sides: tuple[Side, Side]) -> None:
    """Statements of a visit, and of the first one, which may note that an admin reads."""
    few, many = zip(sides, found.paths, strict=True)
    _statements(found, *few)
    found.first_time = _statements(found, *many)
    found.statements = (_statements(found, *few), _statements(found, *many))


def _statements(found: Found, side: Side, path: str) -> int:
    sent: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        sent.append(sql)
        return execute(sql, *rest)

    with own_connection.execute_wrapper(note):
        headers = {"HX-Request": "true"} if found.page.part else {}
        answer = side.clients[found.page.who].get(path, headers=headers)
        if answer.status_code != 200:
            raise Worthless(f"{path} was answered with {answer.status_code}.")
        b"".join(answer)  # a file that is streamed asks while it is sent
    return len(sent)


def _weigh(found: Found, side: Side, scales: Scales) -> None:
    browser, path = side.browsers[found.page.who], found.paths[1]
    whole = _checked(browser.get(path), path)
    part = _checked(browser.get(path, fragment=True), path)
    files = scales.weigh(browser.get(path, packed=False).text)
    found.load = (len(whole.body) + files) / KILOBYTE
    found.fragment = len(part.body) / KILOBYTE
    found.as_it_is = not part.encoding
    found.packed = len(gzip.compress(part.body) if found.as_it_is else part.body) / KILOBYTE


def _time(found: Found, sides: tuple[Side, Side], seconds: float) -> None:
    """The two accounts in turn, so that noise hits both."""
    until = time.perf_counter() + seconds
    while not found.seconds[1] or time.perf_counter() < until:
        for side, path, taken in zip(sides, found.paths, found.seconds, strict=True):
            browser = side.browsers[found.page.who]
            answer = _checked(browser.get(path, fragment=found.page.part), path)
            taken.append(answer.seconds)


def _checked(answer: Answer, path: str) -> Answer:
    if answer.status != 200:
        raise Worthless(f"{path} was answered with {answer.status}.")
    return answer


_COLUMNS = [
    "page", "SQL", "many", "p50", "p95", "p50 many", "p95 many", "÷", "load", "part", "gzip",
]  # fmt: skip


def _report(found: list[Found], size: filling.Size, rounds: int) -> Report:
    sizes = {"rounds": rounds, "messages": size.messages, "sessions": size.sessions}
    sizes |= {"users": size.users, "agents": size.agents, "keys": size.keys}
    sizes |= {"events": size.events, "tasks": size.tasks}
    report = Report("pages: each page of the dashboard", _COLUMNS, sizes)
    for one in found:
        few, many = one.bursts
        report.rows.append([
            one.page.words, *one.statements,
            few.percentile(50), few.percentile(95), many.percentile(50), many.percentile(95),
            one.growth, None if one.page.part or one.page.plain else one.load,
            *([None] * 2 if one.page.plain else [one.fragment, one.packed]),
        ])  # fmt: skip
    pages = [one for one in found if not one.page.plain]
    grown = max(pages, key=lambda one: abs(one.grown))
    slowest = max(pages, key=lambda one: one.growth)
    heaviest = max(pages, key=lambda one: 0 if one.page.part else one.load)
    largest = max(pages, key=lambda one: one.fragment)
    words = "statements more or fewer than in the small account, the most: "
    report.bars += [
        Bar(words + grown.page.words, abs(grown.grown), 0),
        Bar(f"p95 ÷ p95 of the small account, the most: {slowest.page.words}",
            slowest.growth, MAX_GROWTH),
        Bar(f"kB of a first load, the most: {heaviest.page.words}", heaviest.load, MAX_LOAD),
        Bar(f"kB of a fragment, the most: {largest.page.words}", largest.fragment, MAX_FRAGMENT),
    ]  # fmt: skip
    report.notes += list(_notes(pages))
    return report


def _notes(found: list[Found]) -> Iterator[str]:
    for words, missed in (
        ("More statements", [one for one in found if one.grown > 0]),
        ("Fewer statements", [one for one in found if one.grown < 0]),
        ("Slower than the bar", [one for one in found if one.growth > MAX_GROWTH]),
    ):
        if missed:
            yield f"{words}: {', '.join(one.page.words for one in missed)}."
    if any(one.as_it_is for one in found):
        yield "The server sends HTML as it is; `gzip` is what gzip would make of a part."
    first = max(found, key=lambda one: one.first_time - one.statements[1])
    more = first.first_time - first.statements[1]
    yield f"The first visit in an hour sends up to {shown(more)} more ({first.page.words})."
