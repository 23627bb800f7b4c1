"""What is hidden is refused in the words of what is absent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.accounts.kit import furnish_contact
from tests.callers import furnish
from tests.memory.routes import furnish_memory
from tests.route_table import BODIES, body_of, routes

HIDDEN = [
    (method, path)
    for method, path, pattern, _ in routes()
    if pattern in {"session", "session_by_admin"} and path.startswith("/sessions/")
]


@pytest.mark.parametrize(("method", "path"), HIDDEN, ids=" ".join)
def test_hidden_and_absent_sessions_are_refused_alike(method, path, api, cast, callers):
    furnish(api, cast.north, callers["A"], path)

    def refusal(session_id: str, caller: str) -> Any:
        at = path.format(session_id=session_id, archive_id="archive_001")
        answer = api(method, at, callers[caller], BODIES.get(f"{method} {path}"))
        assert answer.status == 404, answer.body
        return str(answer.body["error"]).replace(session_id, "…")

    for caller in ("B", "new", "user", "admin/B"):
        assert refusal("theirs", caller) == refusal("absent", caller)


HIDDEN_CONTACTS = [
    (method, path) for method, path, *_ in routes() if path.startswith("/contacts/{contact_id}")
]


@pytest.mark.parametrize(("method", "path"), HIDDEN_CONTACTS, ids=" ".join)
def test_hidden_and_absent_contacts_are_refused_alike(method, path, api, cast, callers):
    places = furnish_contact(cast.north, callers["A"]["X-Bailiwick-Contact"], path)
    absent = "019f7b9c-1234-7abc-8def-0123456789ab"

    def refusal(contact_id: str, caller: str) -> Any:
        at = path.format(**{**places, "contact_id": contact_id})
        answer = api(method, at, callers[caller], body_of(f"{method} {path}", places))
        assert answer.status in (403, 404), answer.body
        return str(answer.body["error"]).replace(contact_id, "…")

    for caller in ("B", "new", "user", "gateway", "admin/B", "admin+", "kin"):
        assert refusal(places["contact_id"], caller) == refusal(absent, caller)


HIDDEN_MEMORIES = [
    (method, path) for method, path, *_ in routes() if path.startswith("/memories/{memory_id}")
]


@pytest.mark.parametrize(("method", "path"), HIDDEN_MEMORIES, ids=" ".join)
def test_hidden_and_absent_memories_are_refused_alike(method, path, api, cast, callers):
    hidden = furnish_memory(api, cast.north, callers["A"])["memory_id"]
    absent = "019f7b9c-1234-7abc-8def-0123456789ab"

    def refusal(memory_id: str, caller: str) -> Any:
        body = BODIES.get(f"{method} {path}")
        answer = api(method, path.format(memory_id=memory_id), callers[caller], body)
        assert answer.status in (403, 404), answer.body
        assert answer.status == 404 or path.endswith(("quarantine", "release"))
        return str(answer.body["error"]).replace(memory_id, "…")

    for caller in ("B", "new", "user", "gateway", "admin/B", "admin+", "kin"):
        assert refusal(hidden, caller) == refusal(absent, caller)
