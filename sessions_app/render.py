"""Sessions in the shapes of the API: pure functions over loaded rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.namespace import session_uri
from sessions_app.schemas import (
    AbstractOut,
    ArchiveOut,
    BatchMade,
    CommitOut,
    ContextMessageOut,
    ContextOut,
    ContextStats,
    OwnerOut,
    SessionDetailOut,
    SessionRow,
    TaskOut,
)
from sessions_app.selectors import BatchRange

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.principals.services import Sender
    from sessions_app.models import Message, Session, Task
    from sessions_app.selectors import ArchiveDetail, Committed, SessionContext, SessionDetail
    from sessions_app.services import Appended, Received


def session(actor: Actor, row: Session, parent: Session | None) -> dict[str, Any]:
    """What create, start and change answer.

    Args:
        parent: what it is a fork of, if the actor may see that.
    """
    return {
        "session_id": row.session_id,
        "uri": session_uri(row.session_id),
        "user": owner(actor, row),
        "title": row.title,
        "state": row.state,
        "contact_id": _contact_id(row),
        "thread_key": row.thread_key,
        "parent_session_id": parent.session_id if parent else None,
        "memory_paused": row.memory_paused,
        "metadata": row.metadata,
        "created_at": row.started_at,
        "ended_at": row.ended_at,
    }


def session_reference(row: Session) -> dict[str, Any]:
    """For the idempotency record: an id, no words."""
    return {"session": str(row.pk)}


def session_row(row: Session) -> SessionRow:
    """One row of a list."""
    return SessionRow(
        session_id=row.session_id,
        uri=session_uri(row.session_id),
        title=row.title,
        user_id=row.owner.user_id,
        agent_id=row.agent.agent_id,
        contact_id=_contact_id(row),
        thread_key=row.thread_key,
        state=row.state,
        message_count=row.message_count,
        last_activity_at=row.last_activity_at,
        created_at=row.started_at,
    )


def session_detail(actor: Actor, detail: SessionDetail) -> SessionDetailOut:
    """One session with who took part and what was committed."""
    row = detail.session
    return SessionDetailOut(
        session_id=row.session_id,
        uri=session_uri(row.session_id),
        title=row.title,
        state=row.state,
        created_at=row.started_at,
        updated_at=row.last_activity_at,
        ended_at=row.ended_at,
        created_by_user_id=row.owner.user_id,
        participant_user_ids=detail.user_ids,
        participant_agent_ids=detail.agent_ids,
        participant_contact_ids=detail.contact_ids,
        message_count=row.message_count,
        commit_count=len(detail.archives),
        last_commit_at=detail.archives[-1].created_at if detail.archives else None,
        pending_tokens=row.pending_tokens,
        user=owner(actor, row),
        parent_session_id=detail.parent.session_id if detail.parent else None,
        contact_id=_contact_id(row),
        thread_key=row.thread_key,
        memory_paused=row.memory_paused,
        metadata=row.metadata,
    )


def _contact_id(row: Session | Message) -> UUID | None:
    """The contact that the row is about: of a merged one its root, as look-ups know it."""
    return row.contact.root if row.contact else None


def owner(actor: Actor, row: Session) -> OwnerOut:
    """Whose session it is."""
    return OwnerOut(
        account_id=actor.account.account_id,
        user_id=row.owner.user_id,
        agent_id=row.agent.agent_id,
    )


def message(row: Message) -> dict[str, Any]:
    """One message of a list or an archive."""
    return {
        "id": row.message_id,
        "seq": row.seq,
        "role": row.role,
        "role_id": row.role_id,
        "parts": row.parts,
        "source": row.source,
        "created_at": row.created_at,
        "contact_id": _contact_id(row),
    }


def batch(done: Sequence[Appended]) -> BatchRange:
    """What a batch made."""
    return BatchRange(
        session_id=done[-1].session_id,
        first=done[0].seq,
        last=done[-1].seq,
        message_ids=[one.message_id for one in done],
        key=done[-1].session,
    )


def batch_reference(made: BatchRange) -> dict[str, Any]:
    """For the idempotency record: an id and numbers, no words."""
    return {"session": str(made.key), "first": made.first, "last": made.last}


def batch_made(made: BatchRange) -> BatchMade:
    """What a batch answers, the first time and each time it is repeated."""
    return BatchMade(
        session_id=made.session_id,
        message_count=made.last,
        added=made.last - made.first + 1,
        message_ids=made.message_ids,
        first_seq=made.first,
        last_seq=made.last,
    )


def archive(found: ArchiveDetail) -> ArchiveOut:
    """A completed archive."""
    return ArchiveOut.model_validate(
        {
            "archive_id": found.archive.archive_id,
            "abstract": found.archive.abstract,
            "overview": found.archive.overview,
            "messages": [message(row) for row in found.messages],
        }
    )


def context(found: SessionContext) -> ContextOut:
    """What `/context` answers."""
    assembled = found.assembled
    return ContextOut(
        latest_archive_overview=assembled.overview,
        pre_archive_abstracts=[
            AbstractOut(archive_id=one.archive_id, abstract=one.abstract)
            for one in assembled.abstracts
        ],
        messages=[
            ContextMessageOut(
                id=row.message_id,
                role=row.role,
                role_id=row.role_id,
                parts=row.parts,
                created_at=row.created_at,
            )
            for row in found.messages
        ],
        estimatedTokens=assembled.estimated_tokens,
        stats=ContextStats(
            totalArchives=found.total_archives,
            includedArchives=assembled.included,
            droppedArchives=assembled.dropped,
            failedArchives=found.failed_archives,
            activeTokens=assembled.active_tokens,
            archiveTokens=assembled.archive_tokens,
        ),
    )


def commit(done: Committed, trace_id: str) -> CommitOut:
    """What commit, retry and skip answer."""
    return CommitOut(
        session_id=done.session.session_id,
        task_id=done.task.pk if done.task else None,
        archive_uri=done.archive_uri,
        archived=done.archive is not None,
        trace_id=trace_id,
    )


def commit_reference(done: Committed) -> dict[str, Any]:
    """For the idempotency record: ids, no words."""
    return {
        "session": str(done.session.pk),
        "archive": str(done.archive.pk) if done.archive else None,
        "task": str(done.task.pk) if done.task else None,
    }


def task(row: Task) -> TaskOut:
    """One task."""
    return TaskOut(
        task_id=row.pk,
        task_type=row.task_type,
        status=row.status,
        created_at=row.created_at,
        updated_at=row.updated_at,
        resource_id=row.session.session_id if row.session else None,
        result=row.result,
        error=row.error or None,
    )


def inbound(received: Received, sender: Sender, found: SessionContext | None) -> dict[str, Any]:
    """What `/inbound` answers."""
    contact, speaker, user = received.actor.contact, received.speaker, received.speaking_user
    session = received.session
    named = (speaker.display_name if speaker else "") or sender.name or sender.username
    return {
        "contact": contact
        and {
            "id": contact.id,
            "kind": "group" if contact.is_group else "external",
            "display_name": contact.display_name,
            "owner_user_id": contact.owner.user_id,
        },
        "sender": {
            "display_name": named or sender.platform_id,
            "platform": sender.platform,
            "kind": "user" if user else "external",
            "user_id": user.user_id if user else None,
            "contact_id": speaker.id if speaker and not user else None,
        },
        "session": session
        and {
            "session_id": session.session_id,
            "uri": session_uri(session.session_id),
            "thread_key": session.thread_key,
            "user_id": session.owner.user_id,
            "agent_id": session.agent.agent_id,
            "is_new": received.is_new_session,
        },
        "message": session and {"message_id": received.message_id, "seq": received.seq},
        "context": found and context(found),
        "recall": [],
        "reply": received.reply,
    }
