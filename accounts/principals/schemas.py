"""Bodies and answers of the admin routes. They belong to the contract that existing clients use,
so unknown fields are ignored."""

from __future__ import annotations

from datetime import datetime

from ninja import Field, Schema


class AccountIn(Schema):
    account_id: str = Field(examples=["acme"], description="1 to 64 of a-z A-Z 0-9 _ -")
    admin_user_id: str = Field(examples=["alice"], description="The account's first admin.")
    isolate_user_scope_by_agent: bool = False
    isolate_agent_scope_by_user: bool = False


class AccountMade(Schema):
    account_id: str
    admin_user_id: str
    user_key: str = Field(description="Shown once; it is kept nowhere in clear.")
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


class UserIn(Schema):
    user_id: str = Field(examples=["bob"], description="1 to 64 of a-z A-Z 0-9 _ -")
    role: str = Field("user", examples=["user", "admin"])


class UserMade(Schema):
    account_id: str
    user_id: str
    role: str
    user_key: str = Field(description="Shown once; it is kept nowhere in clear.")


class UserOut(Schema):
    user_id: str
    display_name: str
    role: str
    is_default: bool
    created_at: datetime
