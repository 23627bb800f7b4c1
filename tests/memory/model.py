"""Memories without a database: what each said in each version, who sees it and may change it.

Written from isolation.md and memory.md, for the machine in test_stateful.py. Everything is a name:
users, agents, contacts ("bob/walter" is Bob's contact Walter).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

ADMIN = "alice"
LAPSED, TO_COME = "2000-01-01T00:00:00+00:00", "2100-01-01T00:00:00+00:00"
ALIVE = ("active", "quarantined")


@dataclass(frozen=True)
class Caller:
    """Who asks, through which agent, and of which contact of theirs, if any."""

    who: str
    agent: str
    peer: bool = False

    @property
    def contact(self):
        return f"{self.who}/walter" if self.peer else None

    @property
    def is_admin(self):
        return self.who == ADMIN and not self.peer


@dataclass(frozen=True)
class Said:
    """One state of a memory. `by` and `key`: who wrote it, and whose key that was."""

    scope: str
    user: str
    agent: str
    contact: str | None
    kind: str
    topic: str | None
    content: str
    expires: str | None
    by: str | None
    key: str | None
    state: str = "active"
    successor: str | None = None

    @property
    def identity(self):
        return (self.scope, self.user, self.agent, self.contact, self.kind, self.topic)

    @property
    def owner(self):
        return (self.scope, self.user, self.agent, self.contact)

    @property
    def lapsed(self):
        return self.expires == LAPSED

    def counts_as(self, state):
        """Whether a list that is narrowed to this state shows it."""
        if state == "kept":
            return self.state != "deleted"
        if state in ("active", "expired"):
            return self.state == "active" and self.lapsed == (state == "expired")
        return state in ("any", self.state)


class Refused(Exception):
    """What the product must answer with."""

    def __init__(self, status):
        super().__init__(status)
        self.status = status


@dataclass
class Kept:
    """Every version of one memory, and the step at which each came to be."""

    versions: list[Said]
    since: list[int]

    @property
    def now(self):
        return self.versions[-1]

    def at(self, step):
        """What it said then; None before it was there."""
        known = zip(self.versions, self.since, strict=True)
        return next((one for one, since in [*known][::-1] if since <= step), None)


class Store:
    """All memories of an account, and its policies."""

    def __init__(self):
        self.kept: dict[str, Kept] = {}
        self.policies = ["ff"]
        self.step = 0

    @property
    def policy(self):
        return self.policies[-1]

    # --- who may what ---

    def sees(self, caller, said):
        if caller.is_admin:
            return True
        if caller.peer:
            of_contact = said.contact == caller.contact
        else:
            of_contact = said.contact in (None, f"{caller.who}/walter")
        if said.scope == "user":
            own = said.user == caller.who
            split = self.policy[0] == "t" and said.agent != caller.agent
        else:
            own = said.agent == caller.agent
            split = self.policy[1] == "t" and said.user != caller.who
        return of_contact and own and not split

    def edits(self, caller, kept):
        """Of an agent's memories one's own are those that one wrote first, or last."""
        if caller.is_admin:
            return True
        wrote = {kept.versions[0].by, kept.now.by}
        return caller.who == kept.now.user and (kept.now.scope == "user" or caller.who in wrote)

    def found(self, caller, name, *, edit=True):
        kept = self.kept.get(name)
        if kept is None or not self.sees(caller, kept.now):
            raise Refused(404)
        if edit and not self.edits(caller, kept):
            raise Refused(403)
        return kept

    def holder(self, said, *, but=None):
        """The active memory of the same topic."""
        if said.topic is None or said.state != "active":
            return None
        for name, kept in self.kept.items():
            if name != but and kept.now.state == "active" and kept.now.identity == said.identity:
                return name
        return None

    # --- changing ---

    def put(self, name, said):
        """A new version, unless it says the same. Raises Refused when its topic is taken."""
        if self.holder(said, but=name) is not None:
            raise Refused(409)
        self.force(name, said)

    def force(self, name, said):
        kept = self.kept[name]
        if said != kept.now:
            kept.versions.append(said)
            kept.since.append(self.step)

    def write(self, caller, name, **changes):
        """As a caller: what differs is written in their name."""
        said = self.kept[name].now
        if all(getattr(said, field) == value for field, value in changes.items()):
            return
        self.put(name, replace(said, **changes, by=caller.who, key=caller.who))

    def remember(self, caller, said, supersedes):
        """The row that is replaced, or None for a new one. Refused: nothing is written at all."""
        holder = self.holder(said)
        if holder is not None and not self.edits(caller, self.kept[holder]):
            raise Refused(404)
        if holder is not None and holder in supersedes:
            raise Refused(400)
        for name in supersedes:
            kept = self.kept[name]
            if not self.sees(caller, kept.now) or not self.edits(caller, kept):
                raise Refused(404)
            if kept.now.state != "active":
                raise Refused(404)
        return holder

    def remembered(self, name, caller, said, supersedes):
        """After the product said which row it is."""
        if name in self.kept:
            self.force(name, said)
        else:
            self.kept[name] = Kept([said], [self.step])
        for one in supersedes:
            mark = {"state": "superseded", "successor": name, "by": caller.who, "key": caller.who}
            self.force(one, replace(self.kept[one].now, **mark))

    def edit(self, caller, name, version, changes):
        kept = self.found(caller, name)
        if version is not None and version != len(kept.versions):
            raise Refused(409)
        if kept.now.state not in ALIVE:
            raise Refused(412)
        self.write(caller, name, **changes)

    def delete(self, caller, name):
        self.found(caller, name)
        self.write(caller, name, state="deleted")

    def restore(self, caller, name, version):
        kept = self.found(caller, name)
        state = next(one.state for one in reversed(kept.versions) if one.state in ALIVE)
        changes = {"state": state, "successor": None}
        if version is not None and version != len(kept.versions):
            if not 1 <= version <= len(kept.versions):
                raise Refused(404)
            past = kept.versions[version - 1]
            if past.owner != kept.now.owner and not caller.is_admin:
                raise Refused(403)
            names = ("scope", "user", "agent", "contact", "kind", "topic", "content", "expires")
            changes |= {field: getattr(past, field) for field in names}
        if changes.get("expires", kept.now.expires) == LAPSED:
            changes["expires"] = None
        self.write(caller, name, **changes)

    def move(self, caller, name, state):
        """Quarantine and release."""
        if not caller.is_admin:
            raise Refused(403)
        kept = self.found(caller, name)
        if kept.now.state not in ALIVE:
            raise Refused(412)
        self.write(caller, name, state=state)

    def wipe(self, caller, user, agent, topic):
        """How many were kept with the agent `default`, and how many with others."""
        if caller.who not in (ADMIN, user):
            raise Refused(403)
        doomed = [
            name
            for name, kept in self.kept.items()
            if (kept.now.scope, kept.now.user) == ("user", user)
            and kept.now.state != "deleted"
            and caller.contact in (None, kept.now.contact)
            and agent in (None, kept.now.agent)
            and topic in (None, kept.now.topic)
        ]
        if topic is not None and not doomed:
            raise Refused(404)
        plain = sum(self.kept[name].now.agent == "default" for name in doomed)
        for name in doomed:
            self.write(caller, name, state="deleted")
        return plain, len(doomed) - plain

    def prune(self):
        lapsed = [
            name
            for name, kept in self.kept.items()
            if kept.now.state == "active" and kept.now.lapsed
        ]
        for name in lapsed:
            self.force(name, replace(self.kept[name].now, state="deleted", by=None, key=None))
        return len(lapsed)

    # --- looking ---

    def listed(self, caller, state, step=None):
        """id → what it says, or said then; who sees it is as of now."""
        found = {}
        for name, kept in self.kept.items():
            said = kept.now if step is None else kept.at(step)
            if said and self.sees(caller, kept.now) and said.counts_as(state):
                found[name] = said
        return found

    def root(self, said):
        """Where a memory stands under the policy in force."""
        split = self.policy[0 if said.scope == "user" else 1] == "t"
        if said.scope == "user":
            return f"viking://user/{said.user}" + (f"/agent/{said.agent}" if split else "")
        return f"viking://agent/{said.agent}" + (f"/user/{said.user}" if split else "")
