"""What changes principals: accounts, users, keys, agents."""

from accounts.principals.services.accounts import NewAccount, account_create
from accounts.principals.services.agents import agent_on_sight
from accounts.principals.services.users import NewUser, user_create

__all__ = ["NewAccount", "NewUser", "account_create", "agent_on_sight", "user_create"]
