"""The format of API keys: `bwk_<account_id>.<key_id>.<secret>`.

The account is found from the key alone. Only an HMAC of the secret is kept, under a pepper that
lives outside the database and has an id, so that it can be rotated.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from django.conf import settings

PREFIX = "bwk_"
DEFAULT_NAME = "default"  # of the key that a user is born with
KEY_ID_BYTES = 9  # 12 characters
SECRET_BYTES = 32  # 43 characters
_SHAPE = re.compile(
    r"bwk_([a-zA-Z0-9_-]{1,64})\.([a-zA-Z0-9_-]{1,32})\.([a-zA-Z0-9_-]{1,100})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """The three parts of a key as it was sent."""

    account_id: str
    key_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: `plain` is shown once and kept nowhere."""

    plain: str
    key_id: str
    secret_hash: bytes
    pepper_id: str


def new_key(account_id: str) -> NewKey:
    """Make a key for the account, its hash under the newest pepper."""
    key_id = secrets.token_urlsafe(KEY_ID_BYTES)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    pepper_id = next(iter(settings.KEY_PEPPERS))
    return NewKey(
        plain=f"{PREFIX}{account_id}.{key_id}.{secret}",
        key_id=key_id,
        secret_hash=hash_secret(secret, pepper_id),
        pepper_id=pepper_id,
    )


def parse_key(text: str) -> ParsedKey | None:
    """The parts, or None when the text has not the shape of a key."""
    found = _SHAPE.fullmatch(text)
    return ParsedKey(*found.groups()) if found else None


def hash_secret(secret: str, pepper_id: str) -> bytes:
    """HMAC-SHA256 of the secret, 32 bytes. An unknown pepper gives a hash that nothing matches."""
    pepper = settings.KEY_PEPPERS.get(pepper_id)
    if pepper is None:
        return secrets.token_bytes(32)
    return hmac.digest(pepper.encode(), secret.encode(), hashlib.sha256)


def matches(secret: str, pepper_id: str, secret_hash: bytes) -> bool:
    """Whether the secret is the one that was hashed; compared in constant time."""
    return hmac.compare_digest(hash_secret(secret, pepper_id), bytes(secret_hash))


def is_root_key(text: str) -> bool:
    """Whether the text is the installation's root key."""
    return same(text, settings.ROOT_KEY)


def same(text: str, secret: str) -> bool:
    """Whether two secrets are equal; compared in constant time."""
    return hmac.compare_digest(text.encode(errors="replace"), secret.encode())
