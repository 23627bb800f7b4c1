"""Who sees a session: written by hand from isolation.md (Layers, Authentication, Simulation,
Sessions), not from the code. It knows names only, no rows, no queries.
"""

from __future__ import annotations

from dataclasses import dataclass

# isolation.md, Sessions: "`account` (default): every user of the account; `participants`: its
# creator, and users who took part." Authentication: ADMIN has "all memories and sessions" of its
# own account. Agents' headers open nothing.
#
# policy          who the caller is to the session      sees it
READERS = {
    ("account", "creator"): True,
    ("account", "took part"): True,
    ("account", "admin as itself"): True,
    ("account", "anyone else"): True,
    ("participants", "creator"): True,
    ("participants", "took part"): True,
    ("participants", "admin as itself"): True,
    ("participants", "anyone else"): False,
}


@dataclass(frozen=True)
class Caller:
    """A credential's role and own name, the user that it names, and the agent that it names."""

    role: str  # root, admin, user
    own: str | None  # root has no user of its own
    names: str | None  # the User header; None: not sent
    agent: str = "default"

    @property
    def effective(self) -> str:
        """Simulation: reading happens as the user that is named, else as oneself."""
        who = self.names or self.own
        assert who is not None, "root must name a user"
        return who

    @property
    def as_itself(self) -> bool:
        """ "The effective user is the key's own"; ROOT on account data always simulates."""
        return self.role != "root" and self.effective == self.own


@dataclass(frozen=True)
class Talk:
    """A session: who made it, and the users and agents that spoke in it."""

    creator: str
    users: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()


def sees(policy: str, caller: Caller, talk: Talk) -> bool:
    """Whether the caller sees the session, in an account with that sessions_visible_to."""
    relations = {"anyone else"}
    if caller.effective == talk.creator:
        relations.add("creator")
    if caller.effective in talk.users:
        relations.add("took part")
    # "Reading, listing, searching: as the effective identity with role USER" when simulating.
    if caller.role == "admin" and caller.as_itself:
        relations.add("admin as itself")
    return any(READERS[policy, relation] for relation in relations)
