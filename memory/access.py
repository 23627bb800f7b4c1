"""From an id to a memory for an actor: the only way; and what the actor may do to it.

isolation.md, What a caller may do to a memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from accounts.actor import Role, Scope
from accounts.errors import InvalidArgument, NotFound, PermissionDenied
from accounts.names import check_id, is_uuid
from accounts.principals.access import agent_for, require_scope
from accounts.principals.models import User
from accounts.settings import AccountSettings
from memory import visibility
from memory.models import Evidence, Extraction, Import, Memory, Revision
from memory.models import Scope as MemoryScope
from sessions_app.access import require_whole_account

if TYPE_CHECKING:
    from collections.abc import Collection

    from accounts.actor import Actor
    from accounts.guard import AccountQuerySet
    from accounts.principals.models import Agent

M = TypeVar("M", Memory, Extraction)
# What means nobody elsewhere is no other way to say `default` here.
NOBODY = frozenset({"test", "nil", "null", "none", "00000000-0000-0000-0000-000000000000"})


def memories_of(actor: Actor) -> AccountQuerySet[Memory]:
    """All memories that the actor may manage, in whatever state; for this app."""
    return Memory.objects.get_queryset().filter(visibility.listed_for(actor))


def recallable_by(actor: Actor) -> AccountQuerySet[Memory]:
    """All memories that may be recalled for the actor; for this app."""
    return Memory.objects.get_queryset().filter(visibility.visible_to(actor))


def memory_for(actor: Actor, memory_id: UUID, *, lock: bool = False) -> Memory:
    """The memory of that id with its user, agent and contact, in whatever state.

    Args:
        lock: hold its row until the caller's transaction ends.

    Raises:
        NotFound: there is none, or the actor may not see it.
    """
    rows = memories_of(actor).filter(pk=memory_id)
    if lock:
        rows = rows.select_for_update(of=("self",))
    found = rows.select_related("user", "agent", "contact", "contact__owner", "session").first()
    if found is None:
        raise NotFound("memory", str(memory_id))
    return found


def editable_by(actor: Actor) -> Q:
    """The memories that the actor may change, as a filter beside `memories_of`.

    An ADMIN as itself: any. Else of the user scope its own; of the agent scope what it wrote
    itself, also when an admin changed it since: as the subject, when it simulates. Through a
    gateway many write with one key, so it must have been for the same user, too.
    """
    if actor.is_admin:
        return Q()
    first = Revision.objects.filter(memory=OuterRef("pk"), version=1, written_by=_author(actor))
    wrote = Q(written_by=_author(actor)) | Q(Exists(first))
    return Q(user=actor.user.id) & (Q(scope=MemoryScope.USER) | Q(scope=MemoryScope.AGENT) & wrote)


def may_edit(actor: Actor, memory: Memory) -> bool:
    """The same for one memory that the actor sees."""
    if actor.is_admin:
        return True
    if memory.user_id != actor.user.id:
        return False
    if memory.scope == MemoryScope.USER or memory.written_by == _author(actor):
        return True
    return Revision.objects.filter(memory=memory.pk, version=1, written_by=_author(actor)).exists()


def _author(actor: Actor) -> UUID:
    """Whose writing counts as one's own."""
    own = actor.principal is not None and actor.role is Role.USER
    return actor.written_by if own else actor.user.id


def editable_memory(actor: Actor, memory_id: UUID) -> Memory:
    """As memory_for, locked, for someone who changes it.

    Raises:
        NotFound: there is none, or the actor may not see it.
        PermissionDenied: it may be seen, but somebody else wrote it for its agent.
    """
    memory = memory_for(actor, memory_id, lock=True)
    if not may_edit(actor, memory):
        raise PermissionDenied("Only who wrote a memory of an agent changes it, or an admin.")
    return memory


def require_agent_writer(actor: Actor) -> None:
    """Raise PermissionDenied unless the actor may write memories of its agent.

    An ADMIN as itself may. Else the key must be bound to that agent, or the account lets anyone.
    """
    if actor.is_admin or actor.agent.agent_id.lower() in actor.agents:
        return
    if AccountSettings.of(actor.settings).agent_memory_writers == "anyone":
        return
    raise PermissionDenied(
        f"Memories of the agent {actor.agent.agent_id} are written with a key that is bound to it."
    )


