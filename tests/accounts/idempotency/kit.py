"""What the tests of Idempotency-Key share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts import tenancy
from accounts.principals.models import IdempotencyRecord


def keyed(headers, key):
    return {**headers, "Idempotency-Key": key}


def records(account):
    with tenancy.account(account):
        return IdempotencyRecord.objects.count()


def new_contact(api, headers, found):
    """A contact's id; its handle's id goes to what was found."""
    handle = {"platform": "web", "platform_id": f"canary-{len(found)}"}
    made = api.post("/contacts", headers, {"display_name": "canary-dana", "handles": [handle]})
    found["handle_id"] = made.result["handles"][0]["id"]
    return made.result["id"]


def new_memory(api, headers, agent_id):
    """The id of a memory of whoever sends these headers, with that agent."""
    body = {"content": "canary-words", "topic_key": "canary-topic"}
    headers = {**headers, "X-Bailiwick-Agent": agent_id}
    return api.post("/memories", headers, body).result["id"]


@dataclass(frozen=True)
class Clock:
    """Stands for django's timezone module."""

    at: Any

    def now(self):
        return self.at
