"""`/api/v1/inbound`: one call per turn of a chat channel."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Schema

from accounts.actor import Scope
from accounts.errors import InvalidArgument
from accounts.http.envelope import Envelope, ok
from accounts.http.schema import NewBody
from accounts.principals.auth import AccountAuth, caller
from accounts.principals.idempotency import once
from accounts.principals.services import Sender, checked_sender
from sessions_app import render, services
from sessions_app.schemas import ContextOut

router = Router(tags=["gateway"])
CHATS = ("direct", "group")
MAX_TOKEN_BUDGET = 10_000_000


class SenderIn(NewBody):
    id: str = Field(examples=["4711"], description="The sender's id on the platform.")
    name: str = Field("", examples=["Dana"], description="What the sender calls itself.")
    username: str = ""


class ChatIn(NewBody):
    id: str = Field(examples=["-100123"])
    kind: str = Field("direct", description="direct or group")
    name: str = ""


class InboundIn(NewBody):
    platform: str = Field(examples=["telegram"])
    sender: SenderIn = Field(description="Who wrote it.")
    chat: ChatIn | None = Field(None, description="A direct chat with the sender when absent.")
    agent_id: str = Field(examples=["ada"])
    text: str | None = Field(None, examples=["Do you have garlic sets?"])
    parts: list[dict[str, Any]] | None = Field(None, description="Wins over text.")
    thread_key: str | None = None
    external_id: str | None = Field(
        None, description="The channel's own id of the turn; delivered again, it is no new turn."
    )
    sent_at: datetime | None = Field(None, description="True time; now when absent.")
    token_budget: int = Field(128_000, description="Of the context in the answer.")


class InboundContact(Schema):
    id: UUID
    kind: str
    display_name: str
    owner_user_id: str


class InboundSender(Schema):
    display_name: str
    platform: str
    kind: str = Field(description="external, or user when the address is bound to one")
    user_id: str | None
    contact_id: UUID | None


class InboundSession(Schema):
    session_id: str
    uri: str
    thread_key: str | None
    user_id: str
    agent_id: str
    is_new: bool


class InboundMessage(Schema):
    message_id: str
    seq: int


class InboundOut(Schema):
    contact: InboundContact | None = Field(description="With whom the session is.")
    sender: InboundSender
    session: InboundSession | None = Field(description="null after a channel command")
    message: InboundMessage | None
    context: ContextOut | None
    recall: list[Any] = Field(description="Empty until memories exist.")
    reply: str | None = Field(description="What to answer to a channel command.")


@router.post("/inbound", auth=AccountAuth(scope=Scope.GATEWAY), response=Envelope[InboundOut])
def inbound(request: HttpRequest, body: InboundIn) -> Any:
    """Take one turn in, and answer with all that the agent needs. Needs the scope `gateway`.

    Resolves the sender, gets or makes the session, appends the message. Nothing is kept when any
    of it fails; the same `external_id` again is answered from what it made.
    """
    if body.chat is not None and body.chat.kind not in CHATS:
        raise InvalidArgument("chat.kind must be 'direct' or 'group'.", field="chat.kind")
    if not 0 <= body.token_budget <= MAX_TOKEN_BUDGET:
        raise InvalidArgument(
            f"token_budget must be from 0 to {MAX_TOKEN_BUDGET}.", field="token_budget"
        )
    sender = checked_sender(
        body.platform, body.sender.id, name=body.sender.name, username=body.sender.username
    )
    actor = caller(request)
    turn = services.Turn(
        sender=sender,
        agent_id=body.agent_id,
        text=body.text,
        parts=body.parts,
        chat=_chat(body, sender),
        is_group=body.chat is not None and body.chat.kind == "group",
        thread_key=body.thread_key,
        external_id=body.external_id,
        sent_at=body.sent_at,
    )
    received = once(
        request,
        actor,
        work=lambda: services.inbound_receive(actor=actor, turn=turn),
        reference=lambda made: {"message": made.message_id and made.message_id[4:]},
        again=lambda found: services.inbound_again(
            actor=actor,
            turn=turn,
            message=UUID(found["message"]) if found["message"] else None,
        ),
    )
    context = services.inbound_context(received=received, token_budget=body.token_budget)
    return ok(request, render.inbound(received, sender, context))


def _chat(body: InboundIn, sender: Sender) -> Sender | None:
    if body.chat is None:
        return None
    kind = "group" if body.chat.kind == "group" else "external"
    return checked_sender(sender.platform, body.chat.id, kind=kind, name=body.chat.name)
