"""What an address names, under the policy in force (isolation.md, Namespace policy).

Pure: no row is looked at, so an answer tells nothing about what exists. Addresses are prefixes.
What an Address says of user, agent, kind and memory admits exactly the memories whose own address
is it or lies below it; lists filter by these fields, never by text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from accounts.errors import InvalidArgument, InvalidUri, PermissionDenied
from accounts.names import check_session_id, is_id
from accounts.namespace import SCHEME, Policy, session_uri
from memory.models import KINDS

MAX_LENGTH = 1000
FOREIGN = "?#%\\ "  # query, fragment, escapes, separators of other systems, space
NOTHING_THERE = ("resources", "temp", "queue")  # of the existing system: well-formed, empty
# First segments below the caller's own root, which may be left out.
SHORTHAND = {
    "user": ("memories", "profile.md", ".abstract.md", ".overview.md"),
    "agent": (
        "memories", "skills", "instructions", "workspaces", ".abstract.md", ".overview.md",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Namespace:
    """Whose addresses are in question.

    `everything`: ADMIN as itself, who may name any user's and agent's namespace of the account.
    """

    user_id: str
    agent_id: str
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """What a well-formed address names.

    Attributes:
        uri: canonical: whole, without shorthand and trailing slash, own ids as they are spelled.
        scope: the first segment; None for viking:// itself.
        owner_user_id: with owner_agent_id the owner tuple; None: nobody in particular. As a filter
            each means any when it is None.
        is_container: whether something can lie below it.
        empty: well-formed, but no memory can lie at it or below it.
    """

    uri: str
    scope: str | None = None
    owner_user_id: str | None = None
    owner_agent_id: str | None = None
    is_container: bool = False
    kind: str | None = None
    memory_id: UUID | None = None
    empty: bool = False

    @property
    def user_id(self) -> str | None:
        """The user of the rows that it can name, in any case; None: any."""
        return self.owner_user_id

    @property
    def agent_id(self) -> str | None:
        """The agent of the rows that it can name, in any case; None: any."""
        return self.owner_agent_id


class Row(Protocol):
    """What makes a memory's address; user and agent by the ids that people know."""

    @property
    def scope(self) -> str: ...
    @property
    def user_id(self) -> str: ...
    @property
    def agent_id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> UUID: ...


def parse(uri: str, policy: Policy, own: Namespace) -> Address:
    """Read an address.

    Raises:
        InvalidUri: it is malformed.
        PermissionDenied: it is well-formed, but another's; the same whether that one exists.
    """
    texts = _split(uri)
    if not texts:
        return Address(SCHEME, is_container=True)
    scope, *below = texts
    if scope in SHORTHAND:
        address = _owned(scope, below, policy, own)
    elif scope == "session":
        address = _session(below)
    elif scope in NOTHING_THERE:
        address = Address(SCHEME + "/".join(texts), scope, is_container=not below, empty=True)
    else:
        raise _malformed("begin with user, agent, session, resources, temp or queue")
    if len(address.uri) > MAX_LENGTH:  # shorthand may have made it longer
        raise _malformed(f"have at most {MAX_LENGTH} characters when written in full")
    return address


def admits(address: Address, row: Row) -> bool:
    """Whether the row's address is this one or lies below it, under the policy it was read by."""
    return (
        not address.empty
        and address.scope in {None, row.scope}
        and _is(address.user_id, row.user_id)
        and _is(address.agent_id, row.agent_id)
        and address.kind in {None, row.kind}
        and address.memory_id in {None, row.id}
    )


def _split(uri: str) -> list[str]:
    if len(uri) > MAX_LENGTH:
        raise _malformed(f"have at most {MAX_LENGTH} characters")
    if not uri.startswith(SCHEME):
        raise _malformed(f"begin with {SCHEME}")
    path = uri.removeprefix(SCHEME)
    if not path.isprintable() or any(sign in path for sign in FOREIGN):
        raise _malformed("hold no blanks, control characters, '?', '#', '%' or '\\'")
    if not path:
        return []
    texts = path.removesuffix("/").split("/")
    if not {"", ".", ".."}.isdisjoint(texts):
        raise _malformed("have no empty, '.' or '..' segment")
    return texts


