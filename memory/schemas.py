"""Bodies and answers of the memory routes. They are new, so unknown fields are refused."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ninja import Field, Schema
from pydantic import StrictBool, StrictInt

from accounts.http.schema import NewBody


class MemoryIn(NewBody):
    content: str = Field(examples=["Prefers an aisle seat on trains."])
    summary: str = Field("", description="One line; for lists and prompts.")
    kind: str = Field("facts", examples=["preferences"])
    topic_key: str | None = Field(
        None, description="Remembering the same topic again replaces it.", examples=["train-seat"]
    )
    scope: str = Field("user", description="user, or agent: then a key bound to the agent.")
    salience: str = Field("medium", description="low, medium, high or critical")
    topics: list[str] = Field(default_factory=list)
    source: str = Field("user_stated", description="Where it comes from.")
    expires_at: datetime | None = None
    contact_id: str | None = Field(None, description="UUID or platform:id of the contact.")
    session_id: str | None = Field(None, description="In which it was said.")
    supersedes: list[UUID] = Field(default_factory=list, description="What it takes the place of.")
    evidence: list[str] = Field(default_factory=list, description="Ids of messages, msg_….")


class MemoryChange(NewBody):
    content: str | None = Field(None, examples=["Prefers a window seat."])
    summary: str | None = None
    kind: str | None = None
    topic_key: str | None = Field(None, description="null: none any more.")
    salience: str | None = None
    topics: list[str] | None = None
    expires_at: datetime | None = Field(None, description="null: never.")
    version: StrictInt | None = Field(None, description="The one that was edited; else 409.")


class RestoreIn(NewBody):
    version: StrictInt | None = Field(None, description="What it said then; absent: as it stands.")


class MemoryOut(Schema):
    id: UUID
    uri: str = Field(description="Derived under the policy of policy_version.")
    scope: str
    kind: str
    topic_key: str | None
    summary: str
    content: str
    source: str
    salience: str
    topics: list[str]
    confidence: float | None
    state: str
    hidden_by: str | None = Field(
        description="What keeps it from being recalled: quarantine, expired, gate, consent, newer."
    )
    owner_user_id: str | None = Field(description="null where the policy does not split by user.")
    owner_agent_id: str | None = Field(description="null where it does not split by agent.")
    user_id: str = Field(description="Of whom it is, or who was asking.")
    agent_id: str = Field(description="With which agent.")
    contact_id: UUID | None
    session_id: str | None
    superseded_by: UUID | None
    expires_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    written_by: str | None = Field(description="Who really wrote it: a user, root; null: a job.")
    policy_version: int


class Remembered(MemoryOut):
    created: bool = Field(description="false: the topic's older state was replaced.")
    redacted: int = Field(description="How many secrets were taken out.")


class MemoryChanged(MemoryOut):
    redacted: int


class PieceOut(Schema):
    change: str = Field(description="kept, removed or added")
    text: str


class ChangeOut(Schema):
    field: str
    before: str | float | list[str] | None
    after: str | float | list[str] | None
    pieces: list[PieceOut] = Field(description="Of texts: word by word.")


class StepOut(Schema):
    version: int
    at: datetime
    written_by: str | None
    memory: MemoryOut
    changes: list[ChangeOut]


class EvidenceOut(Schema):
    message_id: str
    session_id: str
    seq: int
    role: str
    role_id: str | None
    contact_id: UUID | None
    text: str
    created_at: datetime


class WhyOut(Schema):
    visible: bool = Field(description="Whether it may be recalled for this caller.")
    clause: str
    listed: bool = Field(description="Whether this caller may manage it.")
    listed_clause: str
    user_id: str
    agent_id: str
    contact_id: UUID | None
    rank: int | None = None
    score: float | None = None
    policy_version: int


class FacetsOut(Schema):
    total: int
    scope: dict[str, int]
    kind: dict[str, int]
    state: dict[str, int] = Field(description="An active memory that has expired: expired.")
    salience: dict[str, int]
    policy_version: int


class UriOut(Schema):
    uri: str
    scope: str | None
    owner_user_id: str | None
    owner_agent_id: str | None
    is_container: bool
    policy_version: int


class UserRow(Schema):
    user_id: str
    display_name: str
    role: str
    is_default: bool


class UsersOut(Schema):
    default_user_id: str
    users: list[UserRow]


class TopicOut(Schema):
    user_id: str
    topic: str
    memories: list[MemoryOut]


class WipedOut(Schema):
    user_id: str
    topics_deleted: int = Field(description="Kept with the agent default.")
    agent_topics_deleted: int = Field(description="Kept with any other agent.")
    extractions_deleted: int


class ExtractionOut(Schema):
    id: UUID
    session_id: str | None
    agent_id: str
    contact_id: UUID | None
    state: str
    memories: int
    tokens: int
    error: str
    created_at: datetime
    finished_at: datetime | None


class ConsentIn(NewBody):
    state: str = Field(description="granted or withdrawn", examples=["granted"])
    purpose: str = "memory"
    channel: str = Field("", examples=["telegram"])
    evidence_message_id: str | None = Field(None, description="Where it was said.")
    expires_at: datetime | None = None


class ConsentEntry(Schema):
    id: UUID
    purpose: str
    state: str
    channel: str
    evidence_message_id: str | None
    expires_at: datetime | None
    is_current: bool
    written_by: str | None
    created_at: datetime


class ConsentOut(Schema):
    contact_id: UUID
    consents: bool = Field(description="Whether something may be kept about the contact now.")
    state: str = Field(description="Its last word: granted, withdrawn, or none.")
    contact_consent: str = Field(description="The account's setting: what silence means.")
    ledger: list[ConsentEntry]


class PreviewIn(NewBody):
    isolate_user_scope_by_agent: StrictBool | None = None
    isolate_agent_scope_by_user: StrictBool | None = None
    sessions_visible_to: str | None = Field(None, description="Changes no memory's place.")
    reason: str = Field("", description="Ignored: so that the body of the PUT can be sent.")


class SampleOut(Schema):
    id: UUID
    uri: str
    user_id: str
    agent_id: str
    kind: str
    words: str


class SamplesOut(Schema):
    gained: list[SampleOut]
    lost: list[SampleOut]


class PairOut(Schema):
    user_id: str
    agent_id: str
    now: int
    after: int
    gained: int
    lost: int
    crossing: int = Field(description="Of what is gained: kept with another user.")
    samples: SamplesOut


class PreviewOut(Schema):
    policy_version: int = Field(description="The version in force, which this compares with.")
    pairs: list[PairOut]
    changed_pairs: int
    all_pairs: int
    gained: int
    lost: int
    crossing: int
    now: int
    after: int