def require_keeper(actor: Actor) -> None:
    """Raise PermissionDenied unless an ADMIN acts as itself, with `manage`: for quarantine."""
    require_whole_account(actor)
    require_scope(actor, Scope.MANAGE)


def require_importer(actor: Actor) -> None:
    """Raise PermissionDenied unless an operator, or an ADMIN as itself with `manage`."""
    if actor.role is not Role.ROOT:
        require_keeper(actor)


def import_for(actor: Actor, run_id: UUID) -> Import:
    """An import of the account, for those who may run one.

    Raises:
        PermissionDenied: neither an operator nor an ADMIN as itself with `manage`.
        NotFound: there is none.
    """
    require_importer(actor)
    run = Import.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound("import", str(run_id))
    return run


# --- the control API: one user's memories, whoever asks ---


def subject_for(actor: Actor, user_id: str) -> User:
    """The user whose memories are controlled: oneself, or for an ADMIN any of the account.

    The real role decides; headers that name another user change nothing here. ROOT has no sight of
    its own in an account: it controls the user that it names.

    Raises:
        InvalidArgument: no id, or one that means nobody.
        PermissionDenied: another user's; no row was looked at.
        NotFound: an ADMIN names a user that is not there.
    """
    check_id(user_id, "user_id")
    if user_id.lower() in NOBODY or is_uuid(user_id):
        raise InvalidArgument(f"{user_id!r} names nobody.", field="user_id")
    if actor.role is not Role.ADMIN:
        # Through an address that is bound to a user, a gateway speaks for that user.
        named = actor.role is Role.ROOT or actor.addressed
        own = actor.user if named else actor.principal
        if own is None or own.user_id.lower() != user_id.lower():
            raise PermissionDenied("Only an admin controls another user's memories.")
    rows = User.objects.filter(user_id__lower=user_id.lower())
    # What was kept of a user who was deleted since is still an admin's to control.
    found = rows.first() if actor.role is Role.ADMIN else rows.filter(is_active=True).first()
    if found is None:
        raise NotFound("user", user_id)
    return found


def control_agent(actor: Actor, agent_id: str) -> Agent:
    """The agent of that id, for the control API.

    Raises:
        InvalidArgument: no id. NotFound: no such agent.
        PermissionDenied: the key is bound to other agents.
    """
    if actor.agents and agent_id.lower() not in actor.agents:
        raise PermissionDenied("This key is bound to other agents.")
    return agent_for(agent_id)


def controlled(actor: Actor, subject: User) -> AccountQuerySet[Memory]:
    """The user-scope memories of a subject, with whatever agent, in whatever state.

    A contact that is named narrows here too. A key that is bound to agents reaches only theirs
    where the policy splits user memories by agent.
    """
    rows = Memory.objects.get_queryset().filter(scope=MemoryScope.USER, user=subject)
    return _narrowed(actor, rows)


def extractions_of(actor: Actor, subject: User) -> AccountQuerySet[Extraction]:
    """The runs that looked for the subject's memories, narrowed in the same way."""
    return _narrowed(actor, Extraction.objects.get_queryset().filter(user=subject))


def _narrowed(actor: Actor, rows: AccountQuerySet[M]) -> AccountQuerySet[M]:
    if actor.contact is not None:
        rows = rows.filter(contact__root=actor.contact.id) if actor.contact.id else rows.none()
    if actor.agents and actor.policy.isolate_user_scope_by_agent:
        rows = rows.filter(agent__agent_id__lower__in=actor.agents)
    return rows


def kept_of_sessions(sessions: Collection[UUID]) -> AccountQuerySet[Memory]:
    """The memories that come from these sessions and from nowhere else, whoever asks."""
    here = Evidence.objects.filter(message__session__in=sessions).values("memory")
    elsewhere = Evidence.objects.exclude(message__session__in=sessions).values("memory")
    only_heard_here = Q(pk__in=here) & ~Q(pk__in=elsewhere)
    return Memory.objects.get_queryset().filter(Q(session__in=sessions) | only_heard_here)


def memory_ids(actor: Actor, keys: Collection[UUID]) -> set[UUID]:
    """Those of these memories that the actor may manage: for links in the audit log."""
    return set(memories_of(actor).filter(pk__in=keys).values_list("pk", flat=True))
