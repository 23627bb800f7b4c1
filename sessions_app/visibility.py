"""Who sees a session: the only place that decides (isolation.md, Sessions and Contacts).

Two implementations on purpose. `visible_to` filters in the database, before ranking and limit;
`explain` gives the same verdict for one row in plain Python, and names the clause. A property
test drives both, and a table written by hand from the specification stands beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q

from accounts.models import NamespacePolicy
from sessions_app.models import Participant

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.actor import Actor

ACCOUNT = NamespacePolicy.SessionsVisibleTo.ACCOUNT
NOTHING = Q(pk__in=[])


class Clause(StrEnum):
    """Why a session is seen, or not."""

    POLICY_ACCOUNT = "every user of the account reads its sessions"
    ADMIN = "an admin as itself reads every session"
    CREATOR = "the user created the session"
    PARTICIPANT = "the user took part in the session"
    NOT_REGISTERED = "this user is not registered yet"
    OTHER_CONTACT = "a contact sees its own sessions only"
    NOT_A_PARTICIPANT = "only the creator and users who took part read this session"


@dataclass(frozen=True, slots=True)
class Verdict:
    visible: bool
    clause: Clause


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What the decision needs to know about one session."""

    owner: UUID
    participants: frozenset[UUID]  # users only
    contact: UUID | None = None  # the root, when it was merged


def visible_to(actor: Actor) -> Q:
    """The sessions that the actor sees, as a filter on Session.

    A contact, named by any means, narrows to its own sessions and those of contacts merged into
    it. Without one: with
    sessions_visible_to = account, every user sees the sessions that have no contact; its own
    (created, or took part in) each user sees under both values; an ADMIN as itself sees all. The
    owner of a contact is the owner of its sessions. A simulating ADMIN, and ROOT always, see what
    the effective user sees.
    """
    if not actor.user.registered:
        return NOTHING
    if actor.is_admin:
        return Q()
    took_part = Participant.objects.filter(session=OuterRef("pk"), user=actor.user.id)
    seen = Q(owner=actor.user.id) | Q(Exists(took_part))
    if actor.policy.sessions_visible_to == ACCOUNT:
        seen |= Q(contact=None)
    if actor.contact is not None:
        seen &= NOTHING if actor.contact.id is None else Q(contact__root=actor.contact.id)
    return seen


def explain(session: SessionFacts, actor: Actor) -> Verdict:
    """The same decision for one session, with the clause that admitted or refused it."""
    if not actor.user.registered:
        return Verdict(False, Clause.NOT_REGISTERED)
    if actor.is_admin:
        return Verdict(True, Clause.ADMIN)
    if actor.contact is not None and (
        actor.contact.id is None or session.contact != actor.contact.id
    ):
        return Verdict(False, Clause.OTHER_CONTACT)
    return _as_user(session, actor)


def _as_user(session: SessionFacts, actor: Actor) -> Verdict:
    if session.owner == actor.user.id:
        return Verdict(True, Clause.CREATOR)
    if actor.user.id in session.participants:
        return Verdict(True, Clause.PARTICIPANT)
    if session.contact is None and actor.policy.sessions_visible_to == ACCOUNT:
        return Verdict(True, Clause.POLICY_ACCOUNT)
    return Verdict(False, Clause.NOT_A_PARTICIPANT)
