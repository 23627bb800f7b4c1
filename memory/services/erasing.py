"""Removing rows for good, with everything that the database keeps of them.

Only what takes its owner along comes here: a user who is deleted, a session that is deleted with
its memories. Everything else marks rows as deleted (memory.services.lifecycle).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memory import access
from memory.models import Extraction, Memory, Revision, Scope

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID


def erase_of_user(*, user: UUID) -> int:
    """Erase the user's own memories and extractions, inside the caller's transaction; how many
    memories. Memories of agents stay: they are not the user's."""
    Extraction.objects.filter(user=user).delete()
    return erase_memories(
        Memory.objects.filter(scope=Scope.USER, user=user).values_list("pk", flat=True)
    )


def erase_of_sessions(*, sessions: Collection[UUID]) -> int:
    """Erase what comes from these sessions alone, inside the caller's transaction; how many.

    Of a memory that was replaced elsewhere since, only what it said out of them goes.
    """
    Extraction.objects.filter(session__in=sessions).delete()
    erased = erase_memories(access.kept_of_sessions(sessions).values_list("pk", flat=True))
    Revision.objects.filter(session__in=sessions).delete()
    return erased


def erase_memories(keys: Collection[UUID]) -> int:
    """Erase these rows, and last their past states: what the erasure itself writes is one.

    Inside the caller's transaction; how many memories.
    """
    doomed = list(keys)
    Memory.objects.filter(pk__in=doomed).delete()
    Revision.objects.filter(memory__in=doomed).delete()
    return len(doomed)
