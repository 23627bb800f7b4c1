"""`/api/v1/contacts` and `/api/v1/handles`: who reaches an agent through a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router

from accounts.actor import Scope
from accounts.errors import Conflict, InvalidArgument, NotFound
from accounts.http.envelope import Envelope, ListEnvelope, ok, ok_page
from accounts.http.paging import DEFAULT_LIMIT, check_limit, encode_cursor, id_from_cursor
from accounts.names import uuid_named
from accounts.principals import selectors, services
from accounts.principals.auth import AccountAuth, caller
from accounts.principals.contact_schemas import (
    BindIn,
    CodeOut,
    ContactChange,
    ContactIn,
    ContactOut,
    ContactResolved,
    HandleIn,
    HandleOut,
    MergeIn,
    ResolveIn,
)
from accounts.principals.idempotency import once
from accounts.principals.schemas import Deleted

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from accounts.actor import Actor
    from accounts.principals.models import Contact, ContactHandle

router = Router(tags=["contacts"])
handles_router = Router(tags=["contacts"])
# What a key with the scope `read` may ask, though it is a POST (isolation.md, Keys).
resolving = AccountAuth(scope=Scope.READ)
MAX_Q = 200
MAX_HANDLES = 20  # that a contact is made with


@router.get("", auth=AccountAuth(), response=ListEnvelope[ContactOut])
def list_contacts(
    request: HttpRequest,
    q: str = "",
    platform: str = "",
    kind: str = "",
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Any:
    """Contacts that the caller may look at, newest first. `q`: part of a name or an address."""
    if len(q) > MAX_Q:
        raise InvalidArgument(f"q has at most {MAX_Q} characters.", field="q")
    rows = selectors.contact_page(
        actor=caller(request),
        q=q,
        platform=platform,
        kind=kind,
        after=id_from_cursor(cursor),
        limit=check_limit(limit),
    )
    shown = rows[:limit]
    return ok_page(request, shown, encode_cursor(str(shown[-1].id)) if len(rows) > limit else None)


@router.post("", auth=AccountAuth(), response=Envelope[ContactOut])
def create_contact(request: HttpRequest, body: ContactIn) -> Any:
    """Make a contact. Whose it is follows from the key; admins may name an owner."""
    if len(body.handles) > MAX_HANDLES:
        raise InvalidArgument(f"A contact is made with at most {MAX_HANDLES} handles.")
    values = body.model_dump(exclude={"handles"})
    senders = [_sender(one, body.kind) for one in body.handles]
    return _changed(
        request,
        lambda actor: services.contact_create(actor=actor, handles=senders, **values),
    )


@router.post("/resolve", auth=resolving, response=Envelope[ContactResolved])
def resolve_contact(request: HttpRequest, body: ResolveIn) -> Any:
    """The contact that writes from this address; with auto_create it is made when it is new."""
    actor = caller(request)
    sender = services.checked_sender(
        body.platform, body.platform_id, kind=body.kind, name=body.name, username=body.username
    )
    contact, created = services.contact_resolve(
        actor=actor,
        sender=sender,
        auto_create=body.auto_create,
        owner_user_id=body.owner_user_id,
    )
    facts = selectors.contact_known(actor=actor, contact_id=contact.pk)
    return ok(request, ContactResolved(contact=ContactOut.from_orm(facts), created=created))


@router.get("/{contact_id}", auth=AccountAuth(), response=Envelope[ContactOut])
def get_contact(request: HttpRequest, contact_id: str) -> Any:
    """One contact with its handles."""
    return ok(
        request,
        selectors.contact_facts(
            actor=caller(request), contact_id=uuid_named(contact_id, "contact")
        ),
    )


@router.patch("/{contact_id}", auth=AccountAuth(), response=Envelope[ContactOut])
def change_contact(request: HttpRequest, contact_id: str, body: ContactChange) -> Any:
    """Change names, notes or tags; what is absent stays."""
    return _changed(
        request,
        lambda actor: services.contact_update(
            actor=actor, contact_id=uuid_named(contact_id, "contact"), changes=body.model_dump()
        ),
    )


@router.delete("/{contact_id}", auth=AccountAuth(), response=Envelope[Deleted])
def delete_contact(request: HttpRequest, contact_id: str) -> Any:
    """Delete a contact without sessions and memories; one that has them can be erased only."""
    actor = caller(request)
    once(
        request,
        actor,
        work=lambda: services.contact_delete(
            actor=actor, contact_id=uuid_named(contact_id, "contact")
        ),
        reference=lambda _made: {},
        again=lambda _reference: None,
    )
    return ok(request, Deleted())


@router.post("/{contact_id}/merge", auth=AccountAuth(), response=Envelope[ContactOut])
def merge_contact(request: HttpRequest, contact_id: str, body: MergeIn) -> Any:
    """Let it count as another contact. No row moves, and /unmerge undoes it. Needs an admin."""
    return _changed(
        request,
        lambda actor: services.contact_merge(
            actor=actor, contact_id=uuid_named(contact_id, "contact"), into=body.into
        ),
    )


@router.post("/{contact_id}/unmerge", auth=AccountAuth(), response=Envelope[ContactOut])
def unmerge_contact(request: HttpRequest, contact_id: str) -> Any:
    """Undo a merge. Needs an admin."""
    return _changed(
        request,
        lambda actor: services.contact_unmerge(
            actor=actor, contact_id=uuid_named(contact_id, "contact")
        ),
    )


@router.post("/{contact_id}/handles", auth=AccountAuth(), response=Envelope[HandleOut])
def add_handle(request: HttpRequest, contact_id: str, body: HandleIn) -> Any:
    """Give the contact one more address."""
    facts = selectors.contact_facts(
        actor=caller(request), contact_id=uuid_named(contact_id, "contact")
    )
    sender = _sender(body, facts.kind)
    return _handle_changed(
        request,
        contact_id,
        lambda actor: services.handle_add(
            actor=actor, contact_id=uuid_named(contact_id, "contact"), sender=sender
        ),
    )


@router.delete("/{contact_id}/handles/{handle_id}", auth=AccountAuth(), response=Envelope[Deleted])
def remove_handle(request: HttpRequest, contact_id: str, handle_id: str) -> Any:
    """Take an address from the contact; whoever writes from it next is somebody new."""
    actor = caller(request)
    once(
        request,
        actor,
        work=lambda: services.handle_remove(
            actor=actor,
            contact_id=uuid_named(contact_id, "contact"),
            handle_id=uuid_named(handle_id, "handle"),
        ),
        reference=lambda _made: {},
        again=lambda _reference: None,
    )
    return ok(request, Deleted())


@router.post(
    "/{contact_id}/handles/{handle_id}/bind",
    auth=AccountAuth(),
    response=Envelope[HandleOut],
)
def bind_handle(request: HttpRequest, contact_id: str, handle_id: str, body: BindIn) -> Any:
    """Say that this address is a user of the account. Needs an admin."""
    return _handle_changed(
        request,
        contact_id,
        lambda actor: services.handle_bind(
            actor=actor,
            contact_id=uuid_named(contact_id, "contact"),
            handle_id=uuid_named(handle_id, "handle"),
            user_id=body.user_id,
        ),
    )


@router.post(
    "/{contact_id}/handles/{handle_id}/unbind",
    auth=AccountAuth(),
    response=Envelope[HandleOut],
)
def unbind_handle(request: HttpRequest, contact_id: str, handle_id: str) -> Any:
    """Undo a binding: the sender is a contact again. Needs an admin."""
    return _handle_changed(
        request,
        contact_id,
        lambda actor: services.handle_unbind(
            actor=actor,
            contact_id=uuid_named(contact_id, "contact"),
            handle_id=uuid_named(handle_id, "handle"),
        ),
    )


@handles_router.post("/code", auth=AccountAuth(), response=Envelope[CodeOut])
def make_code(request: HttpRequest) -> Any:
    """A code that binds the address it is sent from to the caller's own user: `/link CODE`."""
    actor = caller(request)
    made = once(
        request,
        actor,
        work=lambda: services.link_code_create(actor=actor),
        reference=lambda _made: {},
        again=_shown_once,
    )
    return ok(request, CodeOut(code=made.code, expires_at=made.expires_at))


