"""From a credential and context headers to an Actor (isolation.md).

Together with membership.py, which is for persons in a browser, the only way in. Credential, role,
account state and policy are read in one statement per request and never cached, so a revoked key,
a suspended account or a changed policy binds at once on every process.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import ProgrammingError
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts import keys, tenancy
from accounts.actor import (
    DEFAULT_ID,
    Actor,
    AgentRef,
    Operator,
    Principal,
    Role,
    Scope,
)
from accounts.errors import InvalidArgument, NotFound, PermissionDenied, Unauthenticated
from accounts.names import check_id
from accounts.namespace import Policy
from accounts.principals import audit, contacts
from accounts.principals.models import ApiKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.tenancy import AccountRef

TOUCH_SECONDS = 60  # last_used_at is written at most this often
NOBODY = UUID(int=0)  # whom a User header names that names nobody
RETIRED_IDS = frozenset({"test", "00000000-0000-0000-0000-000000000000"})  # fold to default
log = logging.getLogger("bailiwick.authentication")

# What every way in reads of the account, the named user and the named agent, and from where.
FACTS = """
    a.state, a.settings, p.isolate_user_scope_by_agent, p.isolate_agent_scope_by_user,
    p.sessions_visible_to, p.version,
    named.id AS named_id, named.user_id AS named_user_id, named.is_active AS named_active,
    g.id AS agent_pk, g.agent_id
"""
JOINS = """
    JOIN accounts_namespacepolicy p ON p.account_id = a.id
    LEFT JOIN principals_user named ON lower(named.user_id) = lower(%(user)s)
    LEFT JOIN principals_agent g
        ON lower(g.agent_id) = lower(coalesce(%(agent)s, {bound}'default'))
"""
_BY_KEY = f"""
    SELECT k.id AS key, k.secret_hash, k.pepper_id, k.scopes, k.name AS key_name,
        k.agents, k.contact_required,
        k.last_used_at IS NULL
            OR k.last_used_at < now() - make_interval(secs => {TOUCH_SECONDS}) AS stale,
        u.id AS own_id, u.user_id AS own_user_id, u.role, {FACTS}
    FROM principals_apikey k
    JOIN principals_user u ON u.id = k.user_id AND u.is_active
    JOIN accounts_account a ON a.id = %(account)s
    {JOINS.format(bound="k.agents[1], ")}
    WHERE k.key_id = %(key_id)s AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > now())
"""
_BY_NAME = f"""
    SELECT {FACTS} FROM accounts_account a {JOINS.format(bound="")} WHERE a.id = %(account)s
