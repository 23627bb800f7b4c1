"""Who sees a session: the only place that decides (isolation.md, Sessions).

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


class Clause(StrEnum):
    """Why a session is seen, or not."""

    POLICY_ACCOUNT = "every user of the account reads its sessions"
    ADMIN = "an admin as itself reads every session"
    CREATOR = "the user created the session"
    PARTICIPANT = "the user took part in the session"
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


def visible_to(actor: Actor) -> Q:
    """The sessions that the actor sees, as a filter on Session.

    With sessions_visible_to = account, every user of the account. With participants, the creator
    and users who took part, and an ADMIN as itself. A simulating ADMIN, and ROOT always, see what
    the effective user sees.
    """
    if actor.policy.sessions_visible_to == ACCOUNT or actor.is_admin:
        return Q()
    took_part = Participant.objects.filter(session=OuterRef("pk"), user=actor.user.id)
    return Q(owner=actor.user.id) | Q(Exists(took_part))


def explain(session: SessionFacts, actor: Actor) -> Verdict:
    """The same decision for one session, with the clause that admitted or refused it."""
    if actor.policy.sessions_visible_to == ACCOUNT:
        return Verdict(True, Clause.POLICY_ACCOUNT)
    if actor.is_admin:
        return Verdict(True, Clause.ADMIN)
    if session.owner == actor.user.id:
        return Verdict(True, Clause.CREATOR)
    if actor.user.id in session.participants:
        return Verdict(True, Clause.PARTICIPANT)
    return Verdict(False, Clause.NOT_A_PARTICIPANT)
