"""Which ids things of a source get here (legacy formats, rules)."""

from __future__ import annotations

import hashlib
import re

from accounts.names import RESERVED_IDS, is_id, is_uuid

_OTHER = re.compile(r"[^a-zA-Z0-9_-]+")
MAX_ID, MAX_SESSION_ID = 64, 128


def id_for(key: str, name: str = "") -> str:
    """The id of a user or agent: the source's own where it is one, else a slug and 8 digits.

    Args:
        key: what the source calls it. name: what people call it there.
    """
    if is_id(key) and key.lower() not in RESERVED_IDS and not is_uuid(key):
        return key
    return _slug(name or ("" if is_uuid(key) else key), key, MAX_ID, "imported")


def session_id_for(key: str) -> str:
    """The id of a session: the source's own where it is one, else a slug and 8 digits."""
    if re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", key, re.ASCII):
        return key
    return _slug(key, key, MAX_SESSION_ID, "session")


def other_session_id_for(key: str) -> str:
    """Another one, where another session of a source has that in another case."""
    return _slug(key, key, MAX_SESSION_ID, "session")


def _slug(words: str, key: str, most: int, otherwise: str) -> str:
    slug = _OTHER.sub("-", words).strip("-_").lower()[: most - 9].strip("-_")
    digits = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{slug or otherwise}-{digits}"
