"""What stands in the places of the pages' addresses: one thing of each kind, in the account north.

A page with a new place in its address adds it here, and a line to PAGES in page_table.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from accounts import tenancy
from accounts.models import Person
from accounts.principals.models import ApiKey, AuditEvent, ContactHandle
from memory.models import Import
from sessions_app.models import Task
from tests.accounts.kit import make_contact
from tests.memory.kit import keep


def make_import() -> Import:
    """One that brought nothing in; inside the account."""
    return Import.objects.create(format="jsonl", source="talks.zip", state=Import.State.COMPLETED)


@pytest.fixture
def places(api: Any, cast: Any) -> dict[str, str]:
    """The session `theirs` of bob with a committed archive; ids of what belongs to it."""
    assert api.say(cast.bob.headers, "theirs").status == 200
    assert api.post("/sessions/theirs/commit", cast.bob.headers).status == 200
    contact = make_contact(cast.north, "telegram", "4711", owner="bob")
    with tenancy.account(cast.north):
        key = ApiKey.objects.get(user__user_id="bob")
        return {
            "session_id": "theirs",
            "seq": "1",
            "user_id": "bob",
            "agent_id": "default",
            "key_id": key.key_id,
            "memory_id": str(keep(user="bob").pk),
            "contact_id": str(contact),
            "handle_id": str(ContactHandle.objects.get(contact=contact).pk),
            "invitation": "01890000-0000-7000-8000-000000000000",
            "import_id": str(make_import().pk),
            "task_id": str(Task.objects.get().pk),
            # Links that open nothing; the others are in tests/accounts.
            "token": "garbage",
            "uidb36": "0" * 32,
            "key": "garbage",
            "person": str(Person.objects.get(email="alice@north.example").pk),
            "event_id": str(AuditEvent.objects.earliest("id").pk),
        }
