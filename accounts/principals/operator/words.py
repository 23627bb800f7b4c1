"""The operators' log in plain words. `{account}` and `{person}` are what it was done to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

OPERATOR_WORDS = {
    "account.created": "made the account {account}",
    "account.deleted": "deleted the account {account}",
    "account.updated": "changed the account {account}",
    "operator.granted": "made {person} an operator",
    "operator.revoked": "took the rights of an operator from {person}",
    "person.closed": "closed the sign-in of {person}",
    "person.enrolled": "let {person} sign in to the account {account}",
    "person.link_made": "made a password link for {person}",
    "person.code_added": "added a code to their sign-in",
    "person.code_removed": "took the code from their sign-in",
    "person.codes_renewed": "made new recovery codes",
    "person.password_set": "set a new password",
    "person.signed_out_elsewhere": "signed out everywhere else",
    "person.reopened": "opened the sign-in of {person} again",
}
# What of an account was changed, by the name in the event's data.
CHANGES = {
    "renamed": "renamed the account {account}",
    "suspended": "suspended the account {account}",
    "resumed": "resumed the account {account}",
}


def did(action: str, data: Mapping[str, Any]) -> str:
    """What an operator did; of an action that another version wrote, its own name."""
    if action == "account.updated":
        for name, words in CHANGES.items():
            if data.get(name) == "1":
                return words
    return OPERATOR_WORDS.get(action, f"did {action}")
