"""What the tables of routes need of memories: gates that are open, and something that is kept."""

from __future__ import annotations

from accounts import tenancy
from accounts.models import Account
from tests.memory.kit import agent_row

TOPIC = "train/seat"  # a path of its own


def open_gates(*accounts):
    """The agents `default` and `ada` keep memories, also of contacts that said nothing."""
    for account in accounts:
        with tenancy.account(account):
            for agent_id in ("default", "ada"):
                agent_row(agent_id, "structured")
        Account.objects.filter(pk=account.id).update(settings={"contact_consent": "opt_out"})


def furnish_memory(api, account, headers):
    """A memory of whoever sends these headers, and one with the agent ada; what the places of paths
    stand for. Bob is meant, or a contact of his."""
    open_gates(account)
    said = {"content": "Prefers an aisle seat.", "topic_key": TOPIC}
    ids = []
    for agent in ("default", "ada"):
        answer = api.post("/memories", {**headers, "X-Bailiwick-Agent": agent}, said)
        assert answer.status == 200, answer.body
        ids.append(answer.result["id"])
    return {"memory_id": ids[0], "user_id": "bob", "agent_id": "ada", "topic": TOPIC}
