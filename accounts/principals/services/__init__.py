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
from accounts.principals.services.contact_book import (
    Sender,
    checked_sender,
    contact_create,
    contact_delete,
    contact_merge,
    contact_owner,
    contact_resolve,
    contact_unmerge,
    contact_update,
    sender_ref,
)
from accounts.principals.services.contacts import (
    contact_made_or_found,
    contact_on_sight,
    user_on_sight,
)
from accounts.principals.services.handles import (
    LinkCode,
    handle_add,
    handle_bind,
    handle_remove,
    handle_unbind,
    link_code_burn,
    link_code_create,
    link_code_use,
)
from accounts.principals.services.invitations import (
    Accepted,
    invitation_accept,
    invitation_create,
    invitation_renew,
    invitation_revoke,
)
from accounts.principals.services.keys import key_create, key_replace, key_revoke
from accounts.principals.services.policy import (
    policy_revert,
    policy_update,
    settings_update,
)
from accounts.principals.services.registration import registered_contact, with_everyone_registered
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
    "LinkCode",
    "NewAccount",
    "NewUser",
    "Sender",
    "account_create",
    "account_delete",
    "account_update",
    "agent_create",
    "agent_delete",
    "agent_on_sight",
    "agent_update",
    "audit_export",
    "checked_sender",
    "contact_create",
    "contact_delete",
    "contact_made_or_found",
    "contact_merge",
    "contact_on_sight",
    "contact_owner",
    "contact_resolve",
    "contact_unmerge",
    "contact_update",
    "handle_add",
    "handle_bind",
    "handle_remove",
    "handle_unbind",
    "invitation_accept",
    "invitation_create",
    "invitation_renew",
    "invitation_revoke",
    "key_create",
    "key_replace",
    "key_revoke",
    "link_code_burn",
    "link_code_create",
    "link_code_use",
    "policy_revert",
    "policy_update",
    "registered_contact",
    "sender_ref",
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
    "with_everyone_registered",
]
