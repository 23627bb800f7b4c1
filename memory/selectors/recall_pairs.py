"""Who could recall what was kept from one session: counted over all pairs of user and agent.

The session's own memories are few groups of equal owners; the database pairs those with users and
agents by the same conditions as everywhere (visibility.pairs_see).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db.models import Count
from django.utils import timezone

from accounts import tenancy
from accounts.actor import AgentRef, ContactRef, Principal, Role
from memory import visibility
from memory.models import Memory, State
from memory.visibility import STRUCTURED, Hidden, MemoryFacts
from sessions_app.access import require_whole_account
from sessions_app.ports import RecallPair, SessionRecall

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.namespace import Policy
    from sessions_app.models import Session

WITHHELD = {  # what hides it, or its state → why nobody recalls it
    Hidden.QUARANTINE: "in quarantine",
    Hidden.EXPIRED: "expired",
    Hidden.GATE: "kept with an agent that uses summarization",
    Hidden.CONSENT: "of a contact that did not agree",
    Hidden.NEWER: "overtaken by a newer one of the same topic",
    State.SUPERSEDED: "superseded",
}


# ruff: noqa: S608 - the parts are our own text; values are parameters


def session_recall(
    *, actor: Actor, session: Session, users: Collection[UUID], limit: int
) -> SessionRecall:
    """Who could recall what was kept from the session. Two statements; one when nothing was kept.

    Args:
        users: who took part. limit: of pairs.

    Raises:
        PermissionDenied: unless an ADMIN asks as itself.
    """
    require_whole_account(actor)
    groups = _groups(actor, session)
    kept = sum(group["n"] for group in groups)
    if not kept:
        return SessionRecall(0, [], 0, None, [])
    usable = [group for group in groups if _withheld(group) is None]
    rows = _pairs(actor.policy, usable, session, users, limit)
    return SessionRecall(
        kept=kept,
        pairs=[_pair(actor.policy, row) for row in rows],
        all_pairs=rows[0]["pairs"] if rows else 0,
        by_contact=_by_contact(actor, usable, session),
        withheld=_reasons(groups),
    )


def _groups(actor: Actor, session: Session) -> list[dict[str, Any]]:
    """The session's memories that are not deleted, by all that decides who recalls them."""
    rows = Memory.objects.filter(session=session).exclude(state=State.DELETED)
    rows = rows.annotate(hidden=visibility.hidden_by(actor)).order_by()
    columns = ("scope", "user_id", "agent_id", "contact__owner", "contact__root", "state", "hidden")
    return list(rows.values(*columns).annotate(n=Count("pk")))


def _withheld(group: Mapping[str, Any]) -> str | None:
    if group["hidden"] is not None:
        return WITHHELD[group["hidden"]]
    return None if group["state"] == State.ACTIVE else WITHHELD[group["state"]]


def _reasons(groups: Collection[Mapping[str, Any]]) -> list[tuple[int, str]]:
    counts: dict[str, int] = {}
    for group in groups:
        if (why := _withheld(group)) is not None:
            counts[why] = counts.get(why, 0) + group["n"]
    return [(count, why) for why, count in counts.items()]


def _pairs(
    policy: Policy,
    groups: Collection[Mapping[str, Any]],
    session: Session,
    users: Collection[UUID],
    limit: int,
) -> list[dict[str, Any]]:
    by_user, by_agent = visibility.pairs_see(policy)
    owners = [
        {
            "scope": group["scope"],
            "user_id": str(group["user_id"]),
            "agent_id": str(group["agent_id"]),
            "contact_owner": group["contact__owner"] and str(group["contact__owner"]),
            "n": group["n"],
        }
        for group in groups
    ]
    statement = f"""
        WITH m AS MATERIALIZED (
            SELECT * FROM json_to_recordset(%(groups)s::json)
            AS m (scope text, user_id uuid, agent_id uuid, contact_owner uuid, n integer)
        ),
        people AS MATERIALIZED (SELECT id, user_id FROM principals_user WHERE is_active),
        agents AS MATERIALIZED (
            SELECT id, agent_id FROM principals_agent WHERE memory_system = '{STRUCTURED.value}'
        ),
        halves AS (
            SELECT u.id AS u, g.id AS g, sum(m.n) AS of_user, 0 AS of_agent
            FROM m JOIN people u ON m.user_id = u.id JOIN agents g ON {by_user}
            GROUP BY u.id, g.id
            UNION ALL
            SELECT u.id, g.id, 0, sum(m.n)
            FROM m JOIN agents g ON m.agent_id = g.id JOIN people u ON {by_agent}
            GROUP BY u.id, g.id
            UNION ALL
            SELECT u.id, %(agent)s, 0, 0 FROM people u WHERE u.id = ANY(%(users)s)
        ),
        counted AS (
            SELECT u, g, sum(of_user)::int AS of_user, sum(of_agent)::int AS of_agent
            FROM halves GROUP BY u, g
        )
        SELECT p.user_id, a.agent_id, a.memory_system, c.of_user, c.of_agent,
            count(*) OVER ()::int AS pairs
        FROM counted c JOIN principals_user p ON p.id = c.u JOIN principals_agent a ON a.id = c.g
        ORDER BY c.of_user + c.of_agent DESC, c.u = ANY(%(users)s) DESC,
            lower(p.user_id), lower(a.agent_id)
        LIMIT %(limit)s
    """
    return tenancy.fetch_rows(
        statement,
        {
            "groups": json.dumps(owners),
            "users": list(users),
            "agent": session.agent_id,
            "limit": limit,
        },
    )


def _pair(policy: Policy, row: Mapping[str, Any]) -> RecallPair:
    user_id, agent_id = row["user_id"], row["agent_id"]
    own, agents = "own user memories", f"memories of {agent_id}"
    if policy.isolate_user_scope_by_agent:
        own += f" with {agent_id}"
    if policy.isolate_agent_scope_by_user:
        agents += f" with {user_id}"
    clauses = [words for words, n in ((own, row["of_user"]), (agents, row["of_agent"])) if n]
    if clauses:
        words = ", and ".join(clauses)
        words = f"{words[0].upper()}{words[1:]}."
    elif row["memory_system"] != STRUCTURED:
        words = f"{agent_id} uses summarization: nothing is recalled through it."
    else:
        words = "Nothing of it is theirs."
    return RecallPair(user_id, agent_id, row["of_user"] + row["of_agent"], words)


def _by_contact(
    actor: Actor, groups: Collection[Mapping[str, Any]], session: Session
) -> int | None:
    """How much the session's contact could recall, asking through the session's agent."""
    if session.contact is None:
        return None
    owner = Principal(session.owner_id, session.owner.user_id)  # the contact's, too
    asking = replace(
        actor,
        role=Role.USER,
        principal=owner,
        user=owner,
        agent=AgentRef(session.agent_id, session.agent.agent_id),
        contact=ContactRef(session.contact.root, owner),
        key=None,
    )
    gate = session.agent.memory_system == STRUCTURED
    now = timezone.now()
    counts: list[int] = [
        group["n"]
        for group in groups
        if visibility.explain(
            MemoryFacts(
                scope=group["scope"],
                user=group["user_id"],
                agent=group["agent_id"],
                contact=group["contact__root"],
                contact_owner=group["contact__owner"],
            ),
            asking,
            at=now,
            gate=gate,
        ).visible
    ]
    return sum(counts)
