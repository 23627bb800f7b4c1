"""From an id to a principal for an actor, and what a credential may run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts import tenancy
from accounts.actor import Actor, Operator, Role, Scope
from accounts.errors import Conflict, NotFound, PermissionDenied
from accounts.names import check_id
from accounts.principals.models import Agent, ApiKey, User

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.guard import AccountQuerySet
    from accounts.tenancy import AccountRef


def require_scope(actor: Actor, scope: Scope) -> None:
    """Raise PermissionDenied when the key lacks the scope."""
    if scope not in actor.scopes:
        raise PermissionDenied(f"This key lacks the scope '{scope}'.", scope=scope)


def manager_of(
    credential: Actor | Operator, account_id: str
) -> tuple[Actor | Operator, AccountRef]:
    """Who may run the account: ROOT, or an ADMIN of it with the scope `manage`.

    Raises:
        NotFound: ROOT names an account that does not exist.
        PermissionDenied: anyone else; a foreign and an absent account are refused alike.
    """
    if isinstance(credential, Operator):
        return credential, account_for(account_id)
    if (
        credential.role is not Role.ADMIN
        or credential.account.account_id.lower() != account_id.lower()
    ):
        raise PermissionDenied("This needs an admin of the account, or the root key.")
    require_scope(credential, Scope.MANAGE)
    return credential, credential.account


def account_for(account_id: str) -> AccountRef:
    """The account of that id, for an operator. Raises NotFound."""
    ref = tenancy.find(account_id, fresh=True)
    if ref is None:
        raise NotFound("account", account_id)
    return ref


def require_admin(actor: Actor) -> None:
    """Raise PermissionDenied unless the real role is ADMIN (with `manage`) or ROOT."""
    if actor.role is Role.USER:
        raise PermissionDenied("This needs an admin of the account, or the root key.")
    require_scope(actor, Scope.MANAGE)


def user_by_id(user_id: str) -> User | None:
    """The active user of that id in the current account; case is ignored."""
    return User.objects.filter(user_id__lower=user_id.lower(), is_active=True).first()


def user_for(user_id: str) -> User:
    """As user_by_id, or NotFound; InvalidArgument for what is no id."""
    check_id(user_id, "user_id")
    found = user_by_id(user_id)
    if found is None:
        raise NotFound("user", user_id)
    return found


def agent_by_id(agent_id: str) -> Agent | None:
    """The agent of that id in the current account; case is ignored."""
    return Agent.objects.filter(agent_id__lower=agent_id.lower()).first()


def agent_for(agent_id: str) -> Agent:
    """As agent_by_id, or NotFound; InvalidArgument for what is no id."""
    check_id(agent_id, "agent_id")
    found = agent_by_id(agent_id)
    if found is None:
        raise NotFound("agent", agent_id)
    return found


def key_holder(actor: Actor | Operator, user_id: str) -> User:
    """The user whose keys the actor may make: any for ADMIN and ROOT, only itself for USER.

    Raises:
        NotFound: no such user, or another one for USER.
        Conflict: the default user, who has none.
    """
    user = user_for(user_id)
    if not _keeps_keys_of(actor, user.pk):
        raise NotFound("user", user_id)
    if user.is_default:
        raise Conflict("The default user has no key: it owns what nobody else owns.")
    return user


def keys_of(actor: Actor) -> AccountQuerySet[ApiKey]:
    """The keys that the actor may see and revoke: all for ADMIN, its own for USER."""
    rows = ApiKey.objects.get_queryset().filter(revoked_at=None)
    if actor.role is not Role.USER:
        return rows
    return rows.filter(user=actor.principal.id) if actor.principal else rows.none()


def key_for(actor: Actor | Operator, key_id: str) -> ApiKey:
    """A key that is not revoked, of a user whose keys the actor may revoke. Raises NotFound."""
    key = ApiKey.objects.filter(key_id=key_id, revoked_at=None).select_related("user").first()
    if key is None or not _keeps_keys_of(actor, key.user_id):
        raise NotFound("key", key_id)
    return key


def grantable_scopes(actor: Actor | Operator, holder: User) -> tuple[Scope, ...]:
    """What the actor may give a key of that user; `manage` works beside the role ADMIN only."""
    if isinstance(actor, Actor) and actor.role is Role.USER:
        return (Scope.READ, Scope.WRITE)
    more = (Scope.MANAGE,) if holder.role == User.Role.ADMIN else ()
    return (Scope.READ, Scope.WRITE, Scope.GATEWAY, *more)


def _keeps_keys_of(actor: Actor | Operator, user: UUID) -> bool:
    if isinstance(actor, Operator) or actor.role is not Role.USER:
        return True
    return actor.principal is not None and actor.principal.id == user


def user_key_ever(user_id: str) -> UUID | None:
    """The row of a user who is, or was, in the current account: what the audit log refers to."""
    rows = User.objects.filter(user_id__lower=user_id.lower())
    return rows.values_list("pk", flat=True).first()