"""


@dataclass(frozen=True, slots=True)
class Context:
    """The context headers of a request, both families merged; None where absent.

    Attributes:
        account: an account_id. user: a user_id. agent: an agent_id.
        contact: a contact's UUID, or `platform:id`.
        peer: an id on platform `peer`, of the caller's own user.
    """

    account: str | None = None
    user: str | None = None
    agent: str | None = None
    contact: str | None = None
    peer: str | None = None


def operator_by_key(secret: str, *, request_id: str) -> Operator | None:
    """ROOT, when the secret is the root key."""
    return Operator(request_id=request_id) if keys.is_root_key(secret) else None


def actor_by_key(secret: str, context: Context, *, request_id: str) -> Actor:
    """Enter the account that the credential belongs to, and say who is asking.

    The thread stays in the account; the request middleware returns it to public.

    Raises:
        Unauthenticated: no, unknown, revoked or expired key: one answer for all.
        InvalidArgument: a malformed context header, or ROOT without Account and User.
        PermissionDenied: a foreign account, user or agent is named, or the account is suspended.
        NotFound: the named user, contact or account does not exist.
    """
    context = _checked(context)
    if keys.is_root_key(secret):
        return _actor_of_root(context, request_id)
    parsed = keys.parse_key(secret)
    found = parsed and read_row(
        parsed.account_id,
        _BY_KEY,
        key_id=parsed.key_id,
        user=_folded(context.user),
        agent=context.agent,
    )
    if not parsed or not found:
        raise _refused()
    ref, row = found
    if not keys.matches(parsed.secret, row["pepper_id"], row["secret_hash"]):
        tenancy.leave()
        raise _refused()
    actor = bind(ref, row, context, request_id)
    if row["stale"]:
        ApiKey.objects.filter(pk=row["key"]).update(last_used_at=timezone.now())
    return actor


def actor_by_gateway(secret: str, context: Context, *, request_id: str) -> Actor:
    """Mode `trusted`: a gateway that authenticates names account and user; the role is USER.

    Raises:
        Unauthenticated: a gateway key is configured and was not sent.
        InvalidArgument: Account or User is missing.
        NotFound: no such account.
    """
    if settings.GATEWAY_KEYS and not any(keys.same(secret, key) for key in settings.GATEWAY_KEYS):
        raise Unauthenticated("The gateway's key is needed.")
    context = _checked(context)
    if context.account is None or context.user is None:
        raise InvalidArgument("Mode trusted needs the headers Account and User.")
    ref, row = _by_name(context)
    if row["named_id"] is not None and not row["named_active"]:
        raise PermissionDenied("This user was deleted; the id is not given out again.")
    own = {
        "own_id": row["named_id"] or uuid7(),  # of a new user: its row gets this id
        "own_user_id": row["named_user_id"] or context.user,
        "registered": row["named_id"] is not None,
        "role": Role.USER,
        "scopes": [Scope.READ, Scope.WRITE, Scope.GATEWAY],
    }
    actor = bind(ref, {**row, **own}, replace(context, user=None), request_id)
    if context.user.lower() in RETIRED_IDS:
        _note_folding(actor)
    return replace(actor, trusted=True)


def actor_of_operator(ref: AccountRef) -> Actor:
    """ROOT acting for the account's default user: for commands on the machine.

    The caller is inside the account (tenancy.account).
    """
    return _actor_of_root(Context(account=ref.account_id, user=DEFAULT_ID), "")


def actor_of_developer(context: Context, *, request_id: str) -> Actor:
    """Mode `dev`: ROOT; account, user and agent `default` unless headers name others."""
    asked = _checked(context)
    return _actor_of_root(
        replace(asked, account=asked.account or DEFAULT_ID, user=asked.user or DEFAULT_ID),
        request_id,
    )


def actor_within(ref: AccountRef, user_id: str, agent_id: str = DEFAULT_ID) -> Actor:
    """A user of the account acting as itself, for commands on the machine (demo data, imports).

    The caller is inside the account (tenancy.account).

    Raises:
        NotFound: no such user.
    """
    row = tenancy.fetch_row(_BY_NAME, {"account": ref.id, "user": user_id, "agent": agent_id})
    if row is None or not row["named_active"]:
        raise NotFound("user", user_id)
    own = {
        "role": Role.USER,
        "scopes": [Scope.READ, Scope.WRITE],
        "own_id": row["named_id"],
        "own_user_id": row["named_user_id"],
    }
    return bind(ref, {**row, **own}, Context(agent=agent_id), "")


def _refused() -> Unauthenticated:
    return Unauthenticated("A valid API key is needed: X-API-Key, or Authorization: Bearer.")


def _checked(context: Context) -> Context:
    for value, what in (
        (context.account, "account"),
        (context.user, "user"),
        (context.agent, "agent"),
    ):
        if value is not None:
            check_id(value, what)
    return context


def _folded(user_id: str | None) -> str | None:
    """The nil UUID and the retired alias mean the default user, where one may name a user."""
    return DEFAULT_ID if user_id is not None and user_id.lower() in RETIRED_IDS else user_id


def _actor_of_root(context: Context, request_id: str) -> Actor:
    if context.account is None or context.user is None:
        raise InvalidArgument(
            "The root key needs both X-Bailiwick-Account and X-Bailiwick-User here."
        )
    ref, row = _by_name(context)
    row |= {"role": Role.ROOT, "own_id": None, "scopes": list(Scope)}
    return bind(ref, row, context, request_id)


def _by_name(context: Context) -> tuple[AccountRef, dict[str, Any]]:
    """The account that the headers name, and what is known about the named user and agent."""
    account_id = context.account or ""
    found = read_row(account_id, _BY_NAME, user=_folded(context.user), agent=context.agent)
    if not found:
        raise NotFound("account", account_id)
    return found


def read_row(
    account_id: str, statement: str, **parameters: Any
) -> tuple[AccountRef, dict[str, Any]] | None:
    """Enter the account and read one row of it; None when there is no account or no row.

    An account that was dropped is forgotten, and looked for again: one of the same id may have
    been made since, with another schema.
    """
    for _attempt in range(2):
        ref = tenancy.find(account_id)
        if ref is None:
            return None
        tenancy.enter(ref)
        try:
            row = tenancy.fetch_row(statement, {"account": ref.id, **parameters})
        except ProgrammingError as error:
            tenancy.leave()
            if not tenancy.is_missing_schema(error):
                raise
            tenancy.forget(account_id)
        else:
            if row is None:
                tenancy.leave()
                return None
            return ref, row
    return None


def bind(ref: AccountRef, row: Mapping[str, Any], context: Context, request_id: str) -> Actor:
    """Hold the headers against the rights of the credential."""
    if row["state"] != "active":
        raise PermissionDenied("This account is suspended.")
    if context.account is not None and context.account.lower() != ref.account_id.lower():
        raise PermissionDenied("This key does not belong to that account.")
    role = Role(row["role"])
    principal = None
    if row["own_id"]:
        principal = Principal(row["own_id"], row["own_user_id"], row.get("registered", True))
    bound = tuple(agent.lower() for agent in row.get("agents") or ())
    agent_id = row["agent_id"] or context.agent or (row.get("agents") or [DEFAULT_ID])[0]
    if bound and agent_id.lower() not in bound:
        raise PermissionDenied("This key is bound to other agents.")
    actor = Actor(
        account=ref,
        role=role,
        principal=principal,
        user=_effective_user(role, principal, row, context),
        # While an agent is not registered, only its id is known; the first write registers it.
        agent=AgentRef(row["agent_pk"], agent_id),
        policy=Policy(
            row["isolate_user_scope_by_agent"],
            row["isolate_agent_scope_by_user"],
            row["sessions_visible_to"],
            row["version"],
        ),
        scopes=_scopes(role, row),
        key=row.get("key"),
        agents=bound,
        contact_required=row.get("contact_required", False),
        settings=json.loads(row["settings"]),
        request_id=request_id,
    )
    if context.user is not None and context.user.lower() in RETIRED_IDS:
        _note_folding(actor)
    if context.contact is None and context.peer is None:
        return actor
    named = (row["named_id"] or NOBODY) if context.user is not None else None
    return contacts.narrowed_by_header(actor, context.contact, context.peer, named_user=named)


def _scopes(role: Role, row: Mapping[str, Any]) -> frozenset[Scope]:
    """`manage` counts beside the role ADMIN only; an admin's key named `default` has it."""
    scopes = {Scope(scope) for scope in row["scopes"]}
    if role is Role.USER:
        scopes.discard(Scope.MANAGE)
    elif row.get("key_name") == keys.DEFAULT_NAME:
        scopes.add(Scope.MANAGE)
    return frozenset(scopes)


def _effective_user(
    role: Role, principal: Principal | None, row: Mapping[str, Any], context: Context
) -> Principal:
    if principal and (context.user is None or context.user.lower() == principal.user_id.lower()):
        return principal
    if role is Role.USER:
        assert principal is not None
        if context.contact is None or (context.user or "").lower() in RETIRED_IDS:
            raise PermissionDenied("This key may not act for another user.")
        return principal  # the contact's owner takes its place, or the header is refused
    if not row["named_active"]:
        raise NotFound("user", context.user or "")
    return Principal(row["named_id"], row["named_user_id"])


def _note_folding(actor: Actor) -> None:
    """So that nobody writes for long into a name that means nobody."""
    log.warning("%s a retired user id was folded to default", actor.request_id)
    audit.note(actor=actor, action="user.folded", subject=actor.user.id)
