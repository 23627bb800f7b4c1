"""Folding words for search, as `public.bw_fold` does in the database."""

from __future__ import annotations

import re
import unicodedata

_RUNS = re.compile(r"[^\w\s\"'-]+|-{2,}")
_MARKS = re.compile("[\u0300-\u036f]")


def search_words(text: str) -> str:
    """Folded, and without the runs of punctuation that PostgreSQL's query parser chokes on."""
    return _RUNS.sub(" ", fold(text))


def fold(text: str) -> str:
    """Lower case without accents: 'Campanhã' becomes 'campanha'."""
    return _MARKS.sub("", unicodedata.normalize("NFKD", text)).lower()
