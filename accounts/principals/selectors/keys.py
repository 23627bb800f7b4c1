"""API keys: everything but their secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from accounts import keys as key_format
from accounts import tenancy
from accounts.actor import Actor, Operator, Scope
from accounts.principals import access
from accounts.principals.models import ApiKey, User
from accounts.principals.selectors.pages import Page, newest_first

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from accounts.tenancy import AccountRef


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What may be told about a key.

    Attributes:
        manages: has the scope `manage` without naming it, as long as its user is an admin.
    """

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
    manages: bool

    @property
    def is_default(self) -> bool:
        """Whether it is the one that a user is born with: it is replaced by name."""
        return self.name == key_format.DEFAULT_NAME

    @property
    def expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What somebody may make a key with. `scopes` are told of every key, the rest are refused."""

    user_id: str
    scopes: tuple[Scope, ...]
    has_default: bool


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


def key_register(
    *,
    actor: Actor,
    q: str = "",
    user_id: str = "",
    limit: int,
    older: str | None = None,
    newer: str | None = None,
) -> Page[KeyFacts]:
    """Keys that are not revoked, newest first: everybody's for ADMIN, one's own for USER.

    Args:
        q: in the key's name, its id, or the user's id. user_id: only of this user.

    Raises:
        InvalidArgument: a cursor that no list gave out.
    """
    rows = access.keys_of(actor).select_related("user")
    if user_id:
        rows = rows.filter(user__user_id__lower=user_id.lower())
    if q:
        rows = rows.filter(
            Q(name__icontains=q) | Q(user__user_id__icontains=q) | Q(key_id__startswith=q)
        )
    found = newest_first(rows, limit=limit, older=older, newer=newer)
    facts = [KeyFacts(**key_facts(row)) for row in found.rows]
    return Page(facts, found.total, found.older, found.newer)


def key_row(*, actor: Actor, key_id: str) -> KeyFacts:
    """One key that the actor may revoke. Raises NotFound."""
    return KeyFacts(**key_facts(access.key_for(actor, key_id)))


def key_grant(*, actor: Actor | Operator, user_id: str) -> KeyGrant:
    """What the actor may make a key of that user with.

    Raises:
        NotFound: no such user, or another one than the actor, who is no admin.
        Conflict: the default user has no key.
    """
    holder = access.key_holder(actor, user_id)
    rows = ApiKey.objects.filter(user=holder, revoked_at=None, name=key_format.DEFAULT_NAME)
    return KeyGrant(holder.user_id, access.grantable_scopes(actor, holder), rows.exists())


def keys_bound_to(*, agent_id: str, limit: int) -> list[KeyFacts]:
    """Keys that are bound to the agent, newest first. For those who run the account."""
    # The ids of an array as one text, such as `{ada,max}`; none of them has a brace or a comma.
    is_in = rf'[{{,"]{agent_id}[}},"]'
    rows = ApiKey.objects.filter(revoked_at=None).annotate(listed=Cast("agents", TextField()))
    found = rows.filter(listed__iregex=is_in).select_related("user").order_by("-id")[:limit]
    return [KeyFacts(**key_facts(row)) for row in found]


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
        "manages": key.name == key_format.DEFAULT_NAME and key.user.role == User.Role.ADMIN,
    }
