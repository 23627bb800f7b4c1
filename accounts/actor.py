"""Who is asking. Made once per request by authentication, handed to every service and selector."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
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
    """A User of the account: its row's id and the id that people know it by."""

    id: UUID
    user_id: str


@dataclass(frozen=True, slots=True)
class AgentRef:
    """The agent on behalf of which one acts; `id` is None while it is not registered."""

    id: UUID | None
    agent_id: str


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
        key: the ApiKey's id; None for ROOT and for a Person in the browser.
        policy: the namespace policy in force when the request was authenticated.
    """

    account: AccountRef
    role: Role
    principal: Principal | None
    user: Principal
    agent: AgentRef
    policy: Policy
    scopes: frozenset[Scope]
    key: UUID | None = None
    request_id: str = ""

    @property
    def as_itself(self) -> bool:
        """Whether the effective user is the credential's own."""
        return self.principal is not None and self.principal.id == self.user.id

    @property
    def is_admin(self) -> bool:
        """Whether rows are looked at with the rights of ADMIN: only as oneself."""
        return self.role is Role.ADMIN and self.as_itself

    @property
    def written_by(self) -> UUID:
        """The real principal, for the rows that it writes."""
        return self.principal.id if self.principal else ROOT_PRINCIPAL
