"""What the pages about memories ask beside the list and the memory itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.principals.models import Agent
from memory import access
from memory.models import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from accounts.actor import Actor
    from memory.selectors.memories import MemoryRow

SUCCESSION_SHOWN = 20
STRUCTURED = Agent.MemorySystem.STRUCTURED


@dataclass(frozen=True, slots=True)
class Succession:
    """What took a memory's place, and whose place it took; as far as the actor sees them."""

    by: UUID | None
    of: list[UUID]


def editable(*, actor: Actor, rows: Sequence[MemoryRow]) -> set[UUID]:
    """Those of these memories that the actor may change."""
    ids = [row.id for row in rows if isinstance(row.said, Memory)]
    if not ids:
        return set()
    may = access.memories_of(actor).filter(access.editable_by(actor), pk__in=ids)
    return set(may.values_list("pk", flat=True))


def succession(*, actor: Actor, memory_id: UUID) -> Succession:
    """The links between a memory and those that stand in the same place. Raises NotFound."""
    memory = access.memory_for(actor, memory_id)
    seen = access.memories_of(actor)
    by = memory.superseded_by_id
    if by is not None and not seen.filter(pk=by).exists():
        by = None
    of = seen.filter(superseded_by=memory).order_by("-pk").values_list("pk", flat=True)
    return Succession(by, list(of[:SUCCESSION_SHOWN]))


def gate_is_open(*, actor: Actor) -> bool:
    """Whether the agent with which the actor writes uses structured memory."""
    agent = actor.agent.id
    return agent is not None and Agent.objects.filter(pk=agent, memory_system=STRUCTURED).exists()


def structured_agent() -> str:
    """An agent that uses structured memory, the first one of all; "" for none."""
    rows = Agent.objects.filter(memory_system=STRUCTURED).order_by("pk")
    return rows.values_list("agent_id", flat=True).first() or ""
