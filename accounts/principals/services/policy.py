"""Policy and settings of an account, with the account's own audit event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts import services, tenancy
from accounts.actor import Actor
from accounts.errors import InvalidArgument, Unimplemented
from accounts.models import NamespacePolicy
from accounts.principals import audit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.actor import Operator
    from accounts.settings import AccountSettings
    from accounts.tenancy import AccountRef

MAX_REASON = 1_000
NAMESPACE_FLAGS = ("isolate_user_scope_by_agent", "isolate_agent_scope_by_user")


def policy_update(
    *,
    actor: Actor | Operator,
    account: AccountRef,
    changes: Mapping[str, Any],
    reason: str = "",
) -> NamespacePolicy:
    """Change who reads sessions. What is not given stays; no change makes no version.

    Args:
        changes: of `sessions_visible_to` and the two namespace flags.

    Raises:
        InvalidArgument: a value or a reason that is refused.
        Unimplemented: a namespace flag would change; that comes with memories and their preview.
    """
    if len(reason) > MAX_REASON:
        raise InvalidArgument(f"reason has at most {MAX_REASON} characters.", field="reason")
    with tenancy.account(account), transaction.atomic():
        policy = NamespacePolicy.objects.select_for_update().get(account_id=account.id)
        for flag in NAMESPACE_FLAGS:
            if changes.get(flag, getattr(policy, flag)) != getattr(policy, flag):
                raise Unimplemented(f"{flag} cannot be changed in this version.")
        before = policy.version
        policy = services.policy_set(
            account=account,
            sessions_visible_to=changes.get("sessions_visible_to", policy.sessions_visible_to),
            reason=reason,
            updated_by=actor.principal.id if isinstance(actor, Actor) and actor.principal else None,
        )
        if policy.version != before:
            audit.record(
                actor=actor,
                action="policy.changed",
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
