"""A chat channel's turn, one call each, of senders who are known: against the append's floor."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import count
from statistics import median
from typing import Any

import psycopg
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.load import drive, once, request
from bench.report import Bar, Report, Worthless
from bench.rounds import CHARACTERS, COLUMNS, Work, measure, row_of, said, verify
from bench.stand import Stand

MIN_RATIO = 0.15  # of the floor's rate at 8 clients with one process
AGENT = "counter"
# An answer holds the session's messages, so many senders keep it as short as a chat's turn is.
SENDERS, FEW_SENDERS = 1_000, 200
PLACE = "#" * 12  # of the number that makes a turn's external_id its own
FRAME = re.compile(r"BEGIN|COMMIT|SAVEPOINT|RELEASE|SET ", re.IGNORECASE)


def run(stand: Stand) -> Report:
    """Interleave floor, no-op and inbound in rounds, and take medians."""
    senders = FEW_SENDERS if stand.quick else SENDERS
    measured = measure(stand, _prepare)
    work = measured.work
    answers = work.acknowledged.results()
    told = {
        row_of(got["message"]["message_id"]): (got["session"]["session_id"], got["message"]["seq"])
        for got in answers
    }
    database = stand.connect(work.schema)
    kept = verify(database, work, told)
    _verify_senders(database, senders)
    sizes = {"rounds": measured.count, "senders": senders, "characters": CHARACTERS}
    report = Report("inbound: a turn of a known sender", COLUMNS, sizes)
    measured.fill(report)
    ratio = measured.floor_ratio(1, 8)
    report.bars += [
        Bar("of the floor's rate, 8 clients, one process", ratio, MIN_RATIO, at_least=True),
        measured.tail_bar(),
    ]
    contexts = [len(got["context"]["messages"]) for got in answers]
    report.notes.append(
        f"Every one of {len(told):,} acknowledged turns is there once, in its sender's only "
        f"session; seq is contiguous ({kept:,} messages with the floor's)."
    )
    report.notes.append(
        f"Messages in the context of an answer: {median(contexts):.0f} in the middle, "
        f"{max(contexts)} at most."
    )
    report.notes.append(_statements(work.requests))
    return report


def _prepare(stand: Stand, port: int) -> Work:
    """An account, a gateway's key, and senders who have each written once."""
    senders = FEW_SENDERS if stand.quick else SENDERS
    schema, key = stand.account(port, "bench")
    made = once(
        port,
        "POST",
        "/admin/accounts/bench/keys",
        stand.root_key,
        {"user_id": "bob", "name": "gateway", "scopes": ["gateway"], "agents": [AGENT]},
    )
    work = Work("inbound", key, schema, _turns(made["user_key"], senders))
    first = (next(work.requests) for _ in range(senders))
    drive(port, first, clients=8, seconds=120, answers=work.acknowledged)
    return work


def _turns(key: str, senders: int) -> Iterator[bytes]:
    """Turns without an end, the senders in one shuffled order, again and again.

    All but the number is made beforehand, since the load shares the cores.
    """
    chance = random.Random(7)
    ids = list(range(senders))
    chance.shuffle(ids)
    turns = [_halves(key, number, said(chance)) for number in ids]
    for number in count():
        before, after = turns[number % senders]
        yield before + b"%012d" % number + after


def _halves(key: str, sender: int, text: str) -> tuple[bytes, bytes]:
    body = {
        "platform": "telegram",
        "sender": {"id": str(5_000_000 + sender), "name": f"Sender {sender}"},
        "agent_id": AGENT,
        "text": text,
        "external_id": PLACE,
    }
    before, _, after = request("POST", "/inbound", key, body).partition(PLACE.encode())
    return before, after


def _verify_senders(database: psycopg.Connection[Any], senders: int) -> None:
    """Raise Worthless unless each sender has one contact and one session, with its turns alone."""
    found = database.execute(
        "SELECT (SELECT count(*) FROM principals_contact),"
        " (SELECT count(*) FROM agent_sessions_session WHERE contact_id IS NOT NULL),"
        " (SELECT count(*) FROM agent_sessions_message m"
        "  JOIN agent_sessions_session s ON s.id = m.session_id"
        "  LEFT JOIN principals_contacthandle h ON h.contact_id = s.contact_id"
        "  WHERE m.external_id IS NOT NULL AND (m.contact_id IS DISTINCT FROM s.contact_id"
        "   OR h.id IS NULL OR position(':' || h.platform_id || ':' IN m.external_id) = 0))"
    ).fetchall()[0]
    if found != (senders, senders, 0):
        raise Worthless(
            f"{senders} senders have {found[0]} contacts and {found[1]} sessions; {found[2]} turns "
            "are not where their sender is."
        )


def _statements(turns: Iterator[bytes]) -> str:
    """What one turn sends to the database, counted in this process."""
    sent: list[str] = []
    for _ in range(2):  # the first finds the account, and notes that the key is used
        head, _, body = next(turns).partition(b"\r\n\r\n")
        key = re.search(rb"X-API-Key: (\S+)", head)
        assert key is not None  # every request names one
        web = Client(headers={"x-api-key": key[1].decode(), "host": "localhost"})
        with CaptureQueriesContext(connection) as captured:
            answer = web.post("/api/v1/inbound", body, content_type="application/json")
        if answer.status_code != 200:
            raise Worthless(f"the counted turn was not 200: {answer.content[:200]!r}")
        sent = [query["sql"] for query in captured.captured_queries]
    framing = sum(bool(FRAME.match(one)) for one in sent)
    return (
        f"Statements of a call: {len(sent) - framing}, and {framing} that begin and end its "
        "transaction; SET search_path is not among them."
    )
