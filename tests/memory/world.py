"""The names of the oracle as rows: users, agents, contacts and memories of one account.

Alice is admin; Bob and Beth are users; Walter is named by a gateway and not registered yet, nor is
the agent Nova. Of the contacts (oracle.OWNERS) Ben is a group, and Anna is merged into Ana.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from uuid import UUID, uuid4

from django.utils import timezone

from accounts.actor import Actor, AgentRef, ContactRef, Principal, Role, Scope
from accounts.namespace import Policy
from accounts.principals.models import Agent, Contact, User
from memory.models import Consent, Memory
from memory.visibility import MemoryFacts
from tests.accounts.kit import make_contact
from tests.memory.oracle import COUNTS_AS, House, Kept, hides
from tests.oracle import OWNERS, UNREGISTERED, Caller

USERS = ("alice", "bob", "beth", "default")
AGENTS = ("ada", "max")
NOVA = "nova"
POLICIES = ("ff", "ft", "tf", "tt")
GROUP = "ben"
ALL_CONTACTS = (*OWNERS, *COUNTS_AS)
YESTERDAY = timezone.now() - timedelta(days=1)


def flags(policy):
    """The policy's letters as its fields."""
    return {
        "isolate_user_scope_by_agent": policy[0] == "t",
        "isolate_agent_scope_by_user": policy[1] == "t",
    }


def owner_of(contact):
    """Whose contact it is: merging asks for the same owner."""
    return OWNERS[COUNTS_AS.get(contact, contact)]


class World:
    """An account with those people; its memories come and go."""

    def __init__(self, ref):
        self.ref = ref
        self.numbers = count(1)
        self.agents = {name: Agent.objects.get_or_create(agent_id=name)[0].pk for name in AGENTS}
        self.users = {row.user_id: row.pk for row in User.objects.filter(user_id__in=USERS)}
        self.users |= {name: uuid4() for name in UNREGISTERED}
        self.contacts = {
            name: make_contact(
                ref,
                "telegram",
                name,
                owner=owner_of(name),
                kind="group" if name == GROUP else "external",
            )
            for name in ALL_CONTACTS
        }
        for name, into in COUNTS_AS.items():
            root = self.contacts[into]
            Contact.objects.filter(pk=self.contacts[name]).update(merged_into=root, root=root)

    def furnish(self, house):
        """Open the gates of the house, and write down what its contacts said."""
        for system in ("structured", "summarization"):
            named = [name for name in AGENTS if (name in house.structured) == (system[1] == "t")]
            Agent.objects.filter(agent_id__in=named).update(memory_system=system)
        Consent.objects.all().delete()
        Consent.objects.bulk_create(
            row for name in ALL_CONTACTS for row in self._ledger(name, house.said.get(name))
        )

    def _ledger(self, name, said):
        """A ledger in which only the last word counts: what stands before it says the contrary."""
        contact = self.contacts[name]
        before = {"granted": "withdrawn", "withdrawn": "granted"}.get(said, "withdrawn")
        yield Consent(contact_id=contact, state=before, is_current=False)
        if said == "granted":
            later = timezone.now() + timedelta(hours=1)
            yield Consent(contact_id=contact, state=said, expires_at=later)
        elif said == "withdrawn":  # for good: what was withdrawn does not come back by itself
            lapsed = YESTERDAY if name == "anna" else None
            yield Consent(contact_id=contact, state=said, expires_at=lapsed)
        elif name == "cleo":  # an expired grant is silence
            yield Consent(contact_id=contact, state="granted", expires_at=YESTERDAY)

    @staticmethod
    def key(number):
        """The number-th key: they grow, and are known before their rows are made."""
        return UUID(int=(7 << 76) | (2 << 62) | number)

    def fill(self, kepts):
        """A row for each; its ids, which grow."""
        now = timezone.now()
        rows = [
            Memory(
                id=self.key(next(self.numbers)),
                scope=kept.scope,
                user_id=self.users[kept.user],
                agent_id=self.agents[kept.agent],
                contact_id=kept.contact and self.contacts[kept.contact],
                state=kept.state,
                expires_at=moment(now, kept),
                updated_at=YESTERDAY + timedelta(minutes=kept.changed[0]),
                content=f"apricots {number}",
                written_by=self.users[kept.author],
                **topic(kept),
            )
            for number, kept in enumerate(kepts)
        ]
        return [row.pk for row in Memory.objects.bulk_create(rows)]

    def actor(self, caller, house):
        """The caller in that house."""
        contact = None
        if caller.contact is not None:
            contact = ContactRef(self.contacts.get(caller.contact), self.principal(caller))
        return Actor(
            account=self.ref,
            role=Role(caller.role),
            principal=self._principal(caller.own) if caller.own else None,
            user=self.principal(caller),
            contact=contact,
            agent=AgentRef(self.agents.get(caller.agent), caller.agent),
            policy=Policy(**flags(house.policy)),
            scopes=frozenset(Scope),
            settings={"contact_consent": house.consent},
        )

    def principal(self, caller: Caller):
        """The effective user."""
        return self._principal(caller.effective)

    def _principal(self, name):
        return Principal(self.users[name], name, registered=name not in UNREGISTERED)

    def facts(self, house: House, kept: Kept, others=(), *, now):
        """What the decision needs to know, from the names alone."""
        words = kept.contact is None or hides(opened(house), Kept("user", "bob", "x", kept.contact))
        newer = [
            one
            for one in others
            if kept.topic
            and (one.scope, one.topic, one.stamp) == (kept.scope, kept.topic, kept.stamp)
            and one.changed > kept.changed
        ]
        return MemoryFacts(
            scope=kept.scope,
            user=self.users[kept.user],
            agent=self.agents[kept.agent],
            contact=kept.stamp and self.contacts[kept.stamp],
            contact_owner=kept.contact and self.users[owner_of(kept.contact)],
            state=kept.state,
            expires_at=moment(now, kept),
            gate=kept.agent in house.structured,
            consents=words != "consent",
            newer=tuple(self.facts(house, one, now=now) for one in newer),
        )


def opened(house):
    """The same house with a gate that is open: only consent hides there."""
    return House(policy=house.policy, consent=house.consent, said=house.said, structured={"x"})


def moment(now, kept):
    """When it expires, as time."""
    return now + timedelta(hours=kept.expires) if kept.expires < 1e9 else None


def topic(kept):
    """Its kind and topic_key."""
    kind, key = kept.topic or ("facts", None)
    return {"kind": kind, "topic_key": key}
