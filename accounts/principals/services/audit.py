"""Taking the audit log out of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.principals import audit
from accounts.principals.selectors.audit import audit_chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.actor import Actor
    from accounts.principals.selectors.audit import AuditFilter, AuditPage

MAX_EXPORTED = 100_000  # rows of one file: a narrower filter gives the rest


def audit_export(*, actor: Actor, where: AuditFilter) -> Iterator[AuditPage]:
    """The newest MAX_EXPORTED matching events, in chunks; the log says that they were taken.

    Once an hour, as for reading: it is asked for by following a link.
    """
    audit.note(
        actor=actor,
        action="audit.exported",
        subject=actor.account.id,
        target_type="account",
    )
    return audit_chunks(actor=actor, where=where, limit=MAX_EXPORTED)
