"""Making accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from uuid_utils.compat import uuid7

from accounts import tenancy
from accounts.actor import DEFAULT_ID, Operator
from accounts.errors import AlreadyExists
from accounts.models import Account, NamespacePolicy
from accounts.names import check_new_id
from accounts.principals import audit
from accounts.principals.models import Agent, User
from accounts.principals.services.keys import issue_default_key
from accounts.services import operator_event
from accounts.tenancy import AccountRef
from accounts.tenancy.template import current_template, heads_text, replay

if TYPE_CHECKING:
    from uuid import UUID


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
    check_new_id(account_id, "account_id")
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
        raise AlreadyExists("An account with this id exists.", account_id=ref.account_id) from None


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
