"""Every single memory that a change of the namespace policy would show or hide, before it is made.

The preview counts groups of rows and shows a few; here they can all be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accounts import tenancy
from accounts.errors import InvalidArgument
from accounts.http.paging import encode_cursor
from memory import visibility
from memory.selectors.preview import (
    AGENTS,
    COUNTED,
    PEOPLE,
    SAMPLE_WORDS,
    Preview,
    Sample,
    offset_of,
    policy_preview,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.namespace import Policy

ALL, GAINED, LOST, CROSSING = WHAT = ("all", "gained", "lost", "crossing")


@dataclass(frozen=True, slots=True)
class PairChange:
    """One memory that one pair of user and agent would gain or lose."""

    memory: Sample
    user_id: str
    agent_id: str
    gained: bool


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One page, the newest memories first; `sums` are those of the whole list's pairs."""

    rows: list[PairChange]
    sums: Preview
    total: int
    older: str | None
    newer: str | None


# ruff: noqa: S608 - the parts are our own text; values are parameters


def policy_changes(
    *,
    now: Policy,
    then: Policy,
    what: str = ALL,
    user: str = "",
    agent: str = "",
    limit: int,
    cursor: str | None = None,
) -> ChangePage:
    """What the pairs gain and lose, memory by memory, inside the account. Two statements.

    Args:
        what: all, gained, lost, or crossing: gained of what was kept with another user.
        user, agent: of the pair, "" for all.

    Raises:
        InvalidArgument: an unknown `what` or cursor.
    """
    if what not in WHAT:
        raise InvalidArgument(f"what must be one of {', '.join(WHAT)}.", field="what")
    offset = offset_of(cursor)
    values = {"user": user, "agent": agent}
    sums = policy_preview(now=now, then=then, limit=1, samples=False, **values)
    found = tenancy.fetch_rows(
        _statement(now, then, what),
        {**values, "words": SAMPLE_WORDS, "limit": limit + 1, "offset": offset},
    )
    more = len(found) > limit
    return ChangePage(
        [_change(row) for row in found[:limit]],
        sums,
        sums.gained + sums.lost if what == ALL else getattr(sums, what),
        older=encode_cursor(str(offset + limit)) if more else None,
        newer=encode_cursor(str(max(0, offset - limit))) if offset else None,
    )


def _statement(now: Policy, then: Policy, what: str) -> str:
    """Each half is cut by itself: in the order of the memories' own index it ends early."""
    (user_now, agent_now), (user_then, agent_then) = map(visibility.pairs_see, (now, then))
    halves = " UNION ALL ".join(
        f"""
        (SELECT m.id, u.id AS u, g.id AS g, u.user_id AS for_user, g.agent_id AS for_agent,
            ({will_be}) AS gained
        FROM (
            SELECT m.*, c.owner_id AS contact_owner
            FROM memory_memory m LEFT JOIN principals_contact c ON c.id = m.contact_id
        ) AS m
        JOIN people u ON {"m.user_id = u.id" if scope == "user" else "true"}
        JOIN agents g ON {"true" if scope == "user" else "m.agent_id = g.id"}
        WHERE m.scope = '{scope}' AND {COUNTED} AND {_differs(what, is_seen, will_be)}
        ORDER BY m.id DESC, u.id, g.id LIMIT %(limit)s + %(offset)s)
        """
        for scope, is_seen, will_be in (
            ("user", user_now, user_then),
            ("agent", agent_now, agent_then),
        )
    )
    return f"""
        WITH people AS MATERIALIZED ({PEOPLE}), agents AS MATERIALIZED ({AGENTS}),
        shown AS (
            SELECT * FROM ({halves}) AS halves
            ORDER BY id DESC, u, g LIMIT %(limit)s OFFSET %(offset)s
        )
        SELECT m.id, m.scope, mu.user_id, ma.agent_id, m.kind, s.for_user, s.for_agent, s.gained,
            left(CASE WHEN m.summary = '' THEN m.content ELSE m.summary END, %(words)s) AS words
        FROM shown s
        JOIN memory_memory m ON m.id = s.id
        JOIN principals_user mu ON mu.id = m.user_id
        JOIN principals_agent ma ON ma.id = m.agent_id
        ORDER BY s.id DESC, s.u, s.g
    """


def _differs(what: str, is_seen: str, will_be: str) -> str:
    match what:
        case "gained":
            return f"({will_be}) AND NOT ({is_seen})"
        case "lost":
            return f"({is_seen}) AND NOT ({will_be})"
        case "crossing":
            return f"({will_be}) AND NOT ({is_seen}) AND m.user_id <> u.id"
    return f"({will_be}) <> ({is_seen})"


def _change(row: Mapping[str, Any]) -> PairChange:
    names = ("id", "scope", "user_id", "agent_id", "kind", "words")
    return PairChange(
        Sample(**{name: row[name] for name in names}),
        row["for_user"],
        row["for_agent"],
        row["gained"],
    )
