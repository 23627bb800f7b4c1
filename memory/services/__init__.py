"""What changes memories, and reading them with the note that an admin leaves."""

from memory.services.consent import consent_set
from memory.services.control import user_memory_delete, user_memory_restore
from memory.services.editing import memory_restore, memory_update
from memory.services.erasing import erase_of_sessions, erase_of_user
from memory.services.lifecycle import (
    MAX_AT_ONCE,
    Wiped,
    memories_delete,
    memories_prune,
    memories_quarantine,
    memories_release,
    memories_restore,
    memory_delete,
    memory_quarantine,
    memory_release,
    memory_wipe,
)
from memory.services.reading import (
    changes_read,
    evidence_read,
    facets_read,
    history_read,
    memories_export,
    memories_read,
    memory_read,
    preview_read,
    user_extractions_read,
    user_memories_export,
    user_memories_read,
    why_read,
)
from memory.services.remember import Note, Remembered, memory_remember

__all__ = [
    "MAX_AT_ONCE",
    "Note",
    "Remembered",
    "Wiped",
    "changes_read",
    "consent_set",
    "erase_of_sessions",
    "erase_of_user",
    "evidence_read",
    "facets_read",
    "history_read",
    "memories_delete",
    "memories_export",
    "memories_prune",
    "memories_quarantine",
    "memories_read",
    "memories_release",
    "memories_restore",
    "memory_delete",
    "memory_quarantine",
    "memory_read",
    "memory_release",
    "memory_remember",
    "memory_restore",
    "memory_update",
    "memory_wipe",
    "preview_read",
    "user_extractions_read",
    "user_memories_export",
    "user_memories_read",
    "user_memory_delete",
    "user_memory_restore",
    "why_read",
]
