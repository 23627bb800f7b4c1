"""A chat channel in front of the API: what tests of contacts and of the gateway share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from accounts.actor import Operator
from accounts.principals.services import key_create, user_create
from tests.accounts.kit import contact_header
from tests.cast import Answer, Api
from tests.rows import row_counts

GATEWAY = ("read", "write", "gateway")


def gateway_headers(account: Any, scopes: Any = GATEWAY, user_id: str = "gate") -> dict[str, str]:
    """A new user with one key of these scopes."""
    user_create(actor=Operator(), account=account, user_id=user_id)
    made = key_create(
        actor=Operator(), account=account, user_id=user_id, name="channel", scopes=list(scopes)
    )
    return {"X-API-Key": made[1]}


@dataclass
class Channel:
    """Sends turns of Telegram's in senders' names. More of the body's fields go by their names."""

    api: Api
    headers: dict[str, str]
    agent: str = "quinn"
    extra: dict[str, Any] = field(default_factory=dict)

    def turn(self, sender: str = "dana", text: str = "Hello", /, **more: Any) -> Answer:
        """Send one turn. `group`: the group that it was said in."""
        body: dict[str, Any] = {
            "platform": "telegram",
            "sender": {"id": sender},
            "agent_id": self.agent,
            "text": text,
        }
        group = more.pop("group", None)
        if group is not None:
            body["chat"] = {"id": group, "kind": "group"}
        return self.api.post("/inbound", self.headers, {**body, **self.extra, **more})

    def say(self, sender: str = "dana", text: str = "Hello", /, **more: Any) -> Any:
        """Send one turn that is taken; the result."""
        answer = self.turn(sender, text, **more)
        assert answer.status == 200, answer.body
        return answer.result

    def contact(self, sender: str = "dana", /, **more: Any) -> str:
        """The id of a sender's contact, who has written then."""
        return str(self.say(sender, **more)["sender"]["contact_id"])

    def session(self, sender: str = "dana", /, **more: Any) -> str:
        """The session that a turn of the sender's went to."""
        return str(self.say(sender, **more)["session"]["session_id"])

    def as_contact(self, contact: Any) -> dict[str, str]:
        """The channel's key, narrowed to a contact by header."""
        return contact_header(self.headers, contact)

    def listed(self, headers: dict[str, str], **query: Any) -> set[str]:
        """Ids of the sessions that these headers list."""
        found = self.api.get("/sessions", headers, limit=200, **query)
        return {row["session_id"] for row in found.result}

    def words(self, session_id: str, headers: dict[str, str]) -> list[str]:
        """What was said in a session, in order."""
        found = self.api.get(f"/sessions/{session_id}/messages", headers, limit=200)
        return [row["parts"][0]["text"] for row in found.result]


@dataclass
class Unchanged:
    """with Unchanged(account): nothing in it, nor in public, is more or less afterwards."""

    account: Any
    but: tuple[str, ...] = ()

    def _counts(self) -> dict[str, int]:
        counts = row_counts(self.account)
        return {name: n for name, n in counts.items() if not name.endswith(self.but or ("\0",))}

    def __enter__(self) -> None:
        self.before = self._counts()

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            assert self._counts() == self.before
