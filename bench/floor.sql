-- The least that keeping a message costs: a plain client on one connection in the account's schema.
BEGIN;
SELECT k.id, k.secret_hash, u.id, u.role
FROM principals_apikey k JOIN principals_user u ON u.id = k.user_id
WHERE k.key_id = %(key_id)s AND k.revoked_at IS NULL;
INSERT INTO agent_sessions_message
    (id, session_id, seq, role, role_id, parts, text, language, written_by, written_key)
VALUES (%(id)s, %(session)s, %(seq)s, 'user', %(role_id)s, %(parts)s, %(text)s, 'english',
    %(user)s, %(key)s);
UPDATE agent_sessions_session
SET message_count = message_count + 1, pending_tokens = pending_tokens + %(tokens)s,
    last_activity_at = now()
WHERE id = %(session)s;
COMMIT;
