"""Bodies and answers of the session routes. They belong to the contract that existing clients use,
so unknown fields are ignored."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Field, Schema
from pydantic import StrictBool

from accounts.http.schema import NewBody


class SessionIn(Schema):
    session_id: str | None = Field(None, examples=["sess_porto-spring"])
    agent_id: str | None = Field(None, description="In place of the Agent header.")
    contact_id: str | None = Field(None, description="UUID or platform:id of the contact.")
    thread_key: str | None = None
    parent_session_id: str | None = Field(None, description="The session this one forks from.")
    title: str = ""
    metadata: dict[str, Any] = Field(default_factory=dict)


class SessionStartIn(NewBody):
    agent_id: str | None = Field(None, description="In place of the Agent header.")
    contact_id: str | None = Field(None, description="UUID or platform:id of the contact.")
    thread_key: str | None = Field(None, examples=["order-4711"])
    title: str = ""
    metadata: dict[str, Any] = Field(default_factory=dict)
    force_new: StrictBool = Field(False, description="Begin anew, whatever is current.")


class SessionChange(NewBody):
    title: str | None = None
    state: str | None = Field(None, description="active, idle or ended", examples=["ended"])
    metadata: dict[str, Any] | None = None
    memory_paused: StrictBool | None = None


class OwnerOut(Schema):
    account_id: str
    user_id: str
    agent_id: str


class SessionOut(Schema):
    session_id: str
    uri: str
    user: OwnerOut
    title: str
    state: str
    contact_id: UUID | None
    thread_key: str | None
    parent_session_id: str | None
    memory_paused: bool
    metadata: dict[str, Any]
    created_at: datetime
    ended_at: datetime | None


class SessionStarted(SessionOut):
    is_existing: bool = Field(description="Whether it was there before.")


class SessionDeleted(Schema):
    session_id: str


class SessionRow(Schema):
    session_id: str
    uri: str
    is_dir: bool = True
    title: str
    user_id: str
    agent_id: str
    contact_id: UUID | None
    thread_key: str | None
    state: str
    message_count: int
    last_activity_at: datetime
    created_at: datetime


class ExtractedOut(Schema):
    profile: int = 0
    preferences: int = 0
    entities: int = 0
    events: int = 0
    cases: int = 0
    patterns: int = 0
    tools: int = 0
    skills: int = 0
    total: int = 0


class ModelTokensOut(Schema):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class EmbeddingTokensOut(Schema):
    total_tokens: int = 0


class SessionDetailOut(Schema):
    session_id: str
    uri: str
    title: str
    state: str
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    created_by_user_id: str
    participant_user_ids: list[str]
    participant_agent_ids: list[str]
    participant_contact_ids: list[str]
    message_count: int
    commit_count: int
    memories_extracted: ExtractedOut = ExtractedOut()
    last_commit_at: datetime | None
    llm_token_usage: ModelTokensOut = ModelTokensOut()
    embedding_token_usage: EmbeddingTokensOut = EmbeddingTokensOut()
    pending_tokens: int
    user: OwnerOut
    parent_session_id: str | None
    contact_id: UUID | None
    thread_key: str | None
    memory_paused: bool
    metadata: dict[str, Any]


class MessageIn(Schema):
    role: str = Field(examples=["user"], description="user, assistant, system or tool")
    role_id: str | None = Field(None, description="Who speaks; admins and the root key only.")
    content: str | None = Field(None, examples=["The 07:40 train, please."])
    parts: list[dict[str, Any]] | None = Field(None, description="Wins over content.")
    source: str | None = Field(None, description="null, or context_injection")
    created_at: datetime | None = Field(None, description="True time; now when absent.")
    peer_id: str | None = Field(None, description="The speaking contact, on platform peer.")


class BatchIn(Schema):
    messages: list[MessageIn] = Field(description="1 to 500; all or none.")


class BatchMade(Schema):
    session_id: str
    message_count: int
    added: int
    message_ids: list[str]
    first_seq: int
    last_seq: int


class UsedIn(Schema):
    contexts: list[str] | None = Field(None, examples=[["viking://user/bob/memories/facts/1"]])
    skill: dict[str, Any] | None = None


class UsedOut(Schema):
    session_id: str
    contexts_used: int
    skills_used: int


class CommitIn(Schema):
    keep_recent_count: int = Field(0, description="Messages that stay out of the archive.")


class CommitOut(Schema):
    session_id: str
    status: str = "accepted"
    task_id: UUID | None
    archive_uri: str | None
    archived: bool
    trace_id: str


class MessageMade(Schema):
    session_id: str
    message_count: int
    message_id: str
    seq: int


class MessageOut(Schema):
    id: str
    seq: int
    role: str
    role_id: str | None
    parts: list[dict[str, Any]]
    source: str | None
    created_at: datetime
    contact_id: UUID | None


class ArchiveOut(Schema):
    archive_id: str
    abstract: str
    overview: str
    messages: list[MessageOut]


class TaskOut(Schema):
    task_id: UUID
    task_type: str
    status: str
    created_at: datetime
    updated_at: datetime
    resource_id: str | None
    result: dict[str, Any] | None
    error: str | None


class ContextMessageOut(Schema):
    id: str
    role: str
    role_id: str | None
    parts: list[dict[str, Any]]
    created_at: datetime


class AbstractOut(Schema):
    archive_id: str
    abstract: str


class ContextStats(Schema):
    totalArchives: int  # noqa: N815 - the contract's own names
    includedArchives: int  # noqa: N815
    droppedArchives: int  # noqa: N815
    failedArchives: int  # noqa: N815
    activeTokens: int  # noqa: N815
    archiveTokens: int  # noqa: N815


class ContextOut(Schema):
    latest_archive_overview: str
    pre_archive_abstracts: list[AbstractOut]
    messages: list[ContextMessageOut]
    estimatedTokens: int  # noqa: N815
    stats: ContextStats
