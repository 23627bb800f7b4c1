"""Making, renaming, suspending and deleting accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from uuid_utils.compat import uuid7

from accounts import tenancy
from accounts.actor import DEFAULT_ID, Operator
from accounts.errors import AlreadyExists, InvalidArgument, NotFound
from accounts.models import Account, NamespacePolicy, PolicyVersion
from accounts.names import check_id, check_new_id
from accounts.principals import audit
from accounts.principals.models import Agent, User
from accounts.principals.services.keys import issue_default_key
from accounts.services import delete_jobs, operator_event
from accounts.tenancy import AccountRef
from accounts.tenancy.template import current_template, drop_schema, heads_text, replay

if TYPE_CHECKING:
    from uuid import UUID

MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account just made. `user_key` is shown once and kept nowhere in clear."""

    ref: AccountRef
    admin_user_id: str
    admin: UUID
    user_key: str
    isolate_user_scope_by_agent: bool
    isolate_agent_scope_by_user: bool


def account_create(
    *,
    actor: Operator,
    account_id: str,
    admin_user_id: str,
    isolate_user_scope_by_agent: bool = False,
    isolate_agent_scope_by_user: bool = False,
    name: str = "",
) -> NewAccount:
    """Make an account with its schema, policy, default user, default agent and first admin.

    One transaction: an account is there whole, or not at all. Callers that race for one id wait
    for the first on the unique index, and then get AlreadyExists.

    Args:
        name: what people read; the account id when empty.

    Raises:
        InvalidArgument: an id that does not match the pattern or is reserved.
        AlreadyExists: the account id is taken, in whatever case.
        Unavailable: the schema template is missing (migrate_accounts has not run).
    """
    check_id(account_id, "account_id")
    check_new_id(admin_user_id, "admin_user_id")
    template = current_template()
    ref = AccountRef(id=uuid7(), account_id=account_id, schema_name=f"account_{uuid7().hex}")
    with transaction.atomic():
        _insert_account(ref, name or account_id)
        NamespacePolicy.objects.create(
            account_id=ref.id,
            isolate_user_scope_by_agent=isolate_user_scope_by_agent,
            isolate_agent_scope_by_user=isolate_agent_scope_by_user,
        )
        PolicyVersion.objects.create(
            account_id=ref.id,
            version=1,
            isolate_user_scope_by_agent=isolate_user_scope_by_agent,
            isolate_agent_scope_by_user=isolate_agent_scope_by_user,
            sessions_visible_to=NamespacePolicy.SessionsVisibleTo.ACCOUNT,
        )
        replay(template, ref.schema_name)
        with tenancy.account(ref):
            admin, user_key = _populate(actor, ref, admin_user_id)
        Account.objects.filter(pk=ref.id).update(ready=True, migrated_to=heads_text(), user_count=2)
        operator_event(actor=actor, action="account.created", account=ref.id, admin=admin.id)
    return NewAccount(
        ref=ref,
        admin_user_id=admin_user_id,
        admin=admin.id,
        user_key=user_key,
        isolate_user_scope_by_agent=isolate_user_scope_by_agent,
        isolate_agent_scope_by_user=isolate_agent_scope_by_user,
    )


def _insert_account(ref: AccountRef, name: str) -> None:
    try:
        with transaction.atomic():
            Account.objects.create(
                id=ref.id, account_id=ref.account_id, name=name, schema_name=ref.schema_name
            )
    except IntegrityError:
        raise AlreadyExists(
            "An account with this id exists.", resource=ref.account_id, type="account"
        ) from None


def _populate(actor: Operator, ref: AccountRef, admin_user_id: str) -> tuple[User, str]:
    """The rows that every account is born with."""
    User.objects.create(user_id=DEFAULT_ID, is_default=True)
    Agent.objects.create(agent_id=DEFAULT_ID)
    admin = User.objects.create(user_id=admin_user_id, role=User.Role.ADMIN)
    key, plain = issue_default_key(ref, admin)
    audit.record(actor=actor, action="account.created", target_type="account", target=ref.id)
    audit.record(
        actor=actor, action="user.created", target_type="user", target=admin.id, key=key.id
    )
    return admin, plain


def account_update(
    *, actor: Operator, account: AccountRef, name: str | None = None, state: str | None = None
) -> None:
    """Rename, suspend or resume an account. A suspension binds at once on every surface.

    Raises:
        InvalidArgument: an empty or long name, or a state other than active and suspended.
    """
    changes: dict[str, str] = {}
    if name is not None:
        if not 1 <= len(name.strip()) <= MAX_NAME:
            raise InvalidArgument(f"name must have 1 to {MAX_NAME} characters.", field="name")
        changes["name"] = name.strip()
    if state is not None:
        if state not in (Account.State.ACTIVE, Account.State.SUSPENDED):
            raise InvalidArgument("state must be 'active' or 'suspended'.", field="state")
        changes["state"] = state
    with transaction.atomic():
        row = Account.objects.select_for_update().get(pk=account.id)
        if row.state == Account.State.DELETING:
            raise NotFound("account", account.account_id)
        Account.objects.filter(pk=account.id).update(**changes)
        operator_event(
            actor=actor,
            action="account.updated",
            account=account.id,
            renamed=int("name" in changes),
            suspended=int(changes.get("state") == Account.State.SUSPENDED),
            resumed=int(changes.get("state") == Account.State.ACTIVE),
        )


def account_delete(*, actor: Operator, account: AccountRef) -> None:
    """Delete an account: its schema, keys, memberships and queued jobs are gone afterwards.

    First it is marked, so that nobody enters it any more; a crash in between is finished by
    calling this again.

    Raises:
        NotFound: another call was quicker.
    """
    Account.objects.filter(pk=account.id).update(state=Account.State.DELETING)
    with transaction.atomic():
        drop_schema(account.schema_name)
        delete_jobs(account.id)
        deleted, _ = Account.objects.filter(pk=account.id).delete()
        if not deleted:  # dropping the schema waited for whoever deleted it
            raise NotFound("account", account.account_id)
        operator_event(actor=actor, action="account.deleted", account=account.id)
    tenancy.forget(account.account_id)
