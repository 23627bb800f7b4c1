"""Reading what is kept of others: a selector, and the note that an admin or operator leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from accounts import tenancy
from accounts.actor import Actor
from accounts.errors import InvalidArgument
from accounts.http.paging import id_from_cursor
from accounts.models import NamespacePolicy
from accounts.principals import audit
from accounts.principals import selectors as principals
from memory import access, selectors
from memory.selectors import owner_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from uuid import UUID

    from accounts.actor import Operator
    from accounts.namespace import Policy
    from accounts.tenancy import AccountRef
    from memory.models import Extraction
    from memory.selectors import (
        ChangePage,
        Facets,
        HistoryPage,
        MemoryFilter,
        MemoryPage,
        MemoryRow,
        Preview,
        Sample,
        Sight,
    )
    from sessions_app.models import Message


EXPORTED_AT_ONCE = 500


def memories_read(
    *,
    actor: Actor,
    where: MemoryFilter,
    limit: int,
    older_than: str | None = None,
    newer_than: str | None = None,
) -> MemoryPage:
    """As selectors.memory_page, noted for everybody on the page."""
    found = selectors.memory_page(
        actor=actor, where=where, limit=limit, older_than=older_than, newer_than=newer_than
    )
    _note(actor, found.rows)
    return found


def facets_read(*, actor: Actor, where: MemoryFilter) -> Facets:
    """As selectors.facets; counts name nobody."""
    return selectors.facets(actor=actor, where=where)


def memory_read(*, actor: Actor, memory_id: UUID) -> MemoryRow:
    """As selectors.memory_row, noted."""
    found = selectors.memory_row(actor=actor, memory_id=memory_id)
    _note(actor, [found])
    return found


def history_read(
    *, actor: Actor, memory_id: UUID, limit: int, older_than: str | None = None
) -> HistoryPage:
    """As selectors.memory_history, noted."""
    found = selectors.memory_history(
        actor=actor, memory_id=memory_id, limit=limit, older_than=older_than
    )
    _note(actor, [step.row for step in found.steps])
    return found


def evidence_read(*, actor: Actor, memory_id: UUID) -> list[Message]:
    """As selectors.evidence_of, noted for whose sessions the messages are of."""
    found = selectors.evidence_of(actor=actor, memory_id=memory_id)
    subjects = {message.session.owner_id for message in found}
    audit.note_read(actor=actor, kind="messages", subjects=subjects)
    return found


def why_read(
    *,
    actor: Actor,
    memory_id: UUID,
    user_id: str = "",
    agent_id: str = "",
    contact_id: UUID | None = None,
) -> Sight:
    """As selectors.memory_why; a verdict holds no words."""
    return selectors.memory_why(
        actor=actor,
        memory_id=memory_id,
        user_id=user_id,
        agent_id=agent_id,
        contact_id=contact_id,
    )


def user_memories_read(
    *,
    actor: Actor,
    user_id: str,
    agent_id: str | None = None,
    topic: str | None = None,
    limit: int,
    cursor: str | None = None,
    newer_than: str | None = None,
) -> tuple[str, MemoryPage]:
    """As selectors.user_memories, noted."""
    spelled, found = selectors.user_memories(
        actor=actor,
        user_id=user_id,
        agent_id=agent_id,
        topic=topic,
        limit=limit,
        older_than=id_from_cursor(cursor),
        newer_than=id_from_cursor(newer_than),
    )
    _note(actor, found.rows)
    return spelled, found


def user_extractions_read(
    *, actor: Actor, user_id: str, limit: int
) -> tuple[str, list[Extraction]]:
    """As selectors.user_extractions; runs hold no words."""
    return selectors.user_extractions(actor=actor, user_id=user_id, limit=limit)


def user_memories_export(*, actor: Actor, user_id: str) -> tuple[str, Iterator[MemoryRow]]:
    """All that is kept of one user, whatever hides it; the export is noted at its beginning.

    Returns:
        The user's id as it is spelled, and the rows, read a few hundred at a time. The iterator
        is to be used up inside the account.
    """
    spelled, first = user_memories_read(actor=actor, user_id=user_id, limit=EXPORTED_AT_ONCE)
    subject = access.subject_for(actor, user_id)
    audit.record(actor=actor, action="memory.exported", target_type="user", target=subject.pk)

    def rows() -> Iterator[MemoryRow]:
        page = first
        while True:
            yield from page.rows
            if page.older is None:
                return
            _, page = selectors.user_memories(
                actor=actor,
                user_id=user_id,
                limit=EXPORTED_AT_ONCE,
                older_than=id_from_cursor(page.older),
            )

    return spelled, rows()


def memories_export(*, actor: Actor, where: MemoryFilter) -> Iterator[MemoryRow]:
    """All memories of a list, the newest first, read and noted a few hundred at a time.

    The iterator is to be used up inside the account.
    """
    page = memories_read(actor=actor, where=where, limit=EXPORTED_AT_ONCE)
    audit.record(actor=actor, action="memory.exported", target_type="account", target=None)

    def rows() -> Iterator[MemoryRow]:
        found = page
        while True:
            yield from found.rows
            if found.older is None:
                return
            found = memories_read(
                actor=actor, where=where, limit=EXPORTED_AT_ONCE, older_than=found.older
            )

    return rows()


@dataclass(frozen=True, slots=True)
class PolicyPreview:
    """Two policies, and what lies between them."""

    now: Policy
    then: Policy
    preview: Preview


def preview_read(
    *,
    actor: Actor | Operator,
    account: AccountRef,
    changes: Mapping[str, Any],
    limit: int,
    cursor: str | None = None,
) -> PolicyPreview:
    """What a change of the policy would show and hide, noted for whose memories are samples.

    Args:
        changes: of the policy's fields; what is absent stays.

    Raises:
        InvalidArgument: a value or a cursor that is refused.
    """
    with tenancy.account(account):
        now, then = _compared(account, changes)
        found = selectors.policy_preview(now=now, then=then, limit=limit, cursor=cursor)
        if isinstance(actor, Actor):
            _note_samples(actor, (one for row in found.rows for one in (*row.gains, *row.losses)))
    return PolicyPreview(now, then, found)


def changes_read(
    *,
    actor: Actor,
    changes: Mapping[str, Any],
    what: str,
    user: str = "",
    agent: str = "",
    limit: int,
    cursor: str | None = None,
) -> tuple[Policy, Policy, ChangePage]:
    """As selectors.policy_changes, noted for whose memories are on the page.

    Args:
        changes: of the policy's fields; what is absent stays.

    Returns:
        The policy in force, the one it is compared with, and one page.

    Raises:
        InvalidArgument: a value or a cursor that is refused.
    """
    now, then = _compared(actor.account, changes)
    found = selectors.policy_changes(
        now=now, then=then, what=what, user=user, agent=agent, limit=limit, cursor=cursor
    )
    _note_samples(actor, (row.memory for row in found.rows))
    return now, then, found


def _compared(account: AccountRef, changes: Mapping[str, Any]) -> tuple[Policy, Policy]:
    """The policy in force, and what the changes would make of it."""
    now = principals.policy_in_force(account=account)
    then = replace(now, **changes)
    if then.sessions_visible_to not in NamespacePolicy.SessionsVisibleTo.values:
        raise InvalidArgument(
            "sessions_visible_to must be 'account' or 'participants'.",
            field="sessions_visible_to",
        )
    return now, then


def _note_samples(actor: Actor, samples: Iterable[Sample]) -> None:
    keys = principals.user_keys({one.user_id for one in samples})
    audit.note_read(actor=actor, kind="memories", subjects=keys)


def _note(actor: Actor, rows: Iterable[MemoryRow]) -> None:
    subjects = {owner_of(row.said).user for row in rows}
    audit.note_read(actor=actor, kind="memories", subjects=subjects)
