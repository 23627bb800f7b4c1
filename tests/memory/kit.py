"""Memories made past the services, for what does not depend on how they came to be."""

from __future__ import annotations

from accounts.principals.models import Agent, User
from memory.models import Memory, Version
from tests.accounts.kit import make_contact

__all__ = ["agent_row", "keep", "make_contact", "past", "user_row"]


def user_row(user_id):
    """The user of that id; inside the account."""
    return User.objects.get(user_id=user_id)


def agent_row(agent_id, memory_system=None):
    """The agent of that id, made if need be, as a gate says; inside the account."""
    row, _ = Agent.objects.get_or_create(agent_id=agent_id)
    if memory_system is not None:
        Agent.objects.filter(pk=row.pk).update(memory_system=memory_system)
    return row


def keep(user="bob", agent="default", content="Takes tea.", **more):
    """A row that is there, inside the account, as the database has it."""
    row = Memory.objects.create(
        user=user_row(user), agent=agent_row(agent), content=content, **more
    )
    row.refresh_from_db()
    return row


def past(memory):
    """Every version of a memory, the first one first."""
    return list(Version.objects.filter(memory=memory).order_by("version"))
