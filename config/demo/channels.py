"""Contacts of the demo account: what reached its agent iris through chat channels."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts.actor import Role, Scope
from accounts.principals import authentication
from accounts.principals.services import (
    Sender,
    checked_sender,
    contact_merge,
    contact_resolve,
    contact_update,
)
from sessions_app.services import (
    MessageInput,
    Turn,
    inbound_receive,
    message_append,
    session_update,
)

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.tenancy import AccountRef

CHANNELS = Path(__file__).with_name("channels.json")


def load_channels(account: AccountRef, admin_id: str) -> dict[str, str]:
    """Take every turn in as a gateway's key would, inside the account; then note and merge as its
    admin would.

    Returns:
        The ids of the sessions, by their titles.
    """
    data = json.loads(CHANNELS.read_text(encoding="utf-8"))
    someone = authentication.actor_within(account, admin_id, data["agent"])
    gateway = replace(someone, scopes=someone.scopes | {Scope.GATEWAY})
    made = {chat["title"]: _load_chat(gateway, data["agent"], chat) for chat in data["chats"]}
    admin = replace(someone, role=Role.ADMIN, scopes=frozenset(Scope))
    noted = data["notes"]
    changes = {name: noted[name] for name in ("aliases", "tags", "notes")}
    contact_update(actor=admin, contact_id=_contact(admin, noted), changes=changes)
    one = data["merge"]
    contact_merge(actor=admin, contact_id=_contact(admin, one), into=_contact(admin, one["into"]))
    return made


def _load_chat(gateway: Actor, agent_id: str, chat: dict[str, Any]) -> str:
    at = timezone.now() - timedelta(minutes=chat["ends_minutes_ago"])
    at -= timedelta(minutes=sum(turn["gap"] for turn in chat["turns"]))
    group = _sender(chat, chat["group"], kind="group") if "group" in chat else None
    narrowed, session_id = gateway, ""
    for turn in chat["turns"]:
        at += timedelta(minutes=turn["gap"])
        if turn["from"] == agent_id:
            _answer(narrowed, session_id, turn["text"], at)
            continue
        received = inbound_receive(
            actor=gateway,
            turn=Turn(
                sender=_sender(chat, chat["people"][turn["from"]]),
                agent_id=agent_id,
                text=turn["text"],
                chat=group,
                is_group=group is not None,
                sent_at=at,
            ),
        )
        assert received.session is not None  # no turn of ours is a command
        narrowed, session_id = received.actor, received.session.session_id
    session_update(actor=narrowed, session_id=session_id, title=chat["title"])
    return session_id


def _answer(actor: Actor, session_id: str, text: str, at: datetime) -> None:
    message = MessageInput(role="assistant", content=text, created_at=at)
    message_append(actor=actor, session_id=session_id, message=message)


def _sender(chat: dict[str, Any], who: dict[str, str], kind: str = "external") -> Sender:
    return checked_sender(
        chat["platform"],
        who["id"],
        kind=kind,
        name=who["name"],
        username=who.get("username", ""),
    )


def _contact(actor: Actor, named: dict[str, Any]) -> UUID:
    sender = checked_sender(named["platform"], named["id"])
    found: UUID = contact_resolve(actor=actor, sender=sender)[0].pk
    return found
