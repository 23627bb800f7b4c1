"""The demo account: believable data of our own, loaded through the same services as any write."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts import selectors, tenancy
from accounts.actor import Actor, Operator
from accounts.principals import authentication
from accounts.principals.operator.services import operator_create
from accounts.principals.services import account_create, user_create
from accounts.services import person_enroll
from config.demo.channels import load_channels
from config.demo.memories import load_memories
from sessions_app.services import MessageInput, message_append, session_create, session_update

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.tenancy import AccountRef

ACCOUNT_ID, ACCOUNT_NAME = "hollis", "Hollis & Daughters"
ADMIN_ID, ADMIN_NAME = "ines", "Ines Hollis"
OTHERS = (("alice", "Alice Hollis"), ("bob", "Bob Marsh"))
EMAIL = "ines@hollis.example"
OPERATOR_EMAIL, OPERATOR_NAME = "olga@hollis.example", "Olga Brandt"
CONVERSATIONS = Path(__file__).with_name("conversations.json")


@dataclass(frozen=True, slots=True)
class DemoSignIn:
    """What a newcomer needs to look around; kept in the data directory, readable by its owner."""

    account_id: str
    email: str
    password: str
    admin_key: str
    operator_email: str = ""  # the file of an earlier version has none
    operator_password: str = ""


def load_demo() -> DemoSignIn | None:
    """Make the demo account, unless there is any account already."""
    if selectors.account_page(None, 1):
        return None
    operator = Operator()
    made = account_create(
        actor=operator, account_id=ACCOUNT_ID, admin_user_id=ADMIN_ID, name=ACCOUNT_NAME
    )
    for user_id, name in OTHERS:
        user_create(actor=operator, account=made.ref, user_id=user_id, display_name=name)
    password = token_urlsafe(12)
    person_enroll(
        actor=operator,
        email=EMAIL,
        name=ADMIN_NAME,
        password=password,
        account=made.ref,
        user=made.admin,
    )
    operator_password = token_urlsafe(12)
    operator_create(
        actor=operator, email=OPERATOR_EMAIL, name=OPERATOR_NAME, password=operator_password
    )
    with tenancy.account(made.ref):
        for session in json.loads(CONVERSATIONS.read_text(encoding="utf-8"))["sessions"]:
            _load_session(made.ref, session)
        load_memories(made.ref, load_channels(made.ref, ADMIN_ID))
    return DemoSignIn(
        account_id=ACCOUNT_ID,
        email=EMAIL,
        password=password,
        admin_key=made.user_key,
        operator_email=OPERATOR_EMAIL,
        operator_password=operator_password,
    )


def _load_session(account: AccountRef, session: dict[str, Any]) -> None:
    actors: dict[tuple[str, str], Actor] = {}

    def actor(user_id: str, agent_id: str) -> Actor:
        key = (user_id, agent_id)
        if key not in actors or actors[key].agent.id is None:
            actors[key] = authentication.actor_within(account, user_id, agent_id)
        return actors[key]

    owner = actor(session["owner"], session["agent"])
    session_id = session["session_id"]
    session_create(actor=owner, session_id=session_id, title=session["title"])
    ended = timezone.now() - timedelta(minutes=session["ends_minutes_ago"])
    for at, message in _dated(session["messages"], ended):
        is_user = message["role"] == "user"
        speaker = (
            (message["as"], session["agent"]) if is_user else (session["owner"], message["as"])
        )
        message_append(
            actor=actor(*speaker),
            session_id=session_id,
            message=MessageInput(
                role=message["role"],
                content=message["text"],
                parts=message.get("parts"),
                created_at=at,
            ),
        )
    if session["ended"]:
        session_update(actor=owner, session_id=session_id, state="ended", at=ended)


def _dated(
    messages: list[dict[str, Any]], ended: datetime
) -> list[tuple[datetime, dict[str, Any]]]:
    """Each message with its time, counted back from the last one."""
    at, dated = ended, []
    for message in reversed(messages):
        dated.append((at, message))
        at -= timedelta(minutes=message["gap_minutes"])
    return dated[::-1]


def keep_sign_in(path: Path, sign_in: DemoSignIn) -> None:
    """Write the demo's sign-in for later starts, readable by its owner only."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(asdict(sign_in), indent=1), encoding="utf-8")


def kept_sign_in(path: Path) -> DemoSignIn | None:
    """The demo's sign-in that an earlier start wrote, if any."""
    if not path.exists():
        return None
    return DemoSignIn(**json.loads(path.read_text(encoding="utf-8")))
