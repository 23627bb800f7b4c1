"""The namespace policy in words: who reads what, and what a change of it would say instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.namespace import Policy


@dataclass(frozen=True, slots=True)
class Sentence:
    """One rule in words.

    Attributes:
        then: what it would be under the policy that is proposed, when that differs; else "".
    """

    text: str
    then: str = ""


def session_readers(policy: Policy, then: Policy | None = None) -> list[Sentence]:
    """Who reads and who writes sessions (isolation.md, Sessions)."""
    return [
        _compared(_readers, policy, then),
        Sentence(
            "A session with a contact is read by the owner of the contact, by users who took"
            " part, and by admins, whatever the policy."
        ),
        Sentence(
            "Whoever reads a session may add to it. The header of an agent opens nothing by itself."
        ),
    ]


def memory_readers(policy: Policy, then: Policy | None = None) -> list[Sentence]:
    """Who recalls which memories, and who manages them (isolation.md, Memories)."""
    return [
        _compared(_user_memories, policy, then),
        _compared(_agent_memories, policy, then),
        Sentence(
            "A memory with a contact is recalled for the owner of the contact and for the contact"
            " itself, for no other user; and only while the contact agrees."
        ),
        Sentence(
            "Only an agent with structured memory recalls, and only from agents that have it."
        ),
        Sentence(
            "Admins list, change and export every memory of the account, and each look is noted."
            " Being an admin makes nothing more recalled."
        ),
    ]


def readers_name(readers: str) -> str:
    """The value of `sessions_visible_to` in words."""
    return "every user" if readers == "account" else "participants"


def _compared(words: Callable[[Policy], str], policy: Policy, then: Policy | None) -> Sentence:
    now = words(policy)
    after = words(then) if then else now
    return Sentence(now, after if after != now else "")


def _readers(policy: Policy) -> str:
    if policy.sessions_visible_to == "account":
        return "Every user of the account reads every session without a contact."
    return (
        "A session without a contact is read by its creator, by users who took part in it, and by"
        " admins."
    )


def _user_memories(policy: Policy) -> str:
    if policy.isolate_user_scope_by_agent:
        return (
            "A user memory is recalled for that user only, and only by the agent that it was kept"
            " with."
        )
    return "A user memory is recalled for that user only, whichever agent asks."


def _agent_memories(policy: Policy) -> str:
    if policy.isolate_agent_scope_by_user:
        return (
            "An agent memory is recalled by that agent only, and only for the user whom it was"
            " kept with."
        )
    return "An agent memory is recalled by that agent only, for every user of the account."
