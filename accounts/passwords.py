"""Links by which a person sets a new password: good once, for a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.tokens import PasswordResetTokenGenerator

if TYPE_CHECKING:
    from accounts.models import Person


class LinkTokens(PasswordResetTokenGenerator):
    """A link dies with the password, the last sign-in and the stamp that were there before it.

    Also with the right to sign in. In place of allauth's own: that one writes a row while it
    reads.
    """

    key_salt = "bailiwick.password"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        made = super()._make_hash_value(user, timestamp)
        return f"{made}{user.sign_in_stamp}{user.is_active}"


def password_link(person: Person) -> str:
    """The path of the page on which this person sets a new password."""
    return f"/password/reset/{person.pk.hex}/{LinkTokens().make_token(person)}"
