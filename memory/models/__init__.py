"""What is kept. Every table here exists once in each account's schema."""

from memory.models.consent import Consent
from memory.models.extraction import Extraction
from memory.models.imports import Import, ImportReceipt
from memory.models.memories import (
    KINDS,
    MAX_SUMMARY,
    MAX_TOPIC_KEY,
    Evidence,
    Memory,
    Revision,
    Salience,
    Scope,
    Source,
    State,
    Stated,
    Version,
    searched_words,
)

__all__ = [
    "KINDS",
    "MAX_SUMMARY",
    "MAX_TOPIC_KEY",
    "Consent",
    "Evidence",
    "Extraction",
    "Import",
    "ImportReceipt",
    "Memory",
    "Revision",
    "Salience",
    "Scope",
    "Source",
    "State",
    "Stated",
    "Version",
    "searched_words",
]
