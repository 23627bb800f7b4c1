"""API keys: everything but their secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accounts import tenancy
from accounts.principals.models import ApiKey

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from accounts.tenancy import AccountRef


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What may be told about a key."""

    id: UUID
    key_id: str
    user_id: str
    name: str
    scopes: list[str]
    agents: list[str]
    contact_required: bool
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


def key_page(
    *, account: AccountRef, user_id: str, after: UUID | None, limit: int
) -> list[KeyFacts]:
    """Keys that are not revoked, oldest first; one more than `limit` when there are more.

    Args:
        user_id: only of this user; of all when empty.
    """
    with tenancy.account(account):
        rows = ApiKey.objects.filter(revoked_at=None).select_related("user").order_by("id")
        if user_id:
            rows = rows.filter(user__user_id__lower=user_id.lower())
        if after is not None:
            rows = rows.filter(id__gt=after)
        return [KeyFacts(**key_facts(row)) for row in rows[: limit + 1]]


def key_facts(key: ApiKey) -> dict[str, Any]:
    """What may be told about a key: everything but its secret."""
    return {
        "id": key.pk,
        "key_id": key.key_id,
        "user_id": key.user.user_id,
        "name": key.name,
        "scopes": key.scopes,
        "agents": key.agents,
        "contact_required": key.contact_required,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
    }
