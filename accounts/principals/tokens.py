"""The token of an invitation's link: the row's id, signed. It is kept nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.core.signing import BadSignature, Signer

if TYPE_CHECKING:
    from accounts.models import Invitation

MAX_TOKEN = 100  # characters; ours have 76


def _signer() -> Signer:
    return Signer(salt="bailiwick.invitation", sep=".")


def invitation_link(invitation: Invitation) -> str:
    """The path of the page on which the invitation is accepted, outside accounts."""
    return f"/invitation/{_signer().sign(invitation.pk.hex)}"


def invitation_id(token: str) -> UUID | None:
    """The id in a token that was signed here, else None. Whether it is open, its row says."""
    if len(token) > MAX_TOKEN:
        return None
    try:
        return UUID(_signer().unsign(token))
    except (BadSignature, ValueError):
        return None
