"""What stands in the places of the pages' addresses: one thing of each kind, in the account north.

A page with a new place in its address adds it here, and a line to PAGES in route_table.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from accounts import tenancy
from accounts.principals.models import ApiKey, AuditEvent
from sessions_app.models import Task


@pytest.fixture
def places(api: Any, cast: Any) -> dict[str, str]:
    """The session `theirs` of bob with a committed archive; ids of what belongs to it."""
    assert api.say(cast.bob.headers, "theirs").status == 200
    assert api.post("/sessions/theirs/commit", cast.bob.headers).status == 200
    with tenancy.account(cast.north):
        key = ApiKey.objects.get(user__user_id="bob")
        return {
            "session_id": "theirs",
            "seq": "1",
            "user_id": "bob",
            "agent_id": "default",
            "key_id": key.key_id,
            "task_id": str(Task.objects.get().pk),
            "event_id": str(AuditEvent.objects.earliest("id").pk),
        }
