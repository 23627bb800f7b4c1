"""Who calls in the tests of routes, and what they find there."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import tenancy
from accounts.actor import Operator
from accounts.principals.models import Agent
from accounts.principals.services import key_create, user_create
from tests.accounts.kit import contact_header, make_contact, peer_header
from tests.sessions_app.work import fail_archive, run_queued

GATEWAY = ["read", "write", "gateway"]


def furnish(api: Any, account: Any, headers: dict[str, str], path: str) -> dict[str, str]:
    """The session `theirs`, with what the route needs in it; what the path's places stand for."""
    assert api.say(headers, "theirs").status == 200
    places = {"session_id": "theirs", "archive_id": "archive_001", "agent_id": "spare", "seq": "1"}
    if "{archive_id}" in path or "{task_id}" in path:
        committed = api.post("/sessions/theirs/commit", headers)
        places["task_id"] = committed.result["task_id"]
        if path.endswith("{archive_id}"):
            assert run_queued() == 1
        elif "{archive_id}" in path:
            fail_archive(account, "theirs")
    with tenancy.account(account):
        Agent.objects.create(agent_id="spare")
    return places


@pytest.fixture
def a_key(cast):
    """a_key("bob", scopes=…) → headers of one more key of that user."""

    def make(user_id: str, **fields: Any) -> dict[str, str]:
        made = key_create(
            actor=Operator(), account=cast.north, user_id=user_id, name="second", **fields
        )
        return {"X-API-Key": made[1]}

    return make


@pytest.fixture
def kinds():
    """What A is, and what its kin is; a test may ask for another pair."""
    return ("external", "group")


@pytest.fixture
def callers(api, cast, a_key, kinds):
    """What each caller sends, about a session with Bob's contact A."""
    mine, other, kin = (
        make_contact(cast.north, "telegram", name, owner="bob", kind=kind)
        for name, kind in zip("abk", (kinds[0], "external", kinds[1]), strict=True)
    )
    user_create(actor=Operator(), account=cast.north, user_id="gate")
    gateway, beth = a_key("gate", scopes=GATEWAY), cast.beth.headers
    return {
        "A": contact_header(gateway, mine),
        "B": contact_header(gateway, other),
        "new": peer_header(cast.bob.headers, "never-wrote"),
        "owner": cast.bob.headers,
        "bound": a_key("bob", agents=["ada"]),
        "user": beth,
        "user/A": contact_header(beth, mine),
        "gateway": gateway,
        "admin": cast.alice.headers,
        "admin/A": contact_header(cast.alice.headers, mine),
        "admin/B": contact_header(cast.alice.headers, other),
        "admin+": cast.alice_as("beth"),
        "root+": cast.root_as("bob"),
        "root+/B": contact_header(cast.root_as("bob"), other),
        "A+beth": {**contact_header(gateway, mine), "X-Bailiwick-User": "beth"},
        "kin": contact_header(gateway, kin),
    }
