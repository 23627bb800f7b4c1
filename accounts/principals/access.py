"""From a credential and context headers to an Actor: the only way in (isolation.md).

Credential, role, account state and policy are read in one statement per request and never cached,
so a revoked key, a suspended account or a changed policy binds at once on every process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import ProgrammingError
from django.utils import timezone

from accounts import keys, tenancy
from accounts.actor import DEFAULT_ID, Actor, AgentRef, Operator, Principal, Role, Scope
from accounts.errors import InvalidArgument, NotFound, PermissionDenied, Unauthenticated
from accounts.names import check_id
from accounts.namespace import Policy
from accounts.principals.models import Agent, ApiKey, User

if TYPE_CHECKING:
    from accounts.tenancy import AccountRef

TOUCH_SECONDS = 60  # last_used_at is written at most this often

_POLICY = """
    a.state, p.isolate_user_scope_by_agent, p.isolate_agent_scope_by_user,
    p.sessions_visible_to, p.version,
    named.id AS named_id, named.user_id AS named_user_id,
    g.id AS agent_pk, g.agent_id
"""
_JOINS = """
    JOIN accounts_namespacepolicy p ON p.account_id = a.id
    LEFT JOIN principals_user named
        ON lower(named.user_id) = lower(%(user)s) AND named.is_active
    LEFT JOIN principals_agent g ON lower(g.agent_id) = lower(%(agent)s)
"""
_BY_KEY = f"""
    SELECT k.id AS key, k.secret_hash, k.pepper_id, k.scopes,
        k.last_used_at IS NULL
            OR k.last_used_at < now() - make_interval(secs => {TOUCH_SECONDS}) AS stale,
        u.id AS own_id, u.user_id AS own_user_id, u.role, {_POLICY}
    FROM principals_apikey k
    JOIN principals_user u ON u.id = k.user_id AND u.is_active
    JOIN accounts_account a ON a.id = %(account)s
    {_JOINS}
    WHERE k.key_id = %(key_id)s AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > now())
"""
_BY_ROOT = f"""
    SELECT {_POLICY} FROM accounts_account a {_JOINS} WHERE a.id = %(account)s
"""
_BY_MEMBERSHIP = f"""
    SELECT u.id AS own_id, u.user_id AS own_user_id, u.role, {_POLICY}
    FROM accounts_membership m
    JOIN accounts_person person ON person.id = m.person_id AND person.is_active
    JOIN accounts_account a ON a.id = m.account_id
    JOIN principals_user u ON u.id = m."user" AND u.is_active
    {_JOINS}
    WHERE m.person_id = %(person)s AND m.account_id = %(account)s
