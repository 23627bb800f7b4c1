"""Days counted by several workers at the same moment, while messages come in."""

from __future__ import annotations

import time

import pytest

from tests.live import at_once, result

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]
MESSAGES, WORKERS, ROUNDS = 30, 4, 20
# Each worker counts again and again from one agreed moment on.
COUNT = """
import time
from datetime import timedelta
from django.utils import timezone
from accounts import tenancy
from sessions_app.services import days_count
with tenancy.account(tenancy.find({account!r})):
    time.sleep(max(0, {start} - time.time()))
    for _ in range({rounds}):
        days_count(until=timezone.now() - timedelta(seconds=1))
"""
COUNTED = "SELECT sum(messages)::int AS messages, sum(sessions)::int AS sessions FROM {}"


def test_workers_that_count_at_once_count_everything_once(server):
    account_id, headers = server.account()
    with server.client(headers) as client:
        for number in range(MESSAGES):
            said = {"role": "user", "content": f"Line {number}"}
            result(client.post(f"/sessions/s{number % 3}/messages", json=said))
    start = time.time() + 8  # all of them are up by then, and what was said is old enough
    words = COUNT.format(account=account_id, start=start, rounds=ROUNDS)
    done = at_once(lambda _: server.manage("shell", "-v", "0", "-c", words), WORKERS)
    assert [one.returncode for one in done] == [0] * WORKERS, done[0].stderr
    (found,) = server.rows(COUNTED.format("agent_sessions_daycount"), account_id)
    assert found == {"messages": MESSAGES, "sessions": 3}
