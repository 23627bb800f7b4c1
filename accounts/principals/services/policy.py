"""Policy and settings of an account, with the account's own audit event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts import services, tenancy
from accounts.actor import Actor
from accounts.errors import InvalidArgument
from accounts.http.parser import check_text
from accounts.principals import audit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.actor import Operator
    from accounts.models import NamespacePolicy
    from accounts.settings import AccountSettings
    from accounts.tenancy import AccountRef

MAX_REASON = 1_000


def policy_update(
    *,
    actor: Actor | Operator,
    account: AccountRef,
    changes: Mapping[str, Any],
    reason: str = "",
    version: int | None = None,
) -> NamespacePolicy:
    """Change who reads sessions, and what splits memories. What is not given stays.

    No session and no memory is touched: a policy is read with each request, and decides there.

    Args:
        changes: of `sessions_visible_to` and the two namespace flags.
        version: the one that was previewed; None: whichever is in force.

    Raises:
        InvalidArgument: a value or a reason that is refused.
        Conflict: another version is in force.
    """
    if len(reason) > MAX_REASON:
        raise InvalidArgument(f"reason has at most {MAX_REASON} characters.", field="reason")
    check_text(reason)
    with tenancy.account(account), transaction.atomic():
        return _set(actor, account, changes, reason, version, "policy.changed")


def policy_revert(
    *,
    actor: Actor | Operator,
    account: AccountRef,
    reason: str = "",
    version: int | None = None,
) -> NamespacePolicy:
    """Put a new version in force that equals the one before; reverting twice is back again.

    Raises:
        Conflict: the first version is in force, or another than `version`.
    """
    if len(reason) > MAX_REASON:
        raise InvalidArgument(f"reason has at most {MAX_REASON} characters.", field="reason")
    check_text(reason)
    with tenancy.account(account), transaction.atomic():
        services.policy_lock(account=account)
        before = services.policy_before(account=account)
        changes = {name: getattr(before, name) for name in services.POLICY_FIELDS}
        return _set(actor, account, changes, reason, version, "policy.reverted")


def _set(
    actor: Actor | Operator,
    account: AccountRef,
    changes: Mapping[str, Any],
    reason: str,
    version: int | None,
    action: str,
) -> NamespacePolicy:
    """One new version with its audit event, unless nothing differs."""
    before = services.policy_lock(account=account)
    policy = services.policy_set(
        account=account,
        changes=changes,
        reason=reason,
        version=version,
        updated_by=actor.principal.id if isinstance(actor, Actor) and actor.principal else None,
    )
    if policy.version != before:
        audit.record(
            actor=actor,
            action=action,
            target_type="account",
            target=account.id,
            version=policy.version,
        )
    return policy


def settings_update(
    *, actor: Actor | Operator, account: AccountRef, values: Mapping[str, Any]
) -> AccountSettings:
    """Change some of the account's settings.

    Raises:
        InvalidArgument: a value that is refused.
    """
    with tenancy.account(account), transaction.atomic():
        changed = services.settings_change(account=account, values=values)
        audit.record(
            actor=actor,
            action="settings.changed",
            target_type="account",
            target=account.id,
            changed=len(values),
        )
    return changed
