"""Folding words for search, as `public.bw_fold` does in the database."""

from __future__ import annotations

import re
import unicodedata

_MARKS = re.compile("[\u0300-\u036f]")


def fold(text: str) -> str:
    """Lower case without accents: 'Campanhã' becomes 'campanha'."""
    return _MARKS.sub("", unicodedata.normalize("NFKD", text)).lower()
