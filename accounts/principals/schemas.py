"""Bodies and answers of the admin and agent routes.

Bodies that existing clients send ignore unknown fields; those of new routes refuse them.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ninja import Field, Schema
from pydantic import StrictBool, StrictInt

from accounts.http.schema import NewBody

SHOWN_ONCE = "Shown once; it is kept nowhere in clear."


class AccountIn(Schema):
    account_id: str = Field(examples=["acme"], description="1 to 64 of a-z A-Z 0-9 _ -")
    admin_user_id: str = Field(examples=["alice"], description="The account's first admin.")
    isolate_user_scope_by_agent: bool = False
    isolate_agent_scope_by_user: bool = False


class AccountMade(Schema):
    account_id: str
    admin_user_id: str
    user_key: str = Field(description=SHOWN_ONCE)
    isolate_user_scope_by_agent: bool
    isolate_agent_scope_by_user: bool


class AccountOut(Schema):
    account_id: str
    name: str
    created_at: datetime
    user_count: int = Field(description="Listed users, the default user included.")
    state: str
    isolate_user_scope_by_agent: bool
    isolate_agent_scope_by_user: bool


class AccountChange(NewBody):
    name: str | None = None
    state: str | None = Field(None, description="active or suspended", examples=["suspended"])


class Deleted(Schema):
    deleted: bool = True


class UserIn(Schema):
    user_id: str = Field(examples=["bob"], description="1 to 64 of a-z A-Z 0-9 _ -")
    role: str = Field("user", examples=["user", "admin"])


class UserMade(Schema):
    account_id: str
    user_id: str
    role: str
    user_key: str = Field(description=SHOWN_ONCE)


class UserOut(Schema):
    user_id: str
    display_name: str
    role: str
    is_default: bool
    created_at: datetime


class RoleIn(Schema):
    role: str = Field(examples=["admin"])


class RoleOut(Schema):
    account_id: str
    user_id: str
    role: str


class UserKey(Schema):
    user_key: str = Field(description=SHOWN_ONCE)


class KeyIn(NewBody):
    user_id: str = Field(examples=["bob"], description="Whose key it is.")
    name: str = Field(examples=["telegram gateway"])
    scopes: list[str] | None = Field(None, description="read and write when absent")
    agents: list[str] = Field(default_factory=list, description="Bound to these; empty: any.")
    contact_required: StrictBool = False
    expires_at: datetime | None = None


class KeyOut(Schema):
    key_id: str
    user_id: str
    name: str
    scopes: list[str]
    agents: list[str]
    contact_required: bool
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class KeyMade(KeyOut):
    user_key: str = Field(description=SHOWN_ONCE)


class PolicyIn(NewBody):
    isolate_user_scope_by_agent: StrictBool | None = None
    isolate_agent_scope_by_user: StrictBool | None = None
    sessions_visible_to: str | None = Field(None, examples=["participants"])
    reason: str = ""
    version: StrictInt | None = Field(None, description="The one that was previewed; else 409.")


class RevertIn(NewBody):
    reason: str = ""
    version: StrictInt | None = Field(None, description="The one in force; else 409.")


class PolicyOut(Schema):
    isolate_user_scope_by_agent: bool
    isolate_agent_scope_by_user: bool
    sessions_visible_to: str
    version: int
    updated_at: datetime
    updated_by: str | None


class SettingsOut(Schema):
    agent_registration: str
    agent_memory_writers: str
    shared_inbox: bool
    contact_consent: str
    secret_policy: str
    context_tokens: int
    language: str
    session_idle_hours: int
    retention_days: int
    monthly_token_budget: int
    max_users: int


class SettingsIn(NewBody):
    agent_registration: str | None = Field(None, examples=["open"])
    agent_memory_writers: str | None = None
    shared_inbox: StrictBool | None = None
    contact_consent: str | None = None
    secret_policy: str | None = None
    context_tokens: StrictInt | None = None
    language: str | None = None
    session_idle_hours: StrictInt | None = None
    retention_days: StrictInt | None = None
    monthly_token_budget: StrictInt | None = None
    max_users: StrictInt | None = None


class AgentIn(NewBody):
    agent_id: str = Field(examples=["ada"])
    display_name: str = ""
    memory_system: str = Field("summarization", examples=["structured"])
    session_scope: str = Field("global", examples=["per_sender"])


class AgentChange(NewBody):
    display_name: str | None = Field(None, examples=["Ada, the planner"])
    memory_system: str | None = Field(None, examples=["structured"])
    session_scope: str | None = Field(None, examples=["per_sender"])


class AgentOut(Schema):
    agent_id: str
    display_name: str
    memory_system: str
    session_scope: str
    registered_by: str | None
    created_at: datetime


class WhoPolicy(Schema):
    isolate_user_scope_by_agent: bool
    isolate_agent_scope_by_user: bool
    sessions_visible_to: str


class WhoOut(Schema):
    account_id: str
    role: str
    user_id: str = Field(description="The effective user.")
    agent_id: str
    contact_id: UUID | None
    scopes: list[str]
    simulated_by: str | None = Field(description="The real user, when another one is simulated.")
    policy: WhoPolicy
    policy_version: int
