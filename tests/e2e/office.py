"""An account with something to look at, made through the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.live import Person, Server, result

PAGE = 50  # rows of a list, messages of a timeline
SESSIONS = 65
BY_MAX = 3  # sessions of the agent max; all others are ada's
MESSAGES = 120  # in the long session
LONG_TEXT = " ".join(f"word{number}" for number in range(2_000)) + " the-very-end"


@dataclass(frozen=True)
class Office:
    """The account, and one browser's cookies of its admin."""

    person: Person
    cookies: dict[str, str]

    @property
    def home(self) -> str:
        return self.person.home


def furnish(server: Server) -> Office:
    """65 sessions, an hour apart: session-01 is the oldest, then plan-65 with 120 messages."""
    person = server.person()
    for user_id in ("bob", "carol"):
        server.user(person.account_id, user_id)
    begin = datetime.now(UTC) - timedelta(days=30)
    with server.client(person.headers) as client:

        def say(session_id: str, at: datetime, agent: str = "ada", **message: object) -> None:
            body = {"role": "user", "created_at": at.isoformat(), **message}
            headers = {"X-Bailiwick-Agent": agent}
            result(client.post(f"/sessions/{session_id}/messages", json=body, headers=headers))

        for number in range(1, SESSIONS):
            at = begin + timedelta(hours=number)
            agent = "max" if number <= BY_MAX else "ada"
            session = {"session_id": f"session-{number:02}", "title": f"Errand {number:02}"}
            result(client.post("/sessions", json=session, headers={"X-Bailiwick-Agent": agent}))
            words = "Where is the heliotrope?" if number == 2 else f"Errand number {number}"
            say(session["session_id"], at, agent, content=words)

        at = datetime.now(UTC) - timedelta(minutes=MESSAGES + 2)
        result(client.post("/sessions", json={"session_id": "plan", "title": "The long plan"}))
        for number in range(1, MESSAGES):
            role = "user" if number % 2 else "assistant"
            say("plan", at + timedelta(minutes=number), role=role, content=f"Line {number}")
        say(
            "plan",
            at + timedelta(minutes=MESSAGES),
            role="assistant",
            parts=[
                {"type": "text", "text": LONG_TEXT},
                {
                    "type": "tool",
                    "tool_name": "timetable.search",
                    "tool_input": {"from": "here"},
                    "tool_output": "[]",
                    "tool_status": "completed",
                    "duration_ms": 412,
                },
            ],
        )
    return Office(person, server.sign_in(person))
