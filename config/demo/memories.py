"""Memories of the demo account: what its agents kept, and what became of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts.actor import Role, Scope
from accounts.principals import authentication
from accounts.principals.services import agent_update
from memory.services import Note, consent_set, memory_delete, memory_quarantine, memory_remember
from sessions_app.selectors import message_page, session_detail

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.tenancy import AccountRef

MEMORIES = Path(__file__).with_name("memories.json")
NOTED = ("kind", "topic_key", "summary", "content", "scope", "salience", "topics", "source")


def load_memories(account: AccountRef, chats: Mapping[str, str]) -> None:
    """Keep everything through the services, inside the account, whose conversations are there.

    Each agent uses structured memory until all is kept; then the switches stand as the file says,
    so that what a closed one hides can be looked at. One contact takes its consent back.

    Args:
        chats: the sessions of contacts, by their titles.
    """
    data = json.loads(MEMORIES.read_text(encoding="utf-8"))
    book = _Book(account, data["admin"], chats)
    for agent_id in data["agents"]:
        agent_update(actor=book.admin, agent_id=agent_id, memory_system="structured")
    for title in data["consents"]:
        book.consent(title, "granted")
    for row in data["memories"]:
        book.remember(row)
    for name in data["quarantined"]:
        memory_quarantine(actor=book.admin, memory_id=book.kept[name])
    for row in data["deleted"]:
        memory_delete(actor=book.writer(row), memory_id=book.kept[row["name"]])
    for title in data["withdrawn"]:
        book.consent(title, "withdrawn")
    for agent_id, memory_system in data["agents"].items():
        agent_update(actor=book.admin, agent_id=agent_id, memory_system=memory_system)


@dataclass(slots=True)
class _Book:
    """Who keeps what, while it is loaded."""

    account: AccountRef
    admin_id: str
    chats: Mapping[str, str]
    kept: dict[str, UUID] = field(default_factory=dict)  # those that have a name in the file

    @property
    def admin(self) -> Actor:
        return self._as_admin("default")

    def writer(self, row: Mapping[str, Any]) -> Actor:
        """A person with their agent; the channel's gateway for contacts, an admin for agents."""
        if row.get("scope") == "agent":
            return self._as_admin(row["agent"])
        actor = authentication.actor_within(self.account, row["as"], row["agent"])
        return replace(actor, scopes=actor.scopes | {Scope.GATEWAY}) if "chat" in row else actor

    def remember(self, row: Mapping[str, Any]) -> None:
        session_id: str = self.chats[row["chat"]] if "chat" in row else row.get("session", "")
        days = row.get("expires_in_days")
        note = Note(
            **{name: row[name] for name in NOTED if name in row},
            contact_id=str(self._contact(row["chat"])) if "chat" in row else None,
            session_id=session_id or None,
            expires_at=timezone.now() + timedelta(days=days) if days else None,
            supersedes=[self.kept[name] for name in row.get("supersedes", ())],
            evidence=[self._message(session_id, words) for words in row.get("heard", ())],
        )
        writer = self.writer(row)
        # Our own words hold no secrets; compiling what secrets look like would delay a first start.
        settings = {**writer.settings, "secret_policy": "off"}
        made = memory_remember(actor=replace(writer, settings=settings), note=note)
        if "name" in row:
            self.kept[row["name"]] = made.memory.pk

    def consent(self, title: str, state: str) -> None:
        consent_set(
            actor=self.admin, contact_id=self._contact(title), state=state, channel="telegram"
        )

    def _as_admin(self, agent_id: str) -> Actor:
        actor = authentication.actor_within(self.account, self.admin_id, agent_id)
        return replace(actor, role=Role.ADMIN, scopes=frozenset(Scope))

    def _contact(self, title: str) -> UUID:
        detail = session_detail(actor=self.admin, session_id=self.chats[title])
        assert detail.session.contact is not None  # the chats are those of contacts
        return detail.session.contact.root

    def _message(self, session_id: str, words: str) -> str:
        """The id of the first message with these words."""
        rows = message_page(actor=self.admin, session_id=session_id, limit=200, after_seq=0).rows
        return next(row.message_id for row in rows if words in row.text)