"""


@dataclass(frozen=True, slots=True)
class Context:
    """The context headers of a request, both families merged; None where absent.

    Attributes:
        account: an account_id. user: a user_id. agent: an agent_id.
        contact: any header that names a contact.
    """

    account: str | None = None
    user: str | None = None
    agent: str | None = None
    contact: str | None = None


def operator_by_key(secret: str, *, request_id: str) -> Operator | None:
    """ROOT, when the secret is the root key."""
    return Operator(request_id=request_id) if keys.is_root_key(secret) else None


def actor_by_key(secret: str, context: Context, *, request_id: str) -> Actor:
    """Enter the account that the credential belongs to, and say who is asking.

    The thread stays in the account; the request middleware returns it to public.

    Raises:
        Unauthenticated: no, unknown, revoked or expired key: one answer for all.
        InvalidArgument: a malformed context header, or ROOT without Account and User.
        PermissionDenied: a foreign account or user is named, or the account is suspended.
        NotFound: the named user or account does not exist.
    """
    _check_context(context)
    if keys.is_root_key(secret):
        return _root_actor(context, request_id)
    parsed = keys.parse_key(secret)
    ref = tenancy.find(parsed.account_id) if parsed else None
    if parsed is None or ref is None:
        raise _refused()
    row = _read(
        ref,
        _BY_KEY,
        account=ref.id,
        key_id=parsed.key_id,
        user=context.user,
        agent=context.agent or DEFAULT_ID,
    )
    if row is None or not keys.matches(parsed.secret, row["pepper_id"], row["secret_hash"]):
        tenancy.leave()
        raise _refused()
    actor = _bind(ref, row, context, request_id)
    if row["stale"]:
        ApiKey.objects.filter(pk=row["key"]).update(last_used_at=timezone.now())
    return actor


def actor_by_membership(ref: AccountRef, person: UUID, *, request_id: str) -> Actor | None:
    """The actor of a signed-in person in an account, or None when they do not belong to it.

    Enters the account when it returns an actor.
    """
    try:
        row = _read(ref, _BY_MEMBERSHIP, account=ref.id, person=person, user=None, agent=DEFAULT_ID)
    except Unauthenticated:  # the account is gone
        return None
    if row is None or row["state"] != "active":
        tenancy.leave()
        return None
    return _bind(ref, {**row, "key": None, "scopes": list(Scope)}, Context(), request_id)


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
        ref = tenancy.find(account_id)
        if ref is None:
            raise NotFound("account", account_id)
        return credential, ref
    if (
        credential.role is not Role.ADMIN
        or credential.account.account_id.lower() != account_id.lower()
    ):
        raise PermissionDenied("This needs an admin of the account, or the root key.")
    require_scope(credential, Scope.MANAGE)
    return credential, credential.account


def user_by_id(user_id: str) -> User | None:
    """The active user of that id in the current account; case is ignored."""
    return User.objects.filter(user_id__lower=user_id.lower(), is_active=True).first()


def agent_by_id(agent_id: str) -> Agent | None:
    """The agent of that id in the current account; case is ignored."""
    return Agent.objects.filter(agent_id__lower=agent_id.lower()).first()


def _refused() -> Unauthenticated:
    return Unauthenticated("A valid API key is needed: X-API-Key, or Authorization: Bearer.")


def _check_context(context: Context) -> None:
    for value, what in (
        (context.account, "account"),
        (context.user, "user"),
        (context.agent, "agent"),
    ):
        if value is not None:
            check_id(value, what)


def _root_actor(context: Context, request_id: str) -> Actor:
    if context.account is None or context.user is None:
        raise InvalidArgument(
            "The root key needs both X-Bailiwick-Account and X-Bailiwick-User here."
        )
    ref = tenancy.find(context.account)
    if ref is None:
        raise NotFound("account", context.account)
    row = _read(ref, _BY_ROOT, account=ref.id, user=context.user, agent=context.agent or DEFAULT_ID)
    if row is None:
        raise NotFound("account", context.account)
    row = {**row, "key": None, "role": Role.ROOT, "own_id": None, "scopes": list(Scope)}
    return _bind(ref, row, context, request_id)


def _read(ref: AccountRef, statement: str, **parameters: Any) -> dict[str, Any] | None:
    """Enter the account and read; an account that was dropped meanwhile is forgotten."""
    tenancy.enter(ref)
    try:
        return tenancy.fetch_row(statement, parameters)
    except ProgrammingError as error:
        tenancy.leave()
        if tenancy.is_missing_schema(error):
            tenancy.forget(ref.account_id)
            raise _refused() from None
        raise


def _bind(ref: AccountRef, row: dict[str, Any], context: Context, request_id: str) -> Actor:
    role = Role(row["role"])
    if row["state"] != "active":
        raise PermissionDenied("This account is suspended.")
    if context.account is not None and context.account.lower() != ref.account_id.lower():
        raise PermissionDenied("This key does not belong to that account.")
    principal = Principal(row["own_id"], row["own_user_id"]) if row["own_id"] else None
    return Actor(
        account=ref,
        role=role,
        principal=principal,
        user=_effective_user(role, principal, row, context),
        # While an agent is not registered, only its id is known; the first write registers it.
        agent=AgentRef(row["agent_pk"], row["agent_id"] or context.agent or DEFAULT_ID),
        policy=Policy(
            row["isolate_user_scope_by_agent"],
            row["isolate_agent_scope_by_user"],
            row["sessions_visible_to"],
            row["version"],
        ),
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
        key=row["key"],
        request_id=request_id,
    )


def _effective_user(
    role: Role, principal: Principal | None, row: dict[str, Any], context: Context
) -> Principal:
    if context.user is None or (principal and context.user.lower() == principal.user_id.lower()):
        if principal is None:
            raise InvalidArgument("The root key needs X-Bailiwick-User here.")
        return principal
    if role is Role.USER:
        raise PermissionDenied("This key may not act for another user.")
    if row["named_id"] is None:
        raise NotFound("user", context.user)
    return Principal(row["named_id"], row["named_user_id"])


def actor_within(ref: AccountRef, user_id: str, agent_id: str = DEFAULT_ID) -> Actor:
    """A user of the account acting as itself, for commands on the machine (demo data, imports).

    The caller is inside the account (tenancy.account).

    Raises:
        NotFound: no such user.
    """
    row = tenancy.fetch_row(_BY_ROOT, {"account": ref.id, "user": user_id, "agent": agent_id})
    if row is None or row["named_id"] is None:
        raise NotFound("user", user_id)
    own = {
        "key": None,
        "role": Role.USER,
        "scopes": [Scope.READ, Scope.WRITE],
        "own_id": row["named_id"],
        "own_user_id": row["named_user_id"],
    }
    return _bind(ref, {**row, **own}, Context(agent=agent_id), "")
