"""`/api/v1/memories` and `/uris`: remember, list, read, change, delete, restore, explain."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from accounts.actor import Scope
from accounts.errors import Unimplemented
from accounts.http.envelope import Envelope, ListEnvelope, ok, ok_page
from accounts.http.paging import DEFAULT_LIMIT, check_limit
from accounts.moments import checked_moment
from accounts.names import uuid_named
from accounts.principals.auth import AccountAuth, caller
from accounts.principals.contacts import narrowed_by_parameter
from accounts.principals.idempotency import once
from memory import render, selectors, services, uris
from memory.schemas import (
    EvidenceOut,
    FacetsOut,
    MemoryChange,
    MemoryChanged,
    MemoryIn,
    MemoryOut,
    Remembered,
    RestoreIn,
    StepOut,
    UriOut,
    WhyOut,
)
from memory.services import Note

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.actor import Actor
    from memory.models import Memory


class Filters(Schema):
    """What a list is narrowed to; what is absent narrows nothing."""

    uri: str = Field("", description="An address; everything at it or below it.")
    scope: str = ""
    kind: str = ""
    topic_key: str = ""
    topics: list[str] = Field(default_factory=list, description="Each of them; repeatable.")
    user: str = Field("", description="A user_id.")
    agent: str = Field("", description="An agent_id.")
    contact: UUID | None = None
    session: str = Field("", description="A session_id.")
    state: str = Field("active", description="A state, or expired, kept (not deleted), any.")
    salience: str = ""
    source: str = ""
    since: datetime | None = Field(None, description="Changed at or after this moment.")
    as_of: datetime | None = Field(None, description="As it was then, to whom it is open now.")
    q: str = Field("", description="Words in summary, content or topic.")

    def checked(self) -> selectors.MemoryFilter:
        """The same for the selector; times without a zone are UTC."""
        values = self.model_dump()
        for name in ("since", "as_of"):
            if values[name] is not None:
                values[name] = checked_moment(values[name], name)
        if values["as_of"] is not None:
            values["as_of"] = _whole_millisecond(values["as_of"])
        return selectors.MemoryFilter(**values)


def _whole_millisecond(moment: datetime) -> datetime:
    """Answers tell times to the millisecond: what began within it stood then."""
    return moment if moment.microsecond % 1_000 else moment + timedelta(microseconds=999)


about_memories = AccountAuth(about_contacts=True)
naming_contacts = AccountAuth()  # the body may name the contact; the service asks for it
router = Router(tags=["memories"], auth=about_memories)
KEEPING = AccountAuth(about_contacts=True, scope=Scope.MANAGE)
uri_router = Router(tags=["memories"], auth=AccountAuth())


@router.post("", auth=naming_contacts, response=Envelope[Remembered])
def remember(request: HttpRequest, body: MemoryIn) -> Any:
    """Keep one memory, as it is said; with a topic_key it replaces what was kept under it.

    412 while the agent's memory system is summarization, or the contact did not agree.
    """
    actor: Actor = caller(request)
    made = once(
        request,
        actor,
        work=lambda: _remembered(services.memory_remember(actor=actor, note=_note(body))),
        reference=lambda made: {
            "memory": str(made["id"]),
            "created": made["created"],
            "redacted": made["redacted"],
        },
        again=lambda found: {
            **_again(actor, body.contact_id, UUID(found["memory"])),
            "created": found["created"],
            "redacted": found["redacted"],
        },
    )
    return ok(request, made)


@router.get("", response=ListEnvelope[MemoryOut])
def list_memories(
    request: HttpRequest,
    where: Query[Filters],
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Any:
    """Memories under the caller's roots, the newest first; of the whole account for an admin.

    Those that the gate, consent or quarantine hide are listed too, and marked in `hidden_by`.
    """
    actor: Actor = caller(request)
    page = services.memories_read(
        actor=actor, where=where.checked(), limit=check_limit(limit), older_than=cursor
    )
    return ok_page(request, [render.memory(actor.policy, row) for row in page.rows], page.older)


@router.get("/facets", response=Envelope[FacetsOut])
def count_memories(request: HttpRequest, where: Query[Filters]) -> Any:
    """How many memories the same filters find, by scope, kind, state and salience."""
    actor: Actor = caller(request)
    found = services.facets_read(actor=actor, where=where.checked())
    return ok(request, render.facets(actor.policy, found))


@router.get("/{memory_id}", response=Envelope[MemoryOut])
def get_memory(request: HttpRequest, memory_id: str) -> Any:
    """One memory, in whatever state."""
    actor: Actor = caller(request)
    return ok(request, _shown(actor, services.memory_read(actor=actor, memory_id=_key(memory_id))))


@router.patch("/{memory_id}", response=Envelope[MemoryChanged])
def change_memory(request: HttpRequest, memory_id: str, body: MemoryChange) -> Any:
    """Change what is given; what it said before stays in its history."""
    actor: Actor = caller(request)
    changes = body.model_dump(exclude_unset=True, exclude={"version"})
    redacted = once(
        request,
        actor,
        work=lambda: services.memory_update(
            actor=actor, memory_id=_key(memory_id), changes=changes, version=body.version
        )[1],
        reference=lambda count: {"redacted": count},
        again=lambda found: found["redacted"],
    )
    return ok(request, {**_row(actor, _key(memory_id)), "redacted": redacted})


@router.delete("/{memory_id}", response=Envelope[MemoryOut])
def delete_memory(request: HttpRequest, memory_id: str) -> Any:
    """Delete a memory. It can be restored; erasing it for good is something else."""
    return _changed(request, _key(memory_id), services.memory_delete)


@router.post("/{memory_id}/restore", response=Envelope[MemoryOut])
def restore_memory(request: HttpRequest, memory_id: str, body: RestoreIn | None = None) -> Any:
    """Bring a memory back, or what it said in an earlier version."""
    version = body.version if body else None
    return _changed(request, _key(memory_id), partial(services.memory_restore, version=version))


@router.post("/{memory_id}/quarantine", auth=KEEPING, response=Envelope[MemoryOut])
def quarantine_memory(request: HttpRequest, memory_id: str) -> Any:
    """Withhold a memory from everyone until it is released. Needs an admin as itself."""
    return _changed(request, _key(memory_id), services.memory_quarantine)


@router.post("/{memory_id}/release", auth=KEEPING, response=Envelope[MemoryOut])
def release_memory(request: HttpRequest, memory_id: str) -> Any:
    """Let a memory out of quarantine. Needs an admin as itself."""
    return _changed(request, _key(memory_id), services.memory_release)


@router.get("/{memory_id}/history", response=ListEnvelope[StepOut])
def list_history(
    request: HttpRequest, memory_id: str, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Any:
    """Every version of a memory, the newest first, with what each changed."""
    actor: Actor = caller(request)
    page = services.history_read(
        actor=actor, memory_id=_key(memory_id), limit=check_limit(limit), older_than=cursor
    )
    return ok_page(request, [render.step(actor.policy, one) for one in page.steps], page.older)


@router.get("/{memory_id}/evidence", response=Envelope[list[EvidenceOut]])
def list_evidence(request: HttpRequest, memory_id: str) -> Any:
    """The messages that a memory came from, as far as the caller sees their sessions."""
    found = services.evidence_read(actor=caller(request), memory_id=_key(memory_id))
    return ok(request, [render.evidence(message) for message in found])


@router.get("/{memory_id}/why", response=Envelope[WhyOut])
def explain_memory(
    request: HttpRequest,
    memory_id: str,
    query: str = "",
    user: str = "",
    agent: str = "",
    contact: UUID | None = None,
) -> Any:
    """Whether this caller would have the memory recalled, and by which clause.

    Other users, agents and contacts are asked about by an admin as itself.
    """
    actor: Actor = caller(request)
    if query:
        raise Unimplemented("Ranks come with recall, which is not available in this version.")
    found = services.why_read(
        actor=actor, memory_id=_key(memory_id), user_id=user, agent_id=agent, contact_id=contact
    )
    return ok(request, render.why(actor.policy, found))


@uri_router.get("/resolve", response=Envelope[UriOut])
def resolve_uri(request: HttpRequest, uri: str) -> Any:
    """What an address names under the policy in force. No row is looked at."""
    actor: Actor = caller(request)
    own = uris.Namespace(actor.user.user_id, actor.agent.agent_id, everything=actor.is_admin)
    address = uris.parse(uri, actor.policy, own)
    return ok(
        request,
        UriOut(
            uri=address.uri,
            scope=address.scope,
            owner_user_id=address.owner_user_id,
            owner_agent_id=address.owner_agent_id,
            is_container=address.is_container,
            policy_version=actor.policy.version,
        ),
    )


def _key(memory_id: str) -> UUID:
    return uuid_named(memory_id, "memory")


def _note(body: MemoryIn) -> Note:
    return Note(**body.model_dump())


def _remembered(made: services.Remembered) -> dict[str, Any]:
    row = _row(made.actor, made.memory.pk)
    return {**row, "created": made.created, "redacted": made.redacted}


def _again(actor: Actor, contact_id: str | None, memory_id: UUID) -> dict[str, Any]:
    return _row(narrowed_by_parameter(actor, contact_id), memory_id)


def _row(actor: Actor, memory_id: UUID) -> dict[str, Any]:
    return _shown(actor, selectors.memory_row(actor=actor, memory_id=memory_id))


def _shown(actor: Actor, row: selectors.MemoryRow) -> dict[str, Any]:
    return render.memory(actor.policy, row)


def _changed(request: HttpRequest, memory_id: UUID, change: Callable[..., Memory]) -> Any:
    """One change to one memory, which a repetition of the request does not make again."""
    actor: Actor = caller(request)
    once(
        request,
        actor,
        work=lambda: change(actor=actor, memory_id=memory_id),
        reference=lambda _made: {},
        again=lambda _found: None,
    )
    return ok(request, _row(actor, memory_id))
