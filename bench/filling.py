"""Accounts filled by SQL: one with a few of everything, one with as much as a busy one has.

Both come out of the same statements, so that they differ in numbers only. Ids are UUIDv7 in the
order of their times, as those that the product gives; everything lies within DAYS.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from bench.report import Worthless

DAYS = 45
MESSAGES = 10  # in each session but the long one
COMMON, RARE, ABSENT = "porto", "xylophone", "quagga"
LONG = "sess-long"
AGENT, SELDOM = "agent-0001", "agent-0003"  # the first has two fifths of the sessions
GUEST = "user-0003"  # takes part in some sessions, and owns few


@dataclass(frozen=True, slots=True)
class Size:
    """How many there are, beside the admin alice, the user bob and the agent `default`."""

    sessions: int
    long: int  # messages of the long session
    users: int
    agents: int
    contacts: int
    keys: int
    events: int
    tasks: int
    views: int
    invitations: int
    memories: int

    @property
    def messages(self) -> int:
        return self.sessions * MESSAGES + self.long


# Twelve sessions are the fewest that hold each state with and without a contact.
FEW = Size(12, 12, 3, 5, 1, 4, 24, 12, 1, 1, 24)
QUICK = Size(4_000, 2_000, 500, 100, 100, 1_000, 2_000, 60, 60, 20, 4_000)
MANY = Size(100_000, 10_000, 2_000, 1_000, 5_000, 5_000, 20_000, 500, 300, 200, 100_000)

_SEARCHED = ("message_search", "memory_search")
_TEXTS = (
    "the train to porto leaves at seven forty from platform two",
    "please book a seat by the window and send me an invoice for march",
    "we moved our meeting to thursday because maria is in the mountains until then",
    "could you ask her team whether they have tested that release yesterday",
    "it rained all day so nobody painted any fences and the brushes stayed dry",
    "the third shelf holds the blue cups that grandmother brought from the coast",
    "remind me to water the lemon tree before the guests arrive on sunday evening",
    "two of the parcels came back with a note that the street has a new name",
    "my knee is better now and the doctor says that walking would be good for it",
    "the choir meets in the old school until the roof of the church is whole again",
    "an hour before sunset the light on the river is the best for pictures",
)

_STATEMENTS = (
    """
    INSERT INTO principals_user (id, created_at, user_id, display_name, role, is_default, is_active)
    SELECT uuidv7(at - clock_timestamp()), at, 'user-' || to_char(n, 'FM0000'), 'Person ' || n,
        CASE WHEN n %% 100 = 1 THEN 'admin' ELSE 'user' END, false, n %% 50 <> 4
    FROM generate_series(1, %(users)s) n,
        LATERAL (SELECT now() - make_interval(days => 60, secs => -n)) AS t (at)
    """,
    """
    UPDATE public.accounts_account SET user_count = (
        SELECT count(*) FROM principals_user WHERE is_active)
    WHERE account_id = %(account)s
    """,
    """
    INSERT INTO principals_agent (id, created_at, agent_id, display_name, memory_system,
        session_scope, registered_by)
    SELECT uuidv7(at - clock_timestamp()), at, 'agent-' || to_char(n, 'FM0000'), 'Agent ' || n,
        CASE WHEN n %% 4 = 0 THEN 'summarization' ELSE 'structured' END, 'global',
        (SELECT id FROM principals_user WHERE user_id = 'user-' || to_char(1 + n %% 3, 'FM0000'))
    FROM generate_series(1, %(agents)s) n,
        LATERAL (SELECT now() - make_interval(days => 59, secs => -n)) AS t (at)
    """,
    """
    INSERT INTO principals_apikey (id, created_at, user_id, key_id, secret_hash, pepper_id, name,
        scopes, agents, contact_required, expires_at, revoked_at, last_used_at)
    SELECT uuidv7(at - clock_timestamp()), at, u.id, 'b' || to_char(n, 'FM000000000'),
        decode(md5(n::text) || md5('b' || n), 'hex'), '1', 'key ' || n, '{read,write}',
        CASE WHEN n %% 4 = 2 THEN '{agent-0001}'::varchar[] ELSE '{}' END, false,
        CASE WHEN n %% 4 = 3 THEN now() + interval '30 days' END,
        CASE WHEN n %% 5 = 4 THEN now() - interval '1 day' END,
        CASE WHEN n %% 2 = 0 THEN now() - make_interval(mins => n) END
    FROM generate_series(1, %(keys)s) n
    JOIN principals_user u ON u.user_id = CASE WHEN n %% 50 < 3 THEN 'bob'
        ELSE 'user-' || to_char(1 + n %% %(users)s, 'FM0000') END,
        LATERAL (SELECT now() - make_interval(days => 58, secs => -n)) AS t (at)
    """,
    """
    INSERT INTO principals_contact (id, root, created_at, owner_id, kind, display_name, aliases,
        notes, tags, auto_created)
    SELECT key, key, at, u.id, 'external', 'Contact ' || n, '{}', '', '{}', true
    FROM generate_series(1, %(contacts)s) n
    JOIN principals_user u ON u.user_id = CASE WHEN n %% 50 = 1 THEN 'bob'
        ELSE 'user-' || to_char(1 + n %% %(users)s, 'FM0000') END,
        LATERAL (SELECT now() - make_interval(days => 57, secs => -n)) AS t (at),
        LATERAL (SELECT uuidv7(at - clock_timestamp())) AS k (key)
    """,
    """
    INSERT INTO principals_contacthandle (id, created_at, contact_id, platform, platform_id,
        username, owner_id, kind)
    SELECT uuidv7(), now(), c.id, 'telegram', c.id, '', c.owner_id, c.kind FROM principals_contact c
    """,
    # Session n begins n-th; each third with a contact, each 49th (all, in a small account)
    # bob's; the long one lasts the whole time.
    """
    INSERT INTO agent_sessions_session (id, created_at, session_id, owner_id, agent_id, contact_id,
        title, state, is_current, memory_paused, contexts_used, skills_used, message_count,
        pending_tokens, last_activity_at, started_at, ended_at, metadata, written_by)
    SELECT uuidv7(at - clock_timestamp()), at, 'sess-' || to_char(n, 'FM000000'), u.id, a.id, c.id,
        CASE WHEN n %% 5 = 0 THEN '' ELSE 'Conversation ' || n || ' about trains' END,
        (ARRAY['active', 'idle', 'active', 'ended'])[1 + n %% 4], false, false, 0, 0,
        %(each)s, 40 * %(each)s, at + interval '50 seconds', at,
        CASE WHEN n %% 4 = 3 THEN at + interval '50 seconds' END, '{}', u.id
    FROM generate_series(1, %(sessions)s) n
    JOIN principals_user u ON u.user_id = CASE WHEN n %% 49 = 0 OR %(sessions)s < 49 THEN 'bob'
        ELSE 'user-' || to_char(1 + n %% %(users)s, 'FM0000') END
    JOIN principals_agent a ON a.agent_id = 'agent-' || to_char(
        CASE WHEN n %% 5 < 2 THEN 1 ELSE 1 + n %% %(agents)s END, 'FM0000')
    LEFT JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM principals_contact) c
        ON n %% 3 = 0 AND c.place = CASE WHEN n %% 5 < 2 THEN 1 ELSE 1 + n %% %(contacts)s END,
        LATERAL (SELECT now() - (make_interval(days => %(days)s) * ((%(sessions)s - n)
            / %(sessions)s::float)) - interval '1 minute') AS t (at)
    ORDER BY n
    """,
    """
    INSERT INTO agent_sessions_session (id, created_at, session_id, owner_id, agent_id, title,
        state, is_current, memory_paused, contexts_used, skills_used, message_count, pending_tokens,
        last_activity_at, started_at, metadata, written_by)
    SELECT uuidv7(at - clock_timestamp()), at, %(name)s, u.id, a.id, 'The long one', 'active',
        false, false, 0, 0, %(long)s, 40 * %(long)s, now(), at, '{"place": "workshop"}', u.id
    FROM principals_user u, principals_agent a,
        LATERAL (SELECT now() - make_interval(days => %(days)s)) AS t (at)
    WHERE u.user_id = 'bob' AND a.agent_id = 'default'
    """,
    """
    INSERT INTO agent_sessions_message (id, created_at, session_id, seq, role, role_id, contact_id,
        parts, text, language, written_by)
    SELECT uuidv7(at - clock_timestamp()), at, s.id, seq, t.role, who,
        CASE WHEN t.role = 'user' THEN s.contact_id END,
        jsonb_build_array(jsonb_build_object('type', 'text', 'text', said)), said, 'english',
        s.owner_id
    FROM agent_sessions_session s
    JOIN principals_user u ON u.id = s.owner_id
    JOIN principals_agent a ON a.id = s.agent_id,
        generate_series(1, s.message_count) seq,
        LATERAL (SELECT s.started_at + (s.last_activity_at - s.started_at)
            * (seq / s.message_count::float),
            CASE WHEN seq %% 2 = 1 THEN 'user' ELSE 'assistant' END,
            CASE WHEN seq %% 2 = 1 THEN u.user_id ELSE a.agent_id END,
            (%(texts)s::text[])[1 + (seq + s.pending_tokens
                + ascii(right(s.session_id, 1)) * 7 + ascii(right(s.session_id, 2))) %% 11]
            || ', ' || (%(texts)s::text[])[1 + (3 * seq + ascii(right(s.session_id, 3))) %% 11]
            || '; number ' || seq
            || CASE WHEN seq = 3 AND s.session_id = %(rare_in)s THEN ' on the ' || %(rare)s
                ELSE '' END) AS t (at, role, who, said)
    """,
    # Who took part: the owner, the agent, the contact if there is one; with it a second user.
    """
    INSERT INTO agent_sessions_participant (id, session_id, user_id, agent_id, contact_id,
        first_seq, last_seq, last_at, message_count)
    SELECT uuidv7(), s.id, who.user_id, who.agent_id, who.contact_id, 1, s.message_count,
        s.last_activity_at, s.message_count / 2
    FROM agent_sessions_session s,
        LATERAL (
            SELECT s.owner_id, NULL::uuid, NULL::uuid
            UNION ALL SELECT NULL, s.agent_id, NULL
            UNION ALL SELECT NULL, NULL, s.contact_id WHERE s.contact_id IS NOT NULL
            UNION ALL SELECT u.id, NULL, NULL FROM principals_user u
                WHERE s.contact_id IS NOT NULL AND u.id <> s.owner_id
                    AND lower(u.user_id) = 'user-' || to_char(
                        1 + substring(s.session_id FROM '[0-9]+$')::int / 3 %% %(users)s, 'FM0000')
        ) AS who (user_id, agent_id, contact_id)
    """,
    """
    INSERT INTO agent_sessions_archive (id, created_at, session_id, number, first_seq, last_seq,
        tokens, state, abstract, overview, error, completed_at)
    SELECT uuidv7(s.last_activity_at - clock_timestamp()), s.last_activity_at, s.id, 1, 1, 5, 200,
        CASE WHEN s.place %% 6 IN (0, 1) THEN 'pending' WHEN s.place %% 6 = 4 THEN 'failed'
            ELSE 'completed' END,
        'They spoke about trains and lemon trees.', 'They spoke.',
        CASE WHEN s.place %% 6 = 4 THEN 'No model answered.' ELSE '' END,
        CASE WHEN s.place %% 6 IN (2, 3, 5) THEN now() END
    FROM (SELECT *, row_number() OVER (ORDER BY last_activity_at DESC) AS place
        FROM agent_sessions_session) s
    WHERE s.place <= %(tasks)s
    """,
    """
    INSERT INTO agent_sessions_task (id, created_at, user_id, contact_id, task_type, status,
        updated_at, session_id, archive_id, result, error)
    SELECT uuidv7(at - clock_timestamp()), at, s.owner_id, s.contact_id, 'session_commit',
        CASE a.state WHEN 'pending' THEN (ARRAY['pending', 'running'])[1 + n %% 2]
            WHEN 'failed' THEN 'failed' ELSE (ARRAY['completed', 'cancelled'])[1 + n / 6 %% 2] END,
        at, s.id, a.id, NULL, a.error
    FROM (SELECT *, row_number() OVER (ORDER BY id DESC) AS n FROM agent_sessions_archive) a
    JOIN agent_sessions_session s ON s.id = a.session_id,
        LATERAL (SELECT now() - make_interval(mins => n::int)) AS t (at)
    """,
    """
    INSERT INTO principals_auditevent (id, created_at, action, actor, actor_role, acting_as,
        target_type, target, data, request_id)
    SELECT uuidv7(at - clock_timestamp()), at,
        (ARRAY['session.created', 'key.created', 'read.list', 'read.messages', 'user.created',
            'key.revoked'])[1 + n %% 6],
        actor.id, actor.role, NULL,
        CASE WHEN n %% 6 = 0 THEN 'session' ELSE 'user' END,
        CASE WHEN n %% 6 = 0 THEN (SELECT id FROM agent_sessions_session
            WHERE lower(session_id) = 'sess-' || to_char(1 + n %% %(sessions)s, 'FM000000'))
            ELSE subject.id END,
        CASE WHEN n %% 6 IN (1, 5) THEN jsonb_build_object('key', subject.id) ELSE '{}' END, ''
    FROM generate_series(1, %(events)s) n
    JOIN principals_user actor ON actor.user_id = CASE WHEN n %% 4 < 3 THEN 'alice'
        ELSE 'user-' || to_char(1 + n %% %(users)s, 'FM0000') END
    JOIN principals_user subject ON subject.user_id = CASE WHEN n %% 12 IN (2, 3) THEN 'bob'
        ELSE 'user-' || to_char(1 + n / 4 %% %(users)s, 'FM0000') END,
        LATERAL (SELECT now() - (make_interval(days => %(days)s) * ((%(events)s - n)
            / %(events)s::float)) - interval '2 hours') AS t (at)
    ORDER BY n
    """,
    """
    INSERT INTO principals_viewas (id, created_at, viewer_id, user_id, agent_id, reason, expires_at,
        ended_at)
    SELECT uuidv7(at - clock_timestamp()), at, viewer.id, seen.id, NULL, 'A question of ' || n,
        at + interval '30 minutes', CASE WHEN n %% 2 = 0 THEN at + interval '5 minutes' END
    FROM generate_series(1, %(views)s) n, principals_user viewer, principals_user seen,
        LATERAL (SELECT now() - make_interval(hours => 2 * n)) AS t (at)
    WHERE viewer.user_id = 'alice' AND seen.user_id = 'bob'
    """,
    """
    INSERT INTO public.accounts_invitation (id, created_at, account_id, "user", email, invited_by,
        expires_at, accepted_at, revoked_at)
    SELECT uuidv7(), now(), a.id, u.id, u.user_id || '@example.org',
        (SELECT id FROM principals_user WHERE user_id = 'alice'), now() + interval '5 days',
        NULL, NULL
    FROM public.accounts_account a, principals_user u
    WHERE a.account_id = %(account)s AND u.user_id LIKE 'user-%%3' AND u.is_active
    ORDER BY u.user_id <> 'user-0003', u.user_id DESC LIMIT %(invitations)s
    """,
    # Two contacts of three agreed that something is kept about them.
    """
    INSERT INTO memory_consent (id, contact_id, purpose, state, is_current, channel)
    SELECT uuidv7(), c.id, 'memory', 'granted', true, 'telegram'
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM principals_contact) c
    WHERE c.place %% 3 > 0
    """,
    # Memory n is kept n-th; each 49th (half, in a small account) is bob's, each tenth of a contact
    # and then its owner's, each fifth of the agent's scope. Of 25 one has expired, one is in
    # quarantine, one superseded, one deleted; a fourth has a topic.
    """
    INSERT INTO memory_memory (id, created_at, updated_at, scope, user_id, agent_id, contact_id,
        session_id, kind, topic_key, summary, content, source, salience, topics, state, expires_at,
        version, language, written_by)
    SELECT uuidv7(at - clock_timestamp()), at, at,
        CASE WHEN n %% 5 = 3 THEN 'agent' ELSE 'user' END,
        coalesce(c.owner_id, u.id), a.id, c.id, NULL,
        (ARRAY['facts', 'preferences', 'decisions', 'tasks', 'events', 'entities', 'open_items'])
            [1 + n %% 7],
        CASE WHEN n %% 4 = 1 THEN 'topic-' || n END,
        CASE WHEN n %% 3 = 0 THEN '' ELSE 'About number ' || n END,
        (%(texts)s::text[])[1 + n %% 11] || ', ' || (%(texts)s::text[])[1 + n / 11 %% 11]
            || '; memory ' || n,
        (ARRAY['conversation', 'user_stated', 'inferred', 'session'])[1 + n %% 4],
        (ARRAY['medium', 'medium', 'high', 'low', 'critical'])[1 + n / 3 %% 5],
        CASE WHEN n %% 2 = 0 THEN '{}' ELSE ARRAY['travel', 'house'] END,
        CASE n %% 25 WHEN 7 THEN 'quarantined' WHEN 12 THEN 'superseded' WHEN 17 THEN 'deleted'
            ELSE 'active' END,
        CASE n %% 25 WHEN 22 THEN at + interval '20 seconds'
            WHEN 3 THEN now() + interval '90 days' END,
        1, 'english', coalesce(c.owner_id, u.id)
    FROM generate_series(1, %(memories)s) n
    JOIN principals_user u ON u.user_id = CASE WHEN n %% 49 = 0 OR %(memories)s < 49 AND n %% 2 = 0
        THEN 'bob' ELSE 'user-' || to_char(1 + n %% %(users)s, 'FM0000') END
    JOIN principals_agent a ON a.agent_id = 'agent-' || to_char(
        CASE WHEN n %% 5 < 2 THEN 1 ELSE 1 + n %% %(agents)s END, 'FM0000')
    LEFT JOIN (SELECT id, owner_id, row_number() OVER (ORDER BY id) AS place
        FROM principals_contact) c ON n %% 10 = 0 AND c.place = 1 + n / 10 %% %(contacts)s,
        LATERAL (SELECT now() - (make_interval(days => %(days)s) * ((%(memories)s - n)
            / %(memories)s::float)) - interval '1 minute') AS t (at)
    ORDER BY n
    """,
    # One word that only one memory has: of bob's own, active and not of a contact.
    """
    UPDATE memory_memory SET content = content || ', ' || %(rare)s WHERE id = (
        SELECT m.id FROM memory_memory m JOIN principals_user u ON u.id = m.user_id
        WHERE u.user_id = 'bob' AND m.contact_id IS NULL AND m.state = 'active'
            AND m.scope = 'user' AND m.expires_at IS NULL
        ORDER BY m.id LIMIT 1)
    """,
    # A tenth was changed since: the trigger keeps what it was.
    """
    UPDATE memory_memory SET content = content || ' (changed)' WHERE version = 1
        AND right(id::text, 1) IN ('0', '1') AND right(content, 1) <> ')'
    """,
    # Who reads is harder to say under this policy; for admins it makes no difference.
    """
    UPDATE public.accounts_namespacepolicy SET sessions_visible_to = 'participants'
    WHERE account_id = (SELECT id FROM public.accounts_account WHERE account_id = %(account)s)
    """,
)


def fill(connection: psycopg.Connection[Any], account_id: str, size: Size) -> None:
    """Put so much into the account, which alice and bob are in; then VACUUM and ANALYZE.

    Raises:
        Worthless: not as much is there as should be.
    """
    values = {"account": account_id, "texts": list(_TEXTS), "days": DAYS, "each": MESSAGES}
    # A session in the middle, of bob's and with a contact.
    values |= {"rare": RARE, "rare_in": f"sess-{size.sessions // 2 // 147 * 147 or 6:06}"}
    values |= {"name": LONG, **asdict(size)}
    # Filled row by row, the search index would cost more than all the rest; made afterwards, it is
    # also as small as VACUUM keeps it.
    indexes = [
        connection.execute("SELECT pg_get_indexdef(%s::regclass)", [name]).fetchall()[0][0]
        for name in _SEARCHED
    ]
    connection.execute(f"DROP INDEX {', '.join(_SEARCHED)}".encode())
    for statement in (*_STATEMENTS, *indexes):
        connection.execute(statement.encode(), values if statement in _STATEMENTS else None)
    for table, wanted in (
        ("agent_sessions_message", size.messages), ("memory_memory", size.memories),
    ):  # fmt: skip
        counted = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()[0][0]  # noqa: S608
        if counted != wanted:
            raise Worthless(f"{counted} rows are in {table}, {wanted} were to be.")
    tables = "SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = current_schema()"
    names = ", ".join(name for (name,) in connection.execute(tables).fetchall())
    connection.execute(f"VACUUM (ANALYZE) {names}".encode())
