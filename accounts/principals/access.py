"""From an id to a principal for an actor, and what a credential may run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts import tenancy
from accounts.actor import Actor, Operator, Role, Scope
from accounts.errors import NotFound, PermissionDenied
from accounts.names import check_id
from accounts.principals.models import Agent, User

if TYPE_CHECKING:
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
