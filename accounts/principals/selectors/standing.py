"""How the account's people stand: who can do anything here, and what runs out soon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts import tenancy

if TYPE_CHECKING:
    from accounts.actor import Actor

SOON = 7  # days

# One statement. Expired keys are told for as long as they would have been told before.
_STANDING = """
WITH key AS (
    SELECT user_id, expires_at, expires_at IS NULL OR expires_at > now() AS opens
    FROM principals_apikey WHERE revoked_at IS NULL
), person AS (
    SELECT id FROM principals_user WHERE is_active AND NOT is_default
), invited AS (
    SELECT "user", expires_at > now() AS opens FROM public.accounts_invitation
    WHERE account_id = %(account)s AND accepted_at IS NULL AND revoked_at IS NULL
)
SELECT
    (SELECT count(*) FROM person) AS users,
    (SELECT count(*) FROM person
        WHERE NOT EXISTS (SELECT FROM key WHERE key.user_id = person.id AND key.opens)
        AND NOT EXISTS (SELECT FROM public.accounts_membership m
            WHERE m.account_id = %(account)s AND m."user" = person.id)
        AND NOT EXISTS (SELECT FROM invited WHERE invited."user" = person.id AND invited.opens)
    ) AS shut_out,
    (SELECT count(*) FROM key
        WHERE opens AND expires_at < now() + make_interval(days => %(soon)s)) AS keys_expiring,
    (SELECT count(*) FROM invited WHERE NOT opens) AS invitations_expired
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Counts of the account.

    Attributes:
        users: active ones, without the default user.
        shut_out: of them, those without a key that opens, a sign-in and an open invitation.
        keys_expiring: within SOON days.
        invitations_expired: neither accepted nor revoked, and too late.
    """

    users: int
    shut_out: int
    keys_expiring: int
    invitations_expired: int


def standing_of(*, actor: Actor) -> Standing:
    """How the actor's account stands, inside it. The caller has shown that an admin asks."""
    found = tenancy.fetch_row(_STANDING, {"account": actor.account.id, "soon": SOON})
    assert found is not None  # a SELECT of counts has one row
    return Standing(**found)
