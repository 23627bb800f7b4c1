"""What reads memories; lists and pages, never querysets."""

from memory.selectors.filters import ANY, EXPIRED, KEPT, STATES, MemoryFilter
from memory.selectors.history import Change, HistoryPage, Piece, Step, memory_history
from memory.selectors.keeping import (
    ConsentLedger,
    consent_ledger,
    gate_effect,
    kept_from,
    kept_of_contacts,
    kept_of_users,
    kept_with,
    user_extractions,
    user_memories,
)
from memory.selectors.memories import (
    FACETS,
    Facets,
    MemoryPage,
    MemoryRow,
    evidence_of,
    facets,
    memory_page,
    memory_row,
    owner_of,
    rows_by_id,
)
from memory.selectors.preview import Pair, Preview, Sample, policy_preview
from memory.selectors.why import Sight, memory_why

__all__ = [
    "ANY",
    "EXPIRED",
    "FACETS",
    "KEPT",
    "STATES",
    "Change",
    "ConsentLedger",
    "Facets",
    "HistoryPage",
    "MemoryFilter",
    "MemoryPage",
    "MemoryRow",
    "Pair",
    "Piece",
    "Preview",
    "Sample",
    "Sight",
    "Step",
    "consent_ledger",
    "evidence_of",
    "facets",
    "gate_effect",
    "kept_from",
    "kept_of_contacts",
    "kept_of_users",
    "kept_with",
    "memory_history",
    "memory_page",
    "memory_row",
    "memory_why",
    "owner_of",
    "policy_preview",
    "rows_by_id",
    "user_extractions",
    "user_memories",
]
