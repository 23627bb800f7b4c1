"""Memories in the shapes of the API: pure functions over loaded rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.namespace import memory_uri, owner_of
from memory.models import Memory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from accounts.namespace import Policy
    from memory.models import Consent, Extraction
    from memory.selectors import ConsentLedger, Facets, MemoryRow, Preview, Sample, Sight, Step
    from memory.services import Wiped
    from sessions_app.models import Message


def uri_of(policy: Policy, row: MemoryRow) -> str:
    """Where the memory stands under this policy."""
    return memory_uri(
        policy,
        scope=row.said.scope,
        user_id=row.user_id,
        agent_id=row.agent_id,
        kind=row.said.kind,
        id=row.id,
    )


def memory(policy: Policy, row: MemoryRow) -> dict[str, Any]:
    """One memory, or a past state of it, under this policy."""
    said = row.said
    owner_user, owner_agent = owner_of(
        policy, scope=said.scope, user_id=row.user_id, agent_id=row.agent_id
    )
    return {
        "id": row.id,
        "uri": uri_of(policy, row),
        "scope": said.scope,
        "kind": said.kind,
        "topic_key": said.topic_key,
        "summary": said.summary,
        "content": said.content,
        "source": said.source,
        "salience": said.salience,
        "topics": said.topics,
        "confidence": said.confidence,
        "state": said.state,
        "hidden_by": row.hidden_by,
        "owner_user_id": owner_user,
        "owner_agent_id": owner_agent,
        "user_id": row.user_id,
        "agent_id": row.agent_id,
        "contact_id": row.contact.pk if row.contact else None,
        "session_id": row.session_id,
        "superseded_by": row.superseded_by,
        "expires_at": said.expires_at,
        "version": said.version,
        "created_at": said.created_at,
        "updated_at": said.updated_at if isinstance(said, Memory) else said.valid_from,
        "written_by": row.written_by or None,
        "policy_version": policy.version,
    }


def memory_reference(row: Memory) -> dict[str, Any]:
    """For the idempotency record: an id, no words."""
    return {"memory": str(row.pk)}


def step(policy: Policy, one: Step) -> dict[str, Any]:
    """One version in a history."""
    return {
        "version": one.version,
        "at": one.at,
        "written_by": one.row.written_by or None,
        "memory": memory(policy, one.row),
        "changes": [
            {
                "field": change.field,
                "before": _plain(change.before),
                "after": _plain(change.after),
                "pieces": [{"change": piece.change, "text": piece.text} for piece in change.pieces],
            }
            for change in one.changes
        ],
    }


def evidence(message: Message) -> dict[str, Any]:
    """A message that a memory came from."""
    return {
        "message_id": message.message_id,
        "session_id": message.session.session_id,
        "seq": message.seq,
        "role": message.role,
        "role_id": message.role_id,
        "contact_id": message.contact.root if message.contact else None,
        "text": message.text,
        "created_at": message.created_at,
    }


def why(policy: Policy, sight: Sight) -> dict[str, Any]:
    """A verdict. Ranks come with recall."""
    return {
        "visible": sight.recalled.visible,
        "clause": sight.recalled.clause.value,
        "listed": sight.listed.visible,
        "listed_clause": sight.listed.clause.value,
        "user_id": sight.user_id,
        "agent_id": sight.agent_id,
        "contact_id": sight.contact_id,
        "policy_version": policy.version,
    }


def facets(policy: Policy, found: Facets) -> dict[str, Any]:
    """Counts of a list."""
    return {"total": found.total, **found.by, "policy_version": policy.version}


def extraction(run: Extraction) -> dict[str, Any]:
    """One run in the audit of a user's extractions."""
    return {
        "id": run.pk,
        "session_id": run.session.session_id if run.session else None,
        "agent_id": run.agent.agent_id,
        "contact_id": run.contact.root if run.contact else None,
        "state": run.state,
        "memories": run.memories,
        "tokens": run.tokens,
        "error": run.error,
        "created_at": run.created_at,
        "finished_at": run.finished_at,
    }


def wiped(found: Wiped) -> dict[str, Any]:
    """How much a wipe deleted."""
    return {
        "user_id": found.user_id,
        "topics_deleted": found.topics,
        "agent_topics_deleted": found.agent_topics,
        "extractions_deleted": found.extractions,
    }


def consent(found: ConsentLedger) -> dict[str, Any]:
    """A contact's ledger."""
    return {
        "contact_id": found.contact.pk,
        "consents": found.consents,
        "state": found.state,
        "contact_consent": found.asked,
        "ledger": [_entry(row, found.names) for row in found.entries],
    }


def preview(now: Policy, then: Policy, found: Preview) -> dict[str, Any]:
    """What a change of policy would show and hide."""
    return {
        "policy_version": now.version,
        "pairs": [
            {
                "user_id": pair.user_id,
                "agent_id": pair.agent_id,
                "now": pair.now,
                "after": pair.after,
                "gained": pair.gained,
                "lost": pair.lost,
                "crossing": pair.crossing,
                "samples": {
                    "gained": [_sample(then, one) for one in pair.gains],
                    "lost": [_sample(now, one) for one in pair.losses],
                },
            }
            for pair in found.rows
        ],
        "changed_pairs": found.pairs,
        "all_pairs": found.all_pairs,
        "gained": found.gained,
        "lost": found.lost,
        "crossing": found.crossing,
        "now": found.now,
        "after": found.after,
    }


def _sample(policy: Policy, one: Sample) -> dict[str, Any]:
    return {
        "id": one.id,
        "uri": memory_uri(
            policy,
            scope=one.scope,
            user_id=one.user_id,
            agent_id=one.agent_id,
            kind=one.kind,
            id=one.id,
        ),
        "user_id": one.user_id,
        "agent_id": one.agent_id,
        "kind": one.kind,
        "words": one.words,
    }


def _entry(row: Consent, names: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "id": row.pk,
        "purpose": row.purpose,
        "state": row.state,
        "channel": row.channel,
        "evidence_message_id": f"msg_{row.evidence_id.hex}" if row.evidence_id else None,
        "expires_at": row.expires_at,
        "is_current": row.is_current,
        "written_by": names.get(row.written_by, "root") if row.written_by else None,
        "created_at": row.created_at,
    }


def _plain(value: Any) -> Any:
    """A value of a compared field in JSON's own types."""
    return value if value is None or isinstance(value, str | float | list) else str(value)
