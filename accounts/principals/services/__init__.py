"""What changes principals: accounts, users, keys, agents, contacts, policy, settings."""

from accounts.principals.services.accounts import (
    NewAccount,
    account_create,
    account_delete,
    account_update,
)
from accounts.principals.services.agents import (
    agent_create,
    agent_delete,
    agent_on_sight,
    agent_update,
)
from accounts.principals.services.audit import MAX_EXPORTED, audit_export
from accounts.principals.services.contacts import contact_on_sight, user_on_sight
from accounts.principals.services.invitations import (
    Accepted,
    invitation_accept,
    invitation_create,
    invitation_renew,
    invitation_revoke,
)
from accounts.principals.services.keys import key_create, key_replace, key_revoke
from accounts.principals.services.policy import policy_update, settings_update
from accounts.principals.services.users import (
    NewUser,
    user_create,
    user_delete,
    user_set_role,
    user_update,
)
from accounts.principals.services.viewing import view_end, view_expire, view_start, views_leave

__all__ = [
    "MAX_EXPORTED",
    "Accepted",
    "NewAccount",
    "NewUser",
    "account_create",
    "account_delete",
    "account_update",
    "agent_create",
    "agent_delete",
    "agent_on_sight",
    "agent_update",
    "audit_export",
    "contact_on_sight",
    "invitation_accept",
    "invitation_create",
    "invitation_renew",
    "invitation_revoke",
    "key_create",
    "key_replace",
    "key_revoke",
    "policy_update",
    "settings_update",
    "user_create",
    "user_delete",
    "user_on_sight",
    "user_set_role",
    "user_update",
    "view_end",
    "view_expire",
    "view_start",
    "views_leave",
]