def _owned(scope: str, below: list[str], policy: Policy, own: Namespace) -> Address:
    """Read what follows viking://user or viking://agent."""
    if not below:
        return Address(SCHEME + scope, scope, is_container=True)
    names, rest = _names(scope, below, policy, own)
    rest = _with_kind(scope, rest)
    kind, memory_id, empty = _memories(rest)
    if memory_id:
        rest[-1] = str(memory_id)
    return Address(
        SCHEME + "/".join([*(text for pair in names.items() for text in pair), *rest]),
        scope,
        names.get("user"),
        names.get("agent"),
        is_container=not empty and memory_id is None,
        kind=kind,
        memory_id=memory_id,
        empty=empty,
    )


def _names(
    scope: str, below: list[str], policy: Policy, own: Namespace
) -> tuple[dict[str, str], list[str]]:
    """Whose namespace it is, in the order of the address, and what remains after it."""
    if scope == "user":
        partner, splits = "agent", policy.isolate_user_scope_by_agent
    else:
        partner, splits = "user", policy.isolate_agent_scope_by_user
    ids = {"user": own.user_id, "agent": own.agent_id}
    if below[0] in SHORTHAND[scope]:
        return {name: ids[name] for name in ((scope, partner) if splits else (scope,))}, below
    names, rest = {scope: below[0]}, below[1:]
    if splits and rest:
        if rest[0] != partner or len(rest) == 1:
            raise _malformed(f"have {partner}/{{id}} after viking://{scope}/{{id}}")
        names, rest = {scope: below[0], partner: rest[1]}, rest[2:]
    if not all(map(is_id, names.values())):
        raise _malformed("have ids of 1 to 64 letters, digits, '_' or '-'")
    return {name: _allowed(text, ids[name], own) for name, text in names.items()}, rest


def _allowed(text: str, own_id: str, own: Namespace) -> str:
    if _is(text, own_id):
        return own_id
    if own.everything:
        return text
    raise PermissionDenied("This namespace is not yours.")


def _with_kind(scope: str, rest: list[str]) -> list[str]:
    """Rewrite the directories of the existing system that are kinds here."""
    if scope == "user" and rest == ["profile.md"]:
        return ["memories", "profile"]
    if scope == "agent" and rest[:1] == ["skills"]:
        return ["memories", *rest]
    return rest


def _memories(rest: list[str]) -> tuple[str | None, UUID | None, bool]:
    """Read what follows a root: kind, memory, and whether nothing can lie there."""
    match rest:
        case [] | ["memories"]:
            return None, None, False
        case ["memories", kind] if kind in KINDS:
            return kind, None, False
        case ["memories", kind, text] if kind in KINDS and (memory_id := _uuid(text)):
            return kind, memory_id, False
    return None, None, True


def _session(below: list[str]) -> Address:
    """Read what follows viking://session: archives lie below a session, memories never do."""
    if not below:
        return Address(f"{SCHEME}session", "session", is_container=True, empty=True)
    session_id, *rest = below
    try:
        check_session_id(session_id)
    except InvalidArgument as error:
        raise _malformed("have a session id of 1 to 128 letters, digits, '_' or '-'") from error
    uri = "/".join([session_uri(session_id), *rest])
    return Address(uri, "session", is_container=rest in ([], ["history"]), empty=True)


def _uuid(text: str) -> UUID | None:
    """Read a UUID in its one usual form; its other spellings name nothing."""
    try:
        value = UUID(text)
    except ValueError:
        return None
    return value if str(value) == text.lower() else None


def _is(asked: str | None, held: str) -> bool:
    return asked is None or asked.lower() == held.lower()


def _malformed(must: str) -> InvalidUri:
    return InvalidUri(f"An address must {must}.", field="uri")
