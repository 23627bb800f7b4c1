"""Reading principals. Lists and pages only, never a lazy queryset."""

from accounts.principals.selectors.agents import AgentFacts, agent_facts, agent_ids, agent_page
from accounts.principals.selectors.keys import KeyFacts, key_facts, key_page
from accounts.principals.selectors.policy import PolicyFacts, policy_facts
from accounts.principals.selectors.users import user_ids, user_names, user_page, user_row
from accounts.principals.selectors.viewing import ViewFacts, views_by, views_of

__all__ = [
    "AgentFacts",
    "KeyFacts",
    "PolicyFacts",
    "ViewFacts",
    "agent_facts",
    "agent_ids",
    "agent_page",
    "key_facts",
    "key_page",
    "policy_facts",
    "user_ids",
    "user_names",
    "user_page",
    "user_row",
    "views_by",
    "views_of",
]
