"""Reading principals. Lists and pages only, never a lazy queryset."""

from accounts.principals.selectors.agents import (
    AgentFacts,
    agent_facts,
    agent_ids,
    agent_page,
    agent_register,
)
from accounts.principals.selectors.audit import (
    AuditFilter,
    AuditPage,
    AuditRow,
    Names,
    audit_count,
    audit_event,
    audit_page,
    uuid_in,
)
from accounts.principals.selectors.invitations import (
    InvitationFacts,
    InvitationState,
    Offer,
    invitation_offer,
    invitation_page,
    invitation_row,
    invitations_of,
)
from accounts.principals.selectors.keys import (
    KeyFacts,
    KeyGrant,
    key_facts,
    key_grant,
    key_page,
    key_register,
    key_row,
    keys_bound_to,
)
from accounts.principals.selectors.pages import Page
from accounts.principals.selectors.policy import PolicyFacts, policy_facts
from accounts.principals.selectors.standing import Standing, standing_of
from accounts.principals.selectors.user_facts import (
    UserEnd,
    UserFacts,
    user_end,
    user_facts,
    user_register,
)
from accounts.principals.selectors.users import user_ids, user_names, user_page, user_row
from accounts.principals.selectors.viewing import (
    Look,
    LookPage,
    ViewFacts,
    looks_of,
    views_by,
    views_of,
)

__all__ = [
    "AgentFacts",
    "AuditFilter",
    "AuditPage",
    "AuditRow",
    "InvitationFacts",
    "InvitationState",
    "KeyFacts",
    "KeyGrant",
    "Look",
    "LookPage",
    "Names",
    "Offer",
    "Page",
    "PolicyFacts",
    "Standing",
    "UserEnd",
    "UserFacts",
    "ViewFacts",
    "agent_facts",
    "agent_ids",
    "agent_page",
    "agent_register",
    "audit_count",
    "audit_event",
    "audit_page",
    "invitation_offer",
    "invitation_page",
    "invitation_row",
    "invitations_of",
    "key_facts",
    "key_grant",
    "key_page",
    "key_register",
    "key_row",
    "keys_bound_to",
    "looks_of",
    "policy_facts",
    "standing_of",
    "user_end",
    "user_facts",
    "user_ids",
    "user_names",
    "user_page",
    "user_register",
    "user_row",
    "uuid_in",
    "views_by",
    "views_of",
]
