"""Bodies and answers of the contact routes. They are new, so unknown fields are refused."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ninja import Field, Schema
from pydantic import StrictBool

from accounts.http.schema import NewBody


class HandleIn(NewBody):
    platform: str = Field(examples=["telegram"])
    platform_id: str = Field(examples=["4711"])
    username: str = ""


class ContactIn(NewBody):
    display_name: str = Field("", examples=["Dana"])
    kind: str = Field("external", description="external, group or personal")
    aliases: list[str] = Field(default_factory=list)
    notes: str = ""
    tags: list[str] = Field(default_factory=list)
    handles: list[HandleIn] = Field(default_factory=list, description="At most 20.")
    owner_user_id: str | None = Field(None, description="Admins only; else the key decides.")


class ContactChange(NewBody):
    display_name: str | None = Field(None, examples=["Dana Example"])
    aliases: list[str] | None = None
    notes: str | None = None
    tags: list[str] | None = None


class ResolveIn(NewBody):
    platform: str = Field(examples=["telegram"])
    platform_id: str = Field(examples=["4711"])
    kind: str = Field("external", description="external, group or personal")
    name: str = Field("", description="What the sender calls itself; kept when it is new.")
    username: str = ""
    auto_create: StrictBool = Field(False, description="Make it when it is not there.")
    owner_user_id: str | None = Field(None, description="Admins only; else the key decides.")


class MergeIn(NewBody):
    into: UUID = Field(description="The contact that this one counts as from now on.")


class BindIn(NewBody):
    user_id: str = Field(examples=["alice"])


class HandleOut(Schema):
    id: UUID
    platform: str
    platform_id: str
    username: str
    user_id: str | None = Field(description="The user of the account that it is bound to.")
    contact_id: UUID


class ContactOut(Schema):
    id: UUID
    kind: str
    display_name: str
    aliases: list[str]
    notes: str
    tags: list[str]
    owner_user_id: str
    auto_created: bool
    merged_into: UUID | None
    merged: list[UUID] = Field(description="Contacts that were merged into this one.")
    handles: list[HandleOut]
    created_at: datetime


class ContactResolved(Schema):
    contact: ContactOut
    created: bool


class CodeOut(Schema):
    code: str = Field(description="Shown once. Send `/link CODE` through the channel.")
    expires_at: datetime
