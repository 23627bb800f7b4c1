"""Channel commands: what is sent to Bailiwick itself, and never kept as a message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.db import DatabaseError, transaction

from accounts.actor import Principal
from accounts.errors import Unavailable
from accounts.principals.services import (
    Sender,
    link_code_burn,
    link_code_use,
    with_everyone_registered,
)
from sessions_app.services.senders import handle_of, resolved

if TYPE_CHECKING:
    from accounts.actor import Actor, ContactRef

# Whatever begins so is a command, however it is spelt: a code must not become a message.
_LINK = re.compile(r"/link(?:@\w+)?(?!\w)(.*)", re.IGNORECASE | re.DOTALL)
_CODE = re.compile(r"(?<!\w)\w{8}(?!\w)", re.ASCII)

IN_A_GROUP = (
    "Everybody here has seen the code; it holds no longer. Send a new one in a direct chat."
)
NOT_VALID = "This code is not valid. Make a new one; it holds for ten minutes."


def link_code_in(text: str) -> str | None:
    """The code of a `/link` command; empty when it has none; None for what is no such command."""
    found = _LINK.match(text.strip())
    if found is None:
        return None
    code = _CODE.search(found[1])
    return code[0] if code else ""


def link(
    actor: Actor, sender: Sender, code: str, *, in_group: bool
) -> tuple[str, ContactRef | None, Principal | None]:
    """`/link CODE` binds the sender's address to the code's user.

    Returns:
        The reply, and who the sender is now: contact and user.

    Raises:
        Unavailable: the sender could not be resolved; nothing was done, send it again.
    """
    if in_group:
        link_code_burn(code=code)
        return IN_A_GROUP, None, None
    try:
        return _bound(actor, sender, code)
    except DatabaseError as error:
        raise Unavailable("The sender could not be resolved; send the turn again.") from error


def _bound(
    actor: Actor, sender: Sender, code: str
) -> tuple[str, ContactRef | None, Principal | None]:
    with transaction.atomic():
        actor = with_everyone_registered(actor, actor.agent)
        ref, before = resolved(actor, sender)
        handle = handle_of(sender)
        assert handle is not None  # made a line above, if it was not there
        bound = link_code_use(actor=actor, handle=handle, code=code)
        if bound is None:
            # Who guesses codes becomes no contact.
            transaction.set_rollback(True)
    if bound is not None:
        return (
            f"Linked: you are {bound.user_id} from now on.",
            ref,
            Principal(bound.pk, bound.user_id),
        )
    if before is not None:
        return f"{NOT_VALID} You are {before.user_id} already.", ref, before
    return NOT_VALID, None, None
