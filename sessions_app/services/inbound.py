"""One turn from a chat channel: whose it is, which session it belongs to, what an agent needs.

The sender is resolved before any session is looked for, and everything is one transaction: a turn
is kept whole, with its contact, session and participant, or not at all (isolation.md, Contacts).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, IntegrityError, transaction

from accounts.actor import Actor, AgentRef, ContactRef, Principal, Scope
from accounts.errors import (
    Conflict,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from accounts.http.parser import check_text
from accounts.names import check_id
from accounts.principals import audit
from accounts.principals.access import agent_by_id, require_scope
from accounts.principals.contacts import contact_again, contact_ref
from accounts.principals.models import Agent
from accounts.principals.services import with_everyone_registered
from accounts.settings import AccountSettings
from sessions_app import selectors
from sessions_app.models import Message, Session
from sessions_app.services.append import MessageInput, append_to, validated
from sessions_app.services.commands import link, link_code_in
from sessions_app.services.senders import known, still_theirs, whose
from sessions_app.services.sessions import (
    check_thread_key,
    current_session,
)

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from accounts.principals.services import Sender
    from sessions_app.parts import Part
    from sessions_app.selectors import SessionContext

MAX_EXTERNAL_ID = 255
MAX_ATTEMPTS = 5  # to append to the current session, while somebody ends it


@dataclass(frozen=True, slots=True)
class Turn:
    """What a channel delivered, as the surface received it.

    Attributes:
        chat: the group, when it was said in one; its id also of a direct chat that has its own.
        is_group: whether `chat` is a group.
        external_id: the channel's own id of the turn; delivered again, it is no new turn.
        sent_at: its true time; now when None.
    """

    sender: Sender
    agent_id: str
    text: str | None = None
    parts: list[Part] | None = None
    chat: Sender | None = None
    is_group: bool = False
    thread_key: str | None = None
    external_id: str | None = None
    sent_at: datetime | None = None

    @property
    def group(self) -> Sender | None:
        """The group that it was said in."""
        return self.chat if self.is_group else None


@dataclass(frozen=True, slots=True)
class Received:
    """Where the turn went. A channel command has a reply, and no session or message."""

    actor: Actor  # narrowed as the session is
    speaker: ContactRef | None
    speaking_user: Principal | None = None  # to whom the sender's address is bound
    session: Session | None = None
    message_id: str | None = None
    seq: int | None = None
    is_new_session: bool = False
    withheld: bool = False  # delivered again for somebody else: only where it went is told
    reply: str | None = None


def inbound_receive(*, actor: Actor, turn: Turn) -> Received:
    """Take one turn in: find or make its contact and session, and append it.

    Raises:
        PermissionDenied: the key lacks the scope `gateway`, or is bound to other agents.
        Conflict: a header names a contact: here the sender does.
        InvalidArgument: a value that is refused.
        FailedPrecondition: the agent's session scope is global, and the account has no shared
            inbox.
        Unavailable: the sender could not be resolved; nothing was kept, send it again.
    """
    require_scope(actor, Scope.GATEWAY)
    if actor.contact is not None:
        raise Conflict("The sender says whose turn it is; send it without a contact header.")
    # Validation comes first: a refused turn makes nobody.
    check_thread_key(turn.thread_key)
    external = _external_id(turn)
    agent, shared = _agent(actor, turn.agent_id)
    row = validated(actor, _message(turn), external_id=external, agent=agent.id)
    actor = replace(actor, agent=agent)
    code = link_code_in(row["text"])
    if code is not None:
        reply, contact, user = link(actor, turn.sender, code, in_group=turn.is_group)
        return Received(actor, contact, user, reply=reply)
    for attempt in range(2):
        before = _received_before(actor, turn, external, shared=shared)
        if before is not None:
            return before
        try:
            with transaction.atomic():
                return _keep(actor, turn, row, shared=shared)
        except IntegrityError:  # delivered twice at once: the other one has it
            if attempt:
                raise Unavailable("Somebody changes the sender; send the turn again.") from None
            # Which may have registered the agent too.
            actor = replace(actor, agent=_agent(actor, turn.agent_id)[0])
    raise AssertionError  # the loop returns or raises


def inbound_context(*, received: Received, token_budget: int) -> SessionContext | None:
    """What the agent reads before it answers a turn; None when there is nothing to answer."""
    if received.session is None or received.withheld:
        return None
    actor, session_id = received.actor, received.session.session_id
    try:
        found = selectors.session_context(
            actor=actor, session_id=session_id, token_budget=token_budget
        )
    except NotFound:
        if actor.contact is None:
            raise
        # Merged since the turn was kept: what was the contact's is its root's now.
        actor = replace(actor, contact=contact_again(actor.contact))
        found = selectors.session_context(
            actor=actor, session_id=session_id, token_budget=token_budget
        )
    audit.note_read(actor=actor, kind="context", subjects=[found.session.owner_id])
    return found


def _keep(actor: Actor, turn: Turn, row: dict[str, Any], *, shared: bool) -> Received:
    """Inside the transaction."""
    actor = with_everyone_registered(actor, actor.agent)
    row |= {"agent": actor.agent.id if row["external_id"] else None}
    try:
        narrowed, author = whose(actor, turn.sender, turn.group, shared=shared)
    except DatabaseError as error:
        raise Unavailable("The sender could not be resolved; send the turn again.") from error
    for _attempt in range(MAX_ATTEMPTS):
        session, existing = current_session(narrowed, thread_key=turn.thread_key)
        done = append_to(narrowed, session.session_id, row, author)
        if done is not None:
            break
    else:
        raise Unavailable("The session ends whenever it begins; send the turn again.")
    return Received(
        actor=narrowed,
        speaker=author.contact,
        speaking_user=None if shared else author.user,
        session=session,
        message_id=done.message_id,
        seq=done.seq,
        is_new_session=not existing,
    )


def _agent(actor: Actor, agent_id: str) -> tuple[AgentRef, bool]:
    """The agent that is written to, and whether all its senders share one inbox."""
    check_id(agent_id, "agent_id")
    if actor.agents and agent_id.lower() not in actor.agents:
        raise PermissionDenied("This key is bound to other agents.")
    row = agent_by_id(agent_id)
    if row is None:  # first seen here: it keeps senders apart
        return AgentRef(None, agent_id, per_sender=True), False
    ref = AgentRef(row.pk, row.agent_id)
    if row.session_scope == Agent.SessionScope.PER_SENDER:
        return ref, False
    if AccountSettings.of(actor.settings).shared_inbox:
        return ref, True
    raise FailedPrecondition(
        f"The session scope of {ref.agent_id} is global, so its senders cannot be kept apart. Set"
        " session_scope to per_sender (PATCH /agents), or the account's shared_inbox.",
        agent_id=ref.agent_id,
        session_scope="global",
    )


def _message(turn: Turn) -> MessageInput:
    return MessageInput(
        role=Message.Role.USER, content=turn.text, parts=turn.parts, created_at=turn.sent_at
    )


def _external_id(turn: Turn) -> str | None:
    """Unique for an agent for ever: the platform, the chat and the channel's own id.

    A direct chat is told apart by its sender, so that no gateway's habit of numbering its chats
    lets one sender's turn be taken for another's. Ids may hold colons, hence the length.
    """
    if turn.external_id is None:
        return None
    check_text(turn.external_id)
    if not 1 <= len(turn.external_id) <= MAX_EXTERNAL_ID:
        raise InvalidArgument(
            f"external_id must have 1 to {MAX_EXTERNAL_ID} characters.", field="external_id"
        )
    chat = turn.chat if turn.is_group and turn.chat else turn.sender
    number = f"{len(chat.platform_id)}:{chat.platform_id}"
    return f"{turn.sender.platform}:{chat.kind}:{number}:{turn.external_id}"


def _received_before(
    actor: Actor, turn: Turn, external: str | None, *, shared: bool
) -> Received | None:
    """What the same turn got when it was delivered before."""
    if external is None or actor.agent.id is None:
        return None
    rows = Message.objects.get_queryset().filter(agent=actor.agent.id, external_id=external)
    found = rows.select_related(*_AROUND).first()
    return _received(actor, turn, found, shared=shared) if found else None


def inbound_again(*, actor: Actor, turn: Turn, message: UUID | None) -> Received:
    """What an earlier request with the same Idempotency-Key got.

    Raises:
        Conflict: it was a channel command, which made no message.
        NotFound: the message was deleted since.
    """
    if message is None:
        raise Conflict("This request was a channel command; it was done before.")
    found = Message.objects.select_related(*_AROUND).filter(pk=message).first()
    if found is None:
        raise NotFound("message", f"msg_{message.hex}")
    _, shared = _agent(actor, turn.agent_id)
    return _received(actor, turn, found, shared=shared)


_AROUND = ("session__contact__owner", "session__owner", "session__agent", "contact__owner")


def _received(actor: Actor, turn: Turn, found: Message, *, shared: bool) -> Received:
    """What is told of a turn that is delivered again: all of it only to whose it still is."""
    session: Session = found.session
    told = Received(
        actor=actor, speaker=None, session=session, message_id=found.message_id, seq=found.seq
    )
    if not still_theirs(found, turn.sender, turn.group, shared=shared):
        return replace(told, withheld=True)
    owner = Principal(session.owner.pk, session.owner.user_id)
    return replace(
        told,
        actor=replace(
            actor, user=owner, contact=contact_ref(session.contact) if session.contact else None
        ),
        speaker=contact_ref(found.contact) if found.contact else None,
        speaking_user=None if found.contact or shared else known(turn.sender).user,
    )
