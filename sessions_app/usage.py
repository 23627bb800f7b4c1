"""How much users and agents are used: what accounts.principals.usage asks.

Sums come from the sessions' own counters, never from messages, and over a bounded number of
sessions: these pages must cost the same at a million messages.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone

from accounts import tenancy
from accounts.principals.contact_words import contact_view
from accounts.principals.models import Contact
from accounts.principals.selectors import user_names
from accounts.principals.usage import (
    COUNTED,
    SUMMED,
    AgentLine,
    AgentUse,
    ContactLine,
    ContactUse,
    SessionLine,
    Talker,
)
from sessions_app import access, services
from sessions_app.models import Session
from sessions_app.selectors import LIVE_SECONDS, SessionFilter

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from accounts.actor import Actor

RECENT = timedelta(days=30)
TALKERS = 8  # named; the others are one row

# One bounded look into the index on (owner, …) or (agent, …) for each row of a list.
_OWNED = """
    SELECT wanted.id, (
        SELECT count(*) FROM (
            SELECT 1 FROM agent_sessions_session WHERE owner_id = wanted.id LIMIT %(most)s
        ) AS counted
    ) AS sessions
    FROM unnest(%(ids)s::uuid[]) AS wanted (id)
"""
_OF_AGENTS = """
    SELECT wanted.id, (
        SELECT count(*) FROM (
            SELECT 1 FROM agent_sessions_session WHERE agent_id = wanted.id LIMIT %(most)s
        ) AS counted
    ) AS sessions, (
        SELECT last_activity_at FROM agent_sessions_session WHERE agent_id = wanted.id
        ORDER BY last_activity_at DESC, id DESC LIMIT 1
    ) AS last_activity_at
    FROM unnest(%(ids)s::uuid[]) AS wanted (id)
"""
_BY_WHOM = """
    SELECT newest.owner_id, met.root AS contact_id, count(*) AS sessions,
        sum(message_count) AS messages,
        count(*) FILTER (WHERE started_at >= %(since)s) AS recent_sessions,
        coalesce(sum(message_count) FILTER (WHERE started_at >= %(since)s), 0) AS recent_messages,
        count(*) FILTER (WHERE last_activity_at >= %(since)s) AS recent_active
    FROM (
        SELECT owner_id, contact_id, message_count, started_at, last_activity_at
        FROM agent_sessions_session WHERE agent_id = %(agent)s
        ORDER BY last_activity_at DESC, id DESC LIMIT %(most)s
    ) AS newest
    LEFT JOIN principals_contact met ON met.id = newest.contact_id
    GROUP BY newest.owner_id, met.root ORDER BY sessions DESC, newest.owner_id, met.root
"""

# A contact's sessions are also those of the contacts that were merged into it.
_OF_CONTACTS = """
    SELECT wanted.id, (
        SELECT count(*) FROM (
            SELECT 1 FROM principals_contact c
            JOIN agent_sessions_session s ON s.contact_id = c.id
            WHERE c.root = wanted.id LIMIT %(most)s
        ) AS counted
    ) AS sessions, (
        SELECT max(newest.last_activity_at) FROM principals_contact c, LATERAL (
            SELECT s.last_activity_at FROM agent_sessions_session s WHERE s.contact_id = c.id
            ORDER BY s.last_activity_at DESC, s.id DESC LIMIT 1
        ) AS newest
        WHERE c.root = wanted.id
    ) AS last_activity_at
    FROM unnest(%(ids)s::uuid[]) AS wanted (id)
"""
_OF_CONTACT = """
    SELECT count(*) AS sessions, coalesce(sum(message_count), 0) AS messages
    FROM (
        SELECT s.message_count FROM principals_contact c
        JOIN agent_sessions_session s ON s.contact_id = c.id
        WHERE c.root = %(contact)s LIMIT %(most)s
    ) AS counted
"""


class SessionUsage:
    """The answers; see accounts.principals.usage.Usage."""

    def session_ids(self, *, actor: Actor, keys: Collection[UUID]) -> dict[UUID, str]:
        return access.session_ids(actor, keys)

    def sessions_of(self, *, users: Collection[UUID]) -> dict[UUID, int]:
        rows = tenancy.fetch_rows(_OWNED, {"ids": list(users), "most": COUNTED})
        return {row["id"]: row["sessions"] for row in rows}

    def latest_sessions(
        self, *, actor: Actor, user_id: str = "", contact: UUID | None = None, limit: int
    ) -> list[SessionLine]:
        where = SessionFilter(user=user_id, contact=contact)
        found = services.page_read(actor=actor, where=where, limit=limit)
        live_since = timezone.now() - timedelta(seconds=LIVE_SECONDS)
        return [
            SessionLine(
                session_id=row.session_id,
                title=row.title,
                agent_id=row.agent.agent_id,
                state=row.state,
                is_live=row.state != Session.State.ENDED and row.last_activity_at >= live_since,
                message_count=row.message_count,
                last_activity_at=row.last_activity_at,
            )
            for row in found.rows
        ]

    def agents(self, *, agents: Collection[UUID]) -> dict[UUID, AgentLine]:
        rows = tenancy.fetch_rows(_OF_AGENTS, {"ids": list(agents), "most": COUNTED})
        return {row["id"]: AgentLine(row["sessions"], row["last_activity_at"]) for row in rows}

    def contacts(self, *, contacts: Collection[UUID]) -> dict[UUID, ContactLine]:
        rows = tenancy.fetch_rows(_OF_CONTACTS, {"ids": list(contacts), "most": COUNTED})
        return {row["id"]: ContactLine(row["sessions"], row["last_activity_at"]) for row in rows}

    def contact(self, *, contact: UUID) -> ContactUse:
        [row] = tenancy.fetch_rows(_OF_CONTACT, {"contact": contact, "most": SUMMED})
        return ContactUse(int(row["sessions"]), int(row["messages"]))

    def agent(self, *, agent: UUID) -> AgentUse:
        since = timezone.now() - RECENT
        rows = tenancy.fetch_rows(_BY_WHOM, {"agent": agent, "since": since, "most": SUMMED})

        def total(name: str) -> int:
            return sum(int(row[name]) for row in rows)

        named, rest = rows[:TALKERS], rows[TALKERS:]
        with_contact = [row for row in rows if row["contact_id"]]
        return AgentUse(
            sessions=total("sessions"),
            messages=total("messages"),
            with_contact=sum(row["sessions"] for row in with_contact),
            contacts=len({row["contact_id"] for row in with_contact}),
            recent_sessions=total("recent_sessions"),
            recent_messages=total("recent_messages"),
            recent_active=total("recent_active"),
            talkers=_talkers(named),
            others=len(rest),
            other_sessions=sum(row["sessions"] for row in rest),
        )


def _talkers(rows: list[dict[str, Any]]) -> list[Talker]:
    names = user_names({row["owner_id"] for row in rows})
    keys = [row["contact_id"] for row in rows if row["contact_id"]]
    contacts = {row.pk: row for row in _contacts(keys)}
    found = []
    for row in rows:
        contact = contact_view(contacts.get(row["contact_id"]))
        if contact is None:
            found.append(Talker("user", names[row["owner_id"]], "", "", row["sessions"]))
        else:
            found.append(Talker(contact.kind, "", contact.name, contact.platform, row["sessions"]))
    return found


def _contacts(keys: list[UUID]) -> list[Contact]:
    if not keys:
        return []
    return list(Contact.objects.filter(pk__in=keys).prefetch_related("handles"))
