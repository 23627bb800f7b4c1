"""Who recalls, manages and changes a memory; names only. Written by hand from isolation.md
(Namespace policy, Contacts, the table of what a caller may do) and memory.md (gate, consent).
"""

from dataclasses import dataclass, field

from tests.oracle import OWNERS, UNREGISTERED, Caller

# Namespace policy: what a memory is split by, under its scope's letter; under t always by both.
SPLIT_BY = {("user", "f"): {"user"}, ("agent", "f"): {"agent"}}
COUNTS_AS = {"anna": "ana"}  # merged: "look-ups and visibility use the root contact"


@dataclass(frozen=True)
class House:
    policy: str = "ff"  # the letter of the user scope, then of the agent scope
    structured: frozenset[str] = frozenset({"ada", "max"})  # agents whose gate is open
    consent: str = "opt_in"
    said: dict[str, str] = field(default_factory=dict)  # a contact's last word: granted, withdrawn
    at: float = 0  # which hour it is; a grant that has lapsed is no word

    def split_by(self, scope: str) -> set[str]:
        return SPLIT_BY.get((scope, self.policy[scope == "agent"]), {"user", "agent"})


@dataclass(frozen=True)
class Kept:
    scope: str
    user: str
    agent: str
    contact: str | None = None
    state: str = "active"
    expires: float = 1e9  # at which hour
    topic: tuple[str, str] | None = None  # kind and topic_key
    changed: tuple[int, int] = (0, 0)  # later: newer
    author: str = "bob"

    @property
    def stamp(self) -> str | None:
        return COUNTS_AS.get(self.contact or "", self.contact)


def under_roots(house: House, caller: Caller, kept: Kept) -> bool:
    own = {"user": caller.effective, "agent": caller.agent}
    in_root = all(getattr(kept, part) == own[part] for part in house.split_by(kept.scope))
    owned = kept.stamp is None or OWNERS[kept.stamp] == caller.effective
    of_contact = kept.stamp == caller.contact if caller.contact else owned  # "always narrows"
    return caller.effective not in UNREGISTERED and in_root and of_contact


def manages(house: House, caller: Caller, kept: Kept) -> bool:
    whole_account = caller.role == "admin" and caller.as_itself and caller.own not in UNREGISTERED
    return whole_account or under_roots(house, caller, kept)


def edits(caller: Caller, kept: Kept) -> bool:  # of what it manages
    writer = caller.own if caller.role == "user" else caller.effective
    own = kept.user == caller.effective and (kept.scope == "user" or kept.author == writer)
    return own or (caller.role == "admin" and caller.as_itself)


def hides(house: House, kept: Kept, others: tuple[Kept, ...] = ()) -> str | None:  # from recall
    family = [name for name in (*OWNERS, "anna") if COUNTS_AS.get(name, name) == kept.stamp]
    said = {house.said.get(name, "silent") for name in family}  # of merged ones each must agree
    agreeing = {"granted"} if house.consent == "opt_in" else {"granted", "silent"}
    same = ("scope", "stamp", "topic", *house.split_by(kept.scope))
    equals = (one for one in others if all(getattr(one, x) == getattr(kept, x) for x in same))
    newer = (one for one in equals if kept.topic and one.changed > kept.changed)
    reasons = {
        "quarantine": kept.state == "quarantined", "gone": kept.state != "active",
        "expired": kept.expires <= house.at, "gate": kept.agent not in house.structured,
        "consent": not said <= agreeing,
        "newer": any(hides(house, one) is None for one in newer),  # "the newest is shown"
    }  # fmt: skip
    return next((name for name, holds in reasons.items() if holds), None)


def recalls(house: House, caller: Caller, kept: Kept, others: tuple[Kept, ...] = ()) -> bool:
    asked = under_roots(house, caller, kept) and caller.agent in house.structured
    return asked and hides(house, kept, others) is None
