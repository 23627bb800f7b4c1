"""Rows of accounts in the public schema: policy, settings, the operators' log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts import tenancy
from accounts.errors import InvalidArgument
from accounts.models import (
    Account,
    NamespacePolicy,
    OperatorEvent,
    PolicyVersion,
)
from accounts.names import is_plain_number
from accounts.settings import AccountSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from accounts.actor import Operator
    from accounts.tenancy import AccountRef


def account_migrated(*, account: AccountRef, heads: str) -> None:
    """Note that the account's schema is at these heads. No event: nothing changed for anyone."""
    Account.objects.filter(pk=account.id).update(migrated_to=heads)


def operator_event(
    *, actor: Operator, action: str, account: UUID | None = None, **data: Any
) -> None:
    """Write one row of the operators' log, inside the caller's transaction.

    Args:
        data: UUIDs and counts only, never words or names.
    """
    OperatorEvent.objects.create(
        action=action,
        person=actor.person,
        account=account,
        data={key: str(value) for key, value in data.items()},
        request_id=actor.request_id if is_plain_number(actor.request_id) else "",
    )


def delete_jobs(account: UUID) -> None:
    """Delete the queued and finished jobs of an account, inside the caller's transaction."""
    tenancy.execute("DELETE FROM procrastinate_jobs WHERE args ->> 'account' = %s", [str(account)])


def policy_set(
    *,
    account: AccountRef,
    sessions_visible_to: str,
    reason: str,
    updated_by: UUID | None,
) -> NamespacePolicy:
    """Put a new version of the policy in force, inside the caller's transaction.

    It binds at once: every request reads the policy with its credential.

    Raises:
        InvalidArgument: a value other than account and participants.
    """
    if sessions_visible_to not in NamespacePolicy.SessionsVisibleTo.values:
        raise InvalidArgument(
            "sessions_visible_to must be 'account' or 'participants'.",
            field="sessions_visible_to",
        )
    policy = NamespacePolicy.objects.select_for_update().get(account_id=account.id)
    if policy.sessions_visible_to == sessions_visible_to:
        return policy
    policy.sessions_visible_to = sessions_visible_to
    policy.version += 1
    policy.updated_at = timezone.now()
    policy.updated_by = updated_by
    policy.save(update_fields=["sessions_visible_to", "version", "updated_at", "updated_by"])
    PolicyVersion.objects.create(
        account_id=account.id,
        version=policy.version,
        isolate_user_scope_by_agent=policy.isolate_user_scope_by_agent,
        isolate_agent_scope_by_user=policy.isolate_agent_scope_by_user,
        sessions_visible_to=sessions_visible_to,
        reason=reason,
        updated_by=updated_by,
    )
    return policy


def settings_change(*, account: AccountRef, values: Mapping[str, Any]) -> AccountSettings:
    """Change some settings, inside the caller's transaction.

    Raises:
        InvalidArgument: an unknown name, or a value that is refused.
    """
    row = Account.objects.select_for_update().get(pk=account.id)
    changed = AccountSettings.of(row.settings).changed(values)
    Account.objects.filter(pk=account.id).update(settings=changed.overrides())
    return changed
