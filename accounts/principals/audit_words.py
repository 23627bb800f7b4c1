"""The audit log in plain words: one sentence for every action that the code writes.

A sentence has places: `{target}`, or a name of `data`. `{keys#key}` is a count with its noun.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACE = re.compile(r"\{(\w+)(?:#([\w ]+))?\}")


@dataclass(frozen=True, slots=True)
class Words:
    """What an action is called.

    Attributes:
        label: in a filter. did: the sentence behind whoever did it.
        when, then: `then` takes the place of `did` where `data` has that name and it is not zero.
        others: pairs as when and then, which come before.
        by_job: the whole sentence, where a job did it.
    """

    label: str
    did: str
    when: str = ""
    then: str = ""
    others: tuple[tuple[str, str], ...] = ()
    by_job: str = ""

    def sentence(self, data: Mapping[str, Any], *, job: bool = False) -> str:
        if job and self.by_job:
            return self.by_job
        cases = (*self.others, (self.when, self.then))
        return next((then for when, then in cases if when and data.get(when)), self.did)


GROUPS = {
    "user": "Users",
    "import": "Imports",
    "invitation": "Invitations",
    "key": "Keys",
    "agent": "Agents",
    "contact": "Contacts",
    "handle": "Addresses",
    "consent": "Consent",
    "view": "View as",
    "read": "Reading",
    "session": "Sessions",
    "message": "Messages",
    "archive": "Archives",
    "memory": "Memories",
    "task": "Tasks",
    "policy": "Policy",
    "settings": "Settings",
    "account": "Account",
    "audit": "Audit log",
}
WORDS = {
    "account.created": Words("Account made", "made the account"),
    "agent.created": Words("Agent added", "added the agent {target}"),
    "agent.deleted": Words("Agent deleted", "deleted the agent {target}"),
    "agent.registered": Words(
        "Agent registered on sight", "named the agent {target} for the first time"
    ),
    "agent.updated": Words("Agent changed", "changed the agent {target}"),
    "archive.retried": Words("Archive retried", "retried a failed archive of {target}"),
    "archive.skipped": Words("Archive skipped", "gave up a failed archive of {target}"),
    "audit.exported": Words("Audit log exported", "exported the audit log"),
    "consent.granted": Words(
        "Consent granted", "wrote down that {target} agrees that something is kept"
    ),
    "consent.withdrawn": Words(
        "Consent withdrawn", "wrote down that {target} agrees no longer that anything is kept"
    ),
    "contact.created": Words("Contact made", "made the contact {target}"),
    "contact.deleted": Words("Contact deleted", "deleted the contact {target}"),
    "contact.merged": Words("Contacts merged", "let the contact {target} count as {into}"),
    "contact.unmerged": Words("Merge undone", "let the contact {target} stand alone again"),
    "contact.updated": Words("Contact changed", "changed the contact {target}"),
    "handle.added": Words("Address added", "gave the contact {target} one more address"),
    "handle.bound": Words("Address bound", "bound an address of {target} to the user {user}"),
    "handle.code_made": Words("Code made", "made a code that links an address to {target}"),
    "handle.removed": Words("Address removed", "took an address from the contact {target}"),
    "handle.unbound": Words("Address unbound", "unbound an address of {target} from {user}"),
    "import.applied": Words(
        "Import told to come in",
        "told {sessions#session} and {memories#memory} of an import to come in",
    ),
    "import.completed": Words(
        "Imported",
        "brought in {sessions#session} with {messages#message} and {memories#memory}",
    ),
    "import.counted": Words(
        "Import counted",
        "counted {sessions#session} with {messages#message} and {memories#memory} of an import",
    ),
    "import.discarded": Words("Upload thrown away", "threw the upload of an import away"),
    "import.failed": Words(
        "Import stopped", "began an import that stopped, with {sessions#session} brought in"
    ),
    "import.rolled_back": Words(
        "Import taken out",
        "took out {sessions#session} and {memories#memory} that an import had brought in",
    ),
    "import.started": Words("Import begun", "began an import"),
    "invitation.accepted": Words("Invitation accepted", "accepted the invitation of {target}"),
    "invitation.created": Words("Invited", "invited somebody to sign in as {target}"),
    "invitation.renewed": Words("Invitation sent again", "sent the invitation of {target} again"),
    "invitation.revoked": Words("Invitation revoked", "revoked the invitation of {target}"),
    "key.created": Words("Key made", "made the key {key} of {target}"),
    "key.replaced": Words("Key replaced", "replaced the default key of {target} by {key}"),
    "key.revoked": Words("Key revoked", "revoked the key {key} of {target}"),
    "memory.created": Words(
        "Memory kept for someone", "kept the memory {target} for somebody else"
    ),
    "memory.deleted": Words("Memory deleted", "deleted the memory {target}"),
    "memory.exported": Words("Memories exported", "exported memories of {target}"),
    "memory.quarantined": Words("Memory quarantined", "put the memory {target} in quarantine"),
    "memory.released": Words("Memory released", "let the memory {target} out of quarantine"),
    "memory.restored": Words("Memory restored", "restored the memory {target}"),
    "memory.updated": Words("Memory changed", "changed the memory {target}"),
    "memory.wiped": Words("Memories wiped", "deleted {memories#memory} of {target}"),
    "message.written": Words("Message written for someone", "wrote in {target}"),
    "policy.changed": Words("Policy changed", "put version {version} of the policy in force"),
    "policy.reverted": Words(
        "Policy reverted", "went back to an earlier policy, as version {version}"
    ),
    "read.context": Words("Context read", "read the context of a session of {target}"),
    "read.list": Words("Sessions listed", "saw sessions of {target} in a list"),
    "read.memories": Words("Memories read", "read memories of {target}"),
    "read.messages": Words("Messages read", "read messages in a session of {target}"),
    "read.session": Words("Session opened", "opened a session of {target}"),
    "session.committed": Words("Session archived for someone", "archived messages of {target}"),
    "session.created": Words("Session begun for someone", "began the session {target}"),
    "session.deleted": Words(
        "Session deleted",
        "deleted {sessions#session}: {target}, with {messages#message}",
    ),
    "session.updated": Words("Session changed for someone", "changed the session {target}"),
    "session.used": Words("Use counted for someone", "counted what was used in {target}"),
    "settings.changed": Words("Settings changed", "changed the settings"),
    "task.cancelled": Words("Task cancelled", "cancelled a task of {target}"),
    "user.created": Words("User added", "added the user {target}"),
    "user.deleted": Words("User deleted", "deleted the user {target} and {keys#key}"),
    "user.folded": Words(
        "Retired user id used", "used a user id that is retired; {target} took its place"
    ),
    "user.registered": Words(
        "User registered on sight", "named the user {target} for the first time"
    ),
    "user.role_changed": Words(
        "Role changed", "made {target} a user", when="admin", then="made {target} an admin"
    ),
    "user.renamed": Words("User renamed", "changed the name of {target}"),
    "view.ended": Words(
        "View left", "left the view as {target}", by_job="The view as {target} ran out"
    ),
    "view.started": Words(
        "View begun",
        "began to see the account as {target}",
        when="agent",
        then="began to see the account as {target} with {agent}",
        others=(("contact", "began to see the account as {contact}, a contact of {target}"),),
    ),
}
# What a user is told of those who looked at what is theirs.
LOOKED = {
    "read.context": "read the context of a session of yours",
    "read.list": "saw sessions of yours in a list",
    "read.memories": "read memories of yours",
    "read.messages": "read messages in a session of yours",
    "read.session": "opened a session of yours",
}


def words_of(action: str) -> Words:
    """What the action is called; of one that an older or newer version wrote, its own name."""
    return WORDS.get(action) or Words(action, f"did {action}")


def action_choices() -> list[tuple[str, Any]]:
    """For a filter: everything, then for each group all of it and its actions."""
    choices: list[tuple[str, Any]] = [("", "Any action")]
    for noun, group in GROUPS.items():
        ones = [(name, words.label) for name, words in WORDS.items() if group_of(name) == noun]
        if len(ones) > 1:
            ones.insert(0, (f"{noun}.", f"{group}: all"))
        choices.append((group, ones))
    return choices


def actions_named(chosen: str) -> list[str]:
    """The actions of a choice: one, or for `key.` all that begin so. Empty: any."""
    if chosen.endswith("."):
        return [name for name in WORDS if name.startswith(chosen)]
    return [chosen] if chosen else []


def group_of(action: str) -> str:
    """The noun of an action."""
    return action.partition(".")[0]


def counted(number: int, noun: str) -> str:
    """`1 key`, `2 keys`."""
    if number == 1:
        return f"{number:,} {noun}"
    many = f"{noun[:-1]}ies" if noun.endswith("ory") else f"{noun}s"
    return f"{number:,} {many}"