def _changed(request: HttpRequest, work: Callable[[Actor], Contact]) -> Any:
    """The contact as it is after the work, or after the same request's work before."""
    actor = caller(request)
    key = once(
        request,
        actor,
        work=lambda: work(actor).pk,
        reference=lambda made: {"contact": str(made)},
        again=lambda found: UUID(found["contact"]),
    )
    return ok(request, selectors.contact_known(actor=actor, contact_id=key))


def _handle_changed(
    request: HttpRequest, contact_id: str, work: Callable[[Actor], ContactHandle]
) -> Any:
    actor = caller(request)
    key = once(
        request,
        actor,
        work=lambda: work(actor).pk,
        reference=lambda made: {"handle": str(made)},
        again=lambda found: UUID(found["handle"]),
    )
    facts = selectors.contact_facts(actor=actor, contact_id=uuid_named(contact_id, "contact"))
    found = [one for one in facts.handles if one.id == key]
    if not found:  # removed since
        raise NotFound("handle", str(key))
    return ok(request, found[0])


def _sender(body: HandleIn, kind: str) -> services.Sender:
    return services.checked_sender(
        body.platform, body.platform_id, kind=kind, username=body.username
    )


def _shown_once(_reference: dict[str, Any]) -> NoReturn:
    raise Conflict("This request made a code before; it is not kept.", object="code")
