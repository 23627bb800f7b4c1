"""examples/gateway.py from the outside: the sample against a running server."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.live import BASE, result

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

SAMPLE = str(BASE / "examples" / "telegram_updates.jsonl")
MESSAGES = """
    SELECT s.session_id, c.display_name AS contact, k.display_name AS speaker, m.text
    FROM agent_sessions_message m
    JOIN agent_sessions_session s ON s.id = m.session_id
    LEFT JOIN principals_contact c ON c.id = s.contact_id
    LEFT JOIN principals_contact k ON k.id = m.contact_id
    ORDER BY m.created_at
"""


def run(server, *arguments, lines=None):
    return subprocess.run(
        [sys.executable, str(BASE / "examples" / "gateway.py"), *arguments, "--url", server.url],
        env={**server.environment, "BAILIWICK_KEY": "", "NO_PROXY": "127.0.0.1"},
        input=lines,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def turns(output):
    """What was printed for each update, by the first words of its line."""
    return re.split(r"\n\n(?=\d{5}  )", output.strip())


def test_the_sample_keeps_strangers_of_one_name_and_their_group_apart(server):
    account_id, alice = server.account()
    done = run(server, SAMPLE, "--admin-key", alice["X-API-Key"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(
        "Turns: 9, delivered before: 1, channel commands: 1. Updates passed over: 1.\n"
    )
    shown = turns(done.stdout)
    assert "delivered before: kept once" in shown[4]
    assert "reply    This code is not valid." in shown[7]

    # What the agent gets for the last turn, of the first Ana: her own words and nothing else.
    last = shown[9]
    assert "garlic sets" in last
    assert not re.search("fig tree|order number|compost", last)

    rows = server.rows(MESSAGES, account_id)
    assert len(rows) == 7
    by_session = {}
    for row in rows:
        by_session.setdefault(row["session_id"], []).append(row)
    kept = sorted(
        (found[0]["contact"], sorted({row["speaker"] for row in found}), len(found))
        for found in by_session.values()
    )
    assert kept == [
        ("Allotment 14", ["Ana", "Ben Okoro"], 2),
        ("Ana", ["Ana"], 2),
        ("Ana", ["Ana"], 2),
        ("Hollis", ["Hollis"], 1),
    ]
    # Who sends a code that is none is made nobody by it; the turn after it makes the contact.
    keys = server.rows("SELECT scopes, revoked_at FROM principals_apikey", account_id)
    made = [row for row in keys if row["scopes"] == ["gateway"]]
    assert len(made) == 1
    assert made[0]["revoked_at"] is not None

    again = run(server, SAMPLE, "--root-key", server.root["X-API-Key"], "--account", account_id)
    assert again.returncode == 0, again.stderr
    assert server.rows(MESSAGES, account_id) == rows


def test_a_code_makes_the_sender_the_user_whose_code_it_is(server):
    account_id, alice = server.account()
    with server.client(alice) as client:
        code = result(client.post("/handles/code", json={}))["code"]
    done = run(server, SAMPLE, "--admin-key", alice["X-API-Key"], "--code", code)
    assert done.returncode == 0, done.stderr
    assert code not in done.stdout
    assert "Linked: you are alice from now on." in done.stdout
    last_of_hollis = turns(done.stdout)[8]
    assert "user on telegram, the user alice" in last_of_hollis
    assert "contact  none" in last_of_hollis
    asked = [row for row in server.rows(MESSAGES, account_id) if "answer today" in row["text"]]
    assert [(row["contact"], row["speaker"]) for row in asked] == [(None, None)]


def test_it_reads_standard_input_with_a_key_of_its_own_and_says_what_is_wrong(server):
    account_id, alice = server.account()
    with server.client(alice) as client:
        keys = f"/admin/accounts/{account_id}/keys"
        body = {"user_id": "alice", "name": "gateway", "scopes": ["gateway"]}
        key = result(client.post(keys, json=body))["user_key"]
        plain = result(client.post(keys, json={**body, "name": "plain", "scopes": ["write"]}))
    with open(SAMPLE, encoding="utf-8") as lines:  # noqa: PTH123 - a path for the program too
        first = lines.readline()

    done = run(server, "-", "--key", key, lines=first)
    assert done.returncode == 0, done.stderr
    assert "garlic sets" in done.stdout
    refused = run(server, "-", "--key", plain["user_key"], lines=first)
    assert refused.returncode == 1
    assert refused.stderr.startswith("gateway: POST /inbound → 403")
    # The agent default is there from the start, and keeps nobody apart.
    shared = run(server, "-", "--key", key, "--agent", "default", lines=first)
    assert shared.returncode == 1
    assert "session_scope" in shared.stderr
    assert len(server.rows(MESSAGES, account_id)) == 1
