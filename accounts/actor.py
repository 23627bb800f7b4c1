"""Who is asking. Made once per request by authentication, handed to every service and selector."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from accounts.namespace import Policy
    from accounts.tenancy import AccountRef

ROOT_PRINCIPAL = UUID("ffffffff-ffff-ffff-ffff-ffffffffffff")  # `written_by` of the root key
DEFAULT_ID = "default"


class Role(StrEnum):
    ROOT = "root"
    ADMIN = "admin"
    USER = "user"


class Scope(StrEnum):
    """What a key is good for (isolation.md, Keys)."""

    READ = "read"
    WRITE = "write"
    GATEWAY = "gateway"
    MANAGE = "manage"


@dataclass(frozen=True, slots=True)
class Principal:
    """A User of the account: its row's id and the id that people know it by.

    `registered` is False for a user that a trusted gateway named for the first time: its id is
    only reserved until the first write registers it, and it sees nothing.
    """

    id: UUID
    user_id: str
    registered: bool = True


@dataclass(frozen=True, slots=True)
class AgentRef:
    """The agent on behalf of which one acts; `id` is None while it is not registered.

    `per_sender`: a channel named it first, so that it keeps senders apart from the start.
    """

    id: UUID | None
    agent_id: str
    per_sender: bool = False


@dataclass(frozen=True, slots=True)
class ContactRef:
    """The contact to which everything is narrowed.

    `id` is None for a sender that never wrote: it reads as empty, and its first write makes it.
    Of a merged contact it is the root: everything about it is its root's.
    """

    id: UUID | None
    owner: Principal
    platform: str = ""
    platform_id: str = ""
    is_group: bool = False
    display_name: str = ""
    username: str = ""


@dataclass(frozen=True, slots=True)
class Viewing:
    """An admin looks at the product as someone else; nothing may be changed meanwhile.

    The actor is then the one who is looked at, whole: what it sees needs no exception anywhere.
    """

    id: UUID
    viewer: Principal
    reason: str
    expires_at: datetime
    names_agent: bool  # the admin chose the agent; else it is the user's default
    person_name: str  # who signs in as that user; the user's id when nobody does
    time_zone: str  # in which that person is told times


@dataclass(frozen=True, slots=True)
class Operator:
    """Role ROOT on the installation: the root key, the command line, or a Person."""

    person: UUID | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone inside an account.

    Attributes:
        role: the real role. What one may *set* follows from it.
        principal: whose credential it is; None for ROOT.
        user: the effective user. What one may *see* follows from it.
        agent: the effective agent.
        policy: the namespace policy in force when the request was authenticated.
        contact: what everything is narrowed to, if a contact was named by any means.
        key: the ApiKey's id; None for ROOT and for a Person in the browser.
        agents: ids, in lower case, of the agents that the key is bound to; empty: any.
        trusted: a gateway that authenticates vouched for the user.
        settings: what the account's row keeps (AccountSettings.of reads it).
        viewing: who is really looking, when an admin views the product as this user.
        addressed: the user was named by an address that is bound to it: a gateway speaks for the
            sender, with the rights of a user, whoever's key it is.
    """

    account: AccountRef
    role: Role
    principal: Principal | None
    user: Principal
    agent: AgentRef
    policy: Policy
    scopes: frozenset[Scope]
    contact: ContactRef | None = None
    key: UUID | None = None
    agents: tuple[str, ...] = ()
    contact_required: bool = False
    trusted: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    request_id: str = ""
    viewing: Viewing | None = None
    addressed: bool = False

    @property
    def as_itself(self) -> bool:
        """Whether the effective user is the credential's own and no contact is named."""
        return (
            self.principal is not None
            and self.principal.id == self.user.id
            and self.contact is None
            and not self.addressed
        )

    @property
    def is_admin(self) -> bool:
        """Whether rows are looked at with the rights of ADMIN: only as oneself."""
        return self.role is Role.ADMIN and self.as_itself

    @property
    def simulating(self) -> bool:
        """Whether an ADMIN or ROOT acts for someone else."""
        return self.role is not Role.USER and not self.as_itself

    @property
    def names_authors(self) -> bool:
        """Whether it may set `role_id` (isolation.md, role_id, rule 3)."""
        return self.role is not Role.USER or self.trusted

    @property
    def written_by(self) -> UUID:
        """The real principal, for the rows that it writes."""
        return self.principal.id if self.principal else ROOT_PRINCIPAL
