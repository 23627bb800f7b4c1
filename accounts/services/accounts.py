"""Rows of accounts in the public schema: policy, settings, the operators' log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts import tenancy
from accounts.errors import Conflict, InvalidArgument
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

POLICY_FIELDS = (
    "isolate_user_scope_by_agent",
    "isolate_agent_scope_by_user",
    "sessions_visible_to",
)


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
    changes: Mapping[str, Any],
    reason: str,
    updated_by: UUID | None,
    version: int | None = None,
) -> NamespacePolicy:
    """Put a new version of the policy in force, inside the caller's transaction.

    It binds at once: every request reads the policy with its credential. What is not given stays;
    when nothing differs, no version is made.

    Args:
        changes: of POLICY_FIELDS.
        version: the one that was in force when the change was decided; None: whichever is.

    Raises:
        InvalidArgument: a value other than account and participants.
        Conflict: another version is in force.
    """
    readers = changes.get("sessions_visible_to")
    if readers is not None and readers not in NamespacePolicy.SessionsVisibleTo.values:
        raise InvalidArgument(
            "sessions_visible_to must be 'account' or 'participants'.",
            field="sessions_visible_to",
        )
    policy = NamespacePolicy.objects.select_for_update().get(account_id=account.id)
    if version is not None and version != policy.version:
        raise Conflict(
            f"The policy was changed meanwhile: version {policy.version} is in force.",
            version=policy.version,
        )
    if all(getattr(policy, name) == value for name, value in changes.items()):
        return policy
    for name, value in changes.items():
        setattr(policy, name, value)
    policy.version += 1
    policy.updated_at = timezone.now()
    policy.updated_by = updated_by
    policy.save(update_fields=[*POLICY_FIELDS, "version", "updated_at", "updated_by"])
    PolicyVersion.objects.create(
        account_id=account.id,
        version=policy.version,
        reason=reason,
        updated_by=updated_by,
        **{name: getattr(policy, name) for name in POLICY_FIELDS},
    )
    return policy


def policy_lock(*, account: AccountRef) -> int:
    """The version in force; it stays so until the caller's transaction ends."""
    return NamespacePolicy.objects.select_for_update().get(account_id=account.id).version


def policy_before(*, account: AccountRef) -> PolicyVersion:
    """The version before the one in force, which a revert goes back to.

    Raises:
        Conflict: the first version is in force.
    """
    current = NamespacePolicy.objects.get(account_id=account.id).version
    found = (
        PolicyVersion.objects.filter(account_id=account.id, version__lt=current)
        .order_by("-version")
        .first()
    )
    if found is None:
        raise Conflict("This is the first version of the policy; there is none before it.")
    return found


def settings_change(*, account: AccountRef, values: Mapping[str, Any]) -> AccountSettings:
    """Change some settings, inside the caller's transaction.

    Raises:
        InvalidArgument: an unknown name, or a value that is refused.
    """
    row = Account.objects.select_for_update().get(pk=account.id)
    changed = AccountSettings.of(row.settings).changed(values)
    Account.objects.filter(pk=account.id).update(settings=changed.overrides())
    return changed
