"""Who the sessions and memories of a source belong to here; made with the first of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from django.db import transaction
from uuid_utils.compat import uuid7

from accounts.actor import DEFAULT_ID, AgentRef, ContactRef, Principal
from accounts.errors import NotFound
from accounts.principals.access import agent_by_id, user_by_id
from accounts.principals.services import agent_on_sight, contact_made_or_found, user_on_sight
from memory.models import ImportReceipt
from memory.services.imports.naming import id_for

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.actor import Actor
    from memory.importers.plain import SourceName, SourceSender

NOBODY = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose one session or memory is: rows of the account."""

    user: Principal
    agent: AgentRef
    contact: ContactRef | None


@dataclass(slots=True)
class People:
    """Finds the rows that a source's names stand for, and registers who is new.

    What it made since the last `made()` is handed out once, for the receipts of one transaction;
    a transaction that fails must call `forget()`, since its rows are gone.

    Attributes:
        actor: who imports. user, agent: in place of the default ones, where the source names none.
        default_users: keys of the source that mean the default user.
    """

    actor: Actor
    user: str = DEFAULT_ID
    agent: str = DEFAULT_ID
    default_users: frozenset[str] = frozenset()
    _users: dict[str, Principal] = field(default_factory=dict)
    _agents: dict[str, AgentRef] = field(default_factory=dict)
    _contacts: dict[tuple[UUID, str, str, str], ContactRef] = field(default_factory=dict)
    _made: list[tuple[str, str, UUID]] = field(default_factory=list)

    def whose(
        self, user: SourceName | None, agent: SourceName | None, sender: SourceSender | None
    ) -> Whose:
        """Inside the caller's transaction. A contact's owner is whose the session is."""
        owner = self._user(user)
        contact = self.contact(sender, owner) if sender else None
        return Whose(owner, self._agent(agent, per_sender=sender is not None), contact)

    def contact(self, sender: SourceSender, owner: Principal) -> ContactRef:
        """The sender's contact, with that owner."""
        key = (owner.id, sender.platform, sender.platform_id, sender.kind)
        if key not in self._contacts:
            asked = ContactRef(
                None,
                owner,
                sender.platform,
                sender.platform_id,
                is_group=sender.kind == "group",
                display_name=sender.name,
            )
            found, made = contact_made_or_found(actor=self.actor, contact=asked, kind=sender.kind)
            assert found.id is not None
            if made:
                self._made.append((ImportReceipt.Kind.CONTACT, ":".join(key[1:]), found.id))
            self._contacts[key] = found
        return self._contacts[key]

    def made(self) -> list[tuple[str, str, UUID]]:
        """(kind, key, row) of everyone who was registered since this was asked last."""
        made, self._made = self._made, []
        return made

    def forget(self) -> None:
        """Look everybody up again: the transaction that registered some was undone."""
        self._made.clear()
        self._users.clear()
        self._agents.clear()
        self._contacts.clear()

    def _user(self, name: SourceName | None) -> Principal:
        key = name.key if name else ""
        if name is None or key in self.default_users or key in ("", NOBODY):
            user_id = self.user
        else:
            user_id = id_for(key, name.name)
        if user_id not in self._users:
            self._users[user_id] = self._registered_user(user_id, key)
        return self._users[user_id]

    def _registered_user(self, user_id: str, key: str) -> Principal:
        found = user_by_id(user_id)
        if found is not None:
            return Principal(found.pk, found.user_id)
        if user_id == self.user:
            raise NotFound("user", user_id)
        new = Principal(uuid7(), user_id, registered=False)
        with transaction.atomic():  # a refused one leaves no row in a batch that goes on
            made = user_on_sight(actor=self.actor, user=new)
        if made.id == new.id:
            self._made.append((ImportReceipt.Kind.USER, key, made.id))
        return made

    def _agent(self, name: SourceName | None, *, per_sender: bool) -> AgentRef:
        agent_id = id_for(name.key, name.name) if name else self.agent
        if agent_id not in self._agents:
            found = agent_by_id(agent_id)
            if found is not None:
                self._agents[agent_id] = AgentRef(found.pk, found.agent_id)
            else:
                new = AgentRef(None, agent_id, per_sender=per_sender)
                with transaction.atomic():
                    made = agent_on_sight(actor=self.actor, agent=new)
                assert made.id is not None
                self._made.append(
                    (ImportReceipt.Kind.AGENT, name.key if name else agent_id, made.id)
                )
                self._agents[agent_id] = made
        return self._agents[agent_id]


def as_importer(actor: Actor, whose: Whose) -> Actor:
    """The importer acting for whose things come in."""
    return replace(actor, user=whose.user, agent=whose.agent, contact=whose.contact)
