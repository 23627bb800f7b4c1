"""What a change of the namespace policy would show and hide, before it is made.

Nothing is written, and no memory is read but for the samples: rows are counted by whose they are,
and a pair of user and agent gains or loses whole groups of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accounts import tenancy
from accounts.http.paging import decode_cursor, encode_cursor, unknown_cursor
from memory import visibility

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from accounts.namespace import Policy

SAMPLES = 3  # of what a pair gains, and of what it loses
SAMPLE_WORDS = 120

# What the lists show by default: active, not expired; whose gate is closed is listed, and marked.
COUNTED = "m.state = 'active' AND (m.expires_at IS NULL OR m.expires_at > now())"
PEOPLE = """
    SELECT id, user_id FROM principals_user
    WHERE is_active AND (%(user)s = '' OR lower(user_id) = lower(%(user)s))
"""
AGENTS = """
    SELECT id, agent_id FROM principals_agent
    WHERE %(agent)s = '' OR lower(agent_id) = lower(%(agent)s)
"""
_GROUPS = f"""
    SELECT m.scope, m.user_id, m.agent_id, c.owner_id AS contact_owner, count(*) AS n
    FROM memory_memory m LEFT JOIN principals_contact c ON c.id = m.contact_id
    WHERE {COUNTED} GROUP BY m.scope, m.user_id, m.agent_id, c.owner_id
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One memory that a pair would gain or lose."""

    id: UUID
    scope: str
    user_id: str
    agent_id: str
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Pair:
    """What a user asking through an agent has listed now, and would then; no contact is named.

    Attributes:
        crossing: of what is gained, how much was kept with another user.
    """

    user_id: str
    agent_id: str
    now: int
    after: int
    gained: int
    lost: int
    crossing: int
    gains: list[Sample]
    losses: list[Sample]


@dataclass(frozen=True, slots=True)
class Preview:
    """The pairs that a change touches, those with most first; and the sums over all of them.

    Attributes:
        pairs: how many pairs change. all_pairs: how many there are.
        unchanged: what the pairs that do not change have listed, a part of `now` and of `after`.
    """

    rows: list[Pair]
    pairs: int
    all_pairs: int
    gained: int
    lost: int
    crossing: int
    now: int
    after: int
    unchanged: int
    next: str | None


# ruff: noqa: S608 - the parts are our own text; values are parameters


def policy_preview(
    *,
    now: Policy,
    then: Policy,
    limit: int,
    cursor: str | None = None,
    samples: bool = True,
    user: str = "",
    agent: str = "",
) -> Preview:
    """Compare two policies over every active user and every agent, inside the account.

    Args:
        limit: how many pairs. cursor: of the pairs before.
        user, agent: only the pairs with these ids, "" for all.

    Raises:
        InvalidArgument: an unknown cursor.
    """
    offset = offset_of(cursor)
    statement = _statement(now, then, samples=samples)
    values = {"samples": SAMPLES, "words": SAMPLE_WORDS, "user": user, "agent": agent}
    found = tenancy.fetch_rows(statement, {**values, "limit": limit, "offset": offset})
    head: Mapping[str, Any] = found[0]  # the sums stand there also when no pair changes
    rows = [_pair(row) for row in found if row["user_id"] is not None]
    more = offset + len(rows) < head["pairs"]
    return Preview(
        rows,
        **{name: head[name] for name in _SUMS},
        next=encode_cursor(str(offset + len(rows))) if more else None,
    )


_SUMS = ("pairs", "all_pairs", "gained", "lost", "crossing", "now", "after", "unchanged")


def _statement(now: Policy, then: Policy, *, samples: bool) -> str:
    (user_now, agent_now), (user_then, agent_then) = map(visibility.pairs_see, (now, then))
    counts = " UNION ALL ".join(
        f"""
        SELECT u.id AS u, g.id AS g,
            coalesce(sum(m.n) FILTER (WHERE {is_seen}), 0) AS now,
            coalesce(sum(m.n) FILTER (WHERE {will_be}), 0) AS after,
            coalesce(sum(m.n) FILTER (WHERE ({will_be}) AND NOT ({is_seen})), 0) AS gained,
            coalesce(sum(m.n) FILTER (WHERE ({is_seen}) AND NOT ({will_be})), 0) AS lost,
            coalesce(sum(m.n) FILTER (
                WHERE ({will_be}) AND NOT ({is_seen}) AND m.user_id <> u.id), 0) AS crossing
        FROM groups m
        JOIN people u ON {"m.user_id = u.id" if scope == "user" else "true"}
        JOIN agents g ON {"true" if scope == "user" else "m.agent_id = g.id"}
        WHERE m.scope = '{scope}' GROUP BY u.id, g.id
        """
        for scope, is_seen, will_be in (
            ("user", user_now, user_then),
            ("agent", agent_now, agent_then),
        )
    )
    gains = losses = "NULL"
    if samples:
        gains, losses = (_samples(now, then, gained=gained) for gained in (True, False))
    return f"""
        WITH groups AS MATERIALIZED ({_GROUPS}),
        people AS MATERIALIZED ({PEOPLE}),
        agents AS MATERIALIZED ({AGENTS}),
        counted AS MATERIALIZED (
            SELECT u, g, sum(now) AS now, sum(after) AS after, sum(gained) AS gained,
                sum(lost) AS lost, sum(crossing) AS crossing
            FROM ({counts}) AS halves GROUP BY u, g
        ),
        sums AS (
            SELECT count(*) FILTER (WHERE gained + lost > 0)::int AS pairs,
                ((SELECT count(*) FROM people) * (SELECT count(*) FROM agents))::int AS all_pairs,
                coalesce(sum(gained), 0)::bigint AS gained, coalesce(sum(lost), 0)::bigint AS lost,
                coalesce(sum(crossing), 0)::bigint AS crossing,
                coalesce(sum(now), 0)::bigint AS now, coalesce(sum(after), 0)::bigint AS after,
                coalesce(sum(now) FILTER (WHERE gained + lost = 0), 0)::bigint AS unchanged
            FROM counted
        ),
        shown AS (
            SELECT p.user_id, a.agent_id, c.* FROM counted c
            JOIN people p ON p.id = c.u JOIN agents a ON a.id = c.g
            WHERE c.gained + c.lost > 0
            ORDER BY c.gained + c.lost DESC, lower(p.user_id), lower(a.agent_id)
            LIMIT %(limit)s OFFSET %(offset)s
        )
        SELECT sums.*, shown.user_id, shown.agent_id, shown.now::bigint AS pair_now,
            shown.after::bigint AS pair_after, shown.gained::bigint AS pair_gained,
            shown.lost::bigint AS pair_lost, shown.crossing::bigint AS pair_crossing,
            CASE WHEN shown.gained > 0 THEN {gains} END AS gains,
            CASE WHEN shown.lost > 0 THEN {losses} END AS losses
        FROM sums LEFT JOIN shown ON true
        ORDER BY shown.gained + shown.lost DESC, lower(shown.user_id), lower(shown.agent_id)
    """


def _samples(now: Policy, then: Policy, *, gained: bool) -> str:
    """The newest few of what one pair gains or loses, as JSON: an aggregate over a short list."""
    is_seen, will_be = (
        f"(({user}) OR ({agent}))" for user, agent in map(visibility.pairs_see, (now, then))
    )
    seen_then_only = f"{will_be} AND NOT {is_seen}" if gained else f"{is_seen} AND NOT {will_be}"
    return f"""
        (SELECT json_agg(json_build_object('id', s.id, 'scope', s.scope, 'user_id', s.user_name,
            'agent_id', s.agent_name, 'kind', s.kind, 'words', s.words))
        FROM (
            SELECT m.id, m.scope, mu.user_id AS user_name, ma.agent_id AS agent_name, m.kind,
                left(CASE WHEN m.summary = '' THEN m.content ELSE m.summary END, %(words)s) AS words
            FROM (
                SELECT m.*, c.owner_id AS contact_owner
                FROM memory_memory m LEFT JOIN principals_contact c ON c.id = m.contact_id
            ) AS m
            JOIN principals_user mu ON mu.id = m.user_id
            JOIN principals_agent ma ON ma.id = m.agent_id,
            (SELECT shown.u AS id) AS u, (SELECT shown.g AS id) AS g
            WHERE {COUNTED} AND {seen_then_only}
            ORDER BY m.id DESC LIMIT %(samples)s
        ) AS s)
    """


def _pair(row: Mapping[str, Any]) -> Pair:
    return Pair(
        user_id=row["user_id"],
        agent_id=row["agent_id"],
        now=row["pair_now"],
        after=row["pair_after"],
        gained=row["pair_gained"],
        lost=row["pair_lost"],
        crossing=row["pair_crossing"],
        gains=[Sample(**one) for one in row["gains"] or ()],
        losses=[Sample(**one) for one in row["losses"] or ()],
    )


def offset_of(cursor: str | None) -> int:
    """How many rows a cursor leaves out. Raises InvalidArgument for one that no list gave out."""
    if not cursor:
        return 0
    text = decode_cursor(cursor, 1)[0]
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise unknown_cursor()
    return int(text)
