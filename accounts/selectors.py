"""Reading the public schema. Lists and pages only, never a lazy queryset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from allauth.mfa.models import Authenticator

from accounts.models import Account, Membership, Person
from accounts.settings import AccountSettings
from accounts.tenancy import AccountRef

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account as an operator sees it."""

    id: UUID
    account_id: str
    name: str
    created_at: datetime
    user_count: int
    state: str
    isolate_user_scope_by_agent: bool
    isolate_agent_scope_by_user: bool


@dataclass(frozen=True, slots=True)
class Entrance:
    """An account that a person may enter, and as which User."""

    ref: AccountRef
    name: str
    user: UUID


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """Whether a person gives a code after the password, and how many recovery codes are left."""

    since: datetime | None
    recovery_left: int


def accounts_behind(heads: str) -> list[AccountRef]:
    """Ready accounts whose schema is not at these migration heads."""
    rows = Account.objects.filter(ready=True).exclude(migrated_to=heads).order_by("created_at")
    return [AccountRef(row.id, row.account_id, row.schema_name) for row in rows]


def active_accounts() -> list[AccountRef]:
    """All accounts that jobs may enter."""
    rows = Account.objects.filter(ready=True, state=Account.State.ACTIVE).order_by("id")
    return [AccountRef(row.id, row.account_id, row.schema_name) for row in rows]


def active_account(key: UUID) -> AccountRef | None:
    """The account of that id, or None when jobs may not enter it."""
    row = Account.objects.filter(pk=key, ready=True, state=Account.State.ACTIVE).first()
    return AccountRef(row.id, row.account_id, row.schema_name) if row else None


def account_page(after: UUID | None, limit: int) -> list[AccountRow]:
    """Accounts, oldest first, from behind that id; one more than `limit` when there are more."""
    rows = Account.objects.filter(ready=True).select_related("policy").order_by("id")
    if after is not None:
        rows = rows.filter(id__gt=after)
    return [_account_row(row) for row in rows[: limit + 1]]


def account_row(account: AccountRef) -> AccountRow:
    """One account, as an operator sees it."""
    return _account_row(Account.objects.select_related("policy").get(pk=account.id))


def account_settings(account: AccountRef) -> AccountSettings:
    """What the account's admins have set, and the defaults for the rest."""
    return AccountSettings.of(Account.objects.values_list("settings", flat=True).get(pk=account.id))


def _account_row(row: Account) -> AccountRow:
    return AccountRow(
        id=row.id,
        account_id=row.account_id,
        name=row.name,
        created_at=row.created_at,
        user_count=row.user_count,
        state=row.state,
        isolate_user_scope_by_agent=row.policy.isolate_user_scope_by_agent,
        isolate_agent_scope_by_user=row.policy.isolate_agent_scope_by_user,
    )


def entrances(person: Person) -> list[Entrance]:
    """The active accounts of a person, by name. One statement."""
    rows = (
        Membership.objects.filter(
            person=person, account__ready=True, account__state=Account.State.ACTIVE
        )
        .select_related("account")
        .order_by("account__name")
    )
    return [
        Entrance(
            AccountRef(row.account.id, row.account.account_id, row.account.schema_name),
            row.account.name,
            row.user,
        )
        for row in rows
    ]


def emails_of(*, account: UUID, users: Collection[UUID]) -> dict[UUID, str]:
    """The e-mail with which each of these Users signs in, for those who do. One statement."""
    rows = Membership.objects.filter(account_id=account, user__in=users)
    return dict(rows.values_list("user", "person__email"))


def person_row(key: UUID) -> Person | None:
    """The person of that id, active or not."""
    return Person.objects.filter(pk=key).first()


def person_by_email(email: str) -> Person | None:
    """The person of that e-mail, active or not; case is ignored."""
    return Person.objects.filter(email__iexact=email.strip()).first()


def persons_with_code(persons: Collection[UUID]) -> set[UUID]:
    """Which of these persons give a code after the password. One statement."""
    rows = Authenticator.objects.filter(type=Authenticator.Type.TOTP, user__in=persons)
    return set(rows.values_list("user_id", flat=True))


def code_facts(person: Person) -> CodeFacts:
    """What stands beside the password of a person. One statement."""
    rows = {row.type: row for row in Authenticator.objects.filter(user=person)}
    totp = rows.get(Authenticator.Type.TOTP)
    spare = rows.get(Authenticator.Type.RECOVERY_CODES)
    return CodeFacts(
        since=totp.created_at if totp else None,
        recovery_left=len(spare.wrap().get_unused_codes()) if spare else 0,
    )
