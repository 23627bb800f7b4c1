"""Who sees a session: written by hand from isolation.md (Layers, Authentication, Simulation,
Sessions, Contacts), not from the code. It knows names only, no rows, no queries.
"""

from __future__ import annotations

from dataclasses import dataclass

# Sessions: "`account`: every user of the account; `participants`: its creator, and users who took
# part. Sessions with a contact, under both values: creator, participating users, the contact's
# owner, ADMIN, and the contact itself." Authentication: ADMIN has all sessions of its account.
# Agents' headers open nothing.
READERS = {
    # policy, session: who sees it
    ("account", "without a contact"): {"creator", "took part", "admin as itself", "any user"},
    ("participants", "without a contact"): {"creator", "took part", "admin as itself"},
    ("account", "with a contact"): {"creator", "took part", "owner", "admin as itself"},
    ("participants", "with a contact"): {"creator", "took part", "owner", "admin as itself"},
}
OWNERS = {"ana": "bob", "ben": "bob", "cleo": "beth", "alba": "alice"}  # of the contacts
NEVER_WROTE = "never wrote"  # a peer of the caller that has no row yet
UNREGISTERED = frozenset({"walter"})  # users that a gateway named and no write registered yet


@dataclass(frozen=True)
class Caller:
    """A credential's role and own name, and the user, contact and agent that it names."""

    role: str  # root, admin, user
    own: str | None  # root has no user of its own
    names: str | None  # the User header; None: not sent
    agent: str = "default"
    contact: str | None = None

    @property
    def effective(self) -> str:
        """As the user that is named, else as oneself; "the contact's owner becomes" it."""
        who = OWNERS.get(self.contact or "") or self.names or self.own
        assert who is not None, "root must name a user"
        return who

    @property
    def as_itself(self) -> bool:
        """ "The effective user is the key's own and no contact is named"; ROOT always simulates."""
        return self.role != "root" and self.effective == self.own and self.contact is None


@dataclass(frozen=True)
class Talk:
    """A session: who made it, the users and agents that spoke in it, and whom it is with."""

    creator: str  # "With a contact, a session's owner is always the contact's owner"
    users: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    contact: str | None = None


def sees(policy: str, caller: Caller, talk: Talk) -> bool:
    """Whether the caller sees the session, in an account with that sessions_visible_to."""
    if caller.effective in UNREGISTERED:
        return False  # "Reading as an unregistered user sees nothing"
    # "A contact named by any means always narrows … and `contact = C`"; none that wrote: empty.
    if caller.contact is not None and caller.contact != talk.contact:
        return False
    who = {"any user"}
    who |= {"creator"} if caller.effective == talk.creator else set()
    who |= {"took part"} if caller.effective in talk.users else set()
    who |= {"owner"} if talk.contact and caller.effective == OWNERS[talk.contact] else set()
    # "Reading, listing, searching: as the effective identity with role USER" when simulating.
    who |= {"admin as itself"} if caller.role == "admin" and caller.as_itself else set()
    return bool(who & READERS[policy, "with a contact" if talk.contact else "without a contact"])
