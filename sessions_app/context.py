"""What an agent gets to read before it answers, as a pure function (http-api.md, Context rule)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sessions_app.parts import CHARACTERS_PER_TOKEN

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class ArchiveSummary:
    """A completed archive, by its number."""

    archive_id: str
    abstract: str
    overview: str


@dataclass(frozen=True, slots=True)
class Assembled:
    """Which summaries fit beside the messages, with the sizes in tokens."""

    overview: str
    abstracts: list[ArchiveSummary]
    active_tokens: int
    archive_tokens: int
    included: int
    dropped: int

    @property
    def estimated_tokens(self) -> int:
        return self.active_tokens + self.archive_tokens


def assemble(
    active_tokens: int, archives: Sequence[ArchiveSummary], token_budget: int
) -> Assembled:
    """Fill what the messages leave of the budget with summaries.

    The messages newer than the latest completed archive are never cut, whatever the budget. Then
    the latest archive's overview, if it fits whole; then abstracts, newest kept longest.

    Args:
        active_tokens: tokens of those messages.
        archives: completed archives, oldest first.
        token_budget: for all of it together.
    """
    left = token_budget - active_tokens
    overview = ""
    if archives and _tokens(archives[-1].overview) <= left:
        overview = archives[-1].overview
        left -= _tokens(overview)
    kept: list[ArchiveSummary] = []
    for archive in reversed(archives):
        cost = _tokens(archive.abstract)
        if cost > left:
            break
        left -= cost
        kept.insert(0, archive)
    spent = _tokens(overview) + sum(_tokens(archive.abstract) for archive in kept)
    return Assembled(
        overview=overview,
        abstracts=kept,
        active_tokens=active_tokens,
        archive_tokens=spent,
        included=len(kept),
        dropped=len(archives) - len(kept),
    )


def _tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)
