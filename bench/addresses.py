"""Which addresses of the dashboard bench/suite/pages.py measures: one or more of each page."""

from __future__ import annotations

from dataclasses import dataclass

from bench import filling

ADMIN, USER = "alice", "bob"


@dataclass(frozen=True, slots=True)
class Page:
    """One address, with places as in str.format for what differs between the accounts.

    Attributes:
        older: the page behind the link to older rows, as the large account's page gives it.
        part: htmx alone asks for it, to put it into a page that is there.
        plain: a file, which grows with what is asked for: shown, with no bar.
    """

    words: str
    path: str = ""
    query: str = ""
    who: str = ADMIN
    older: bool = False
    part: bool = False
    plain: bool = False


# By the address's name; each is asked for here, or the bench does not run.
# The audit log comes first: the visits of the others are noted in it.
PAGES: dict[str, tuple[Page, ...]] = {
    "audit_log": (
        Page("audit log"),
        Page("audit log, 2nd page", older=True),
        Page("audit log, one action", query="action=key.created"),
        Page("audit log, readings", query="action=read."),
        Page("audit log, by a user", query="who=alice"),
        Page("audit log, about a user", query="about=bob"),
        Page("audit log, days", query="since={since}&until={until}"),
        Page("audit log, all filters",
             query="action=read.&who=alice&about=bob&since={since}&until={until}"),
    ),
    "session_list": (
        Page("sessions"),
        Page("sessions, 2nd page", older=True),
        Page("sessions of a busy agent", query=f"agent={filling.AGENT}"),
        Page("sessions of an agent", query=f"agent={filling.SELDOM}"),
        Page("sessions of a user", query="user=bob"),
        Page("sessions of a participant", query=f"participant={filling.GUEST}"),
        Page("sessions ended", query="state=ended"),
        Page("sessions since a day", query="since={since}"),
        Page("sessions, common word", query=f"q={filling.COMMON}"),
        Page("sessions, rare word", query=f"q={filling.RARE}"),
        Page("sessions, no such word", query=f"q={filling.ABSENT}"),
        Page("sessions, three filters", query=f"q={filling.COMMON}&user=bob&state=ended"),
        Page("sessions, to a user", who=USER),
        Page("rare word, to a user", query=f"q={filling.RARE}", who=USER),
    ),
    "session_detail": (
        Page("session, newest", filling.LONG),
        Page("session, middle", filling.LONG, query="before={half}"),
        Page("session, first", filling.LONG, query="after=0"),
        Page("session, live tail", filling.LONG, query="follow=1&after={new}", part=True),
        Page("session, live tail, idle", filling.LONG, query="follow=1&after={all}", part=True),
        Page("session, to a user", filling.LONG, who=USER),
    ),
    "message_detail": (Page("message", f"{filling.LONG}/{{half}}"),),
    "session_title": (Page("session, title", filling.LONG),),
    "session_delete": (Page("session, delete", filling.LONG),),
    "memory_list": (
        Page("memories"),
        Page("memories, 2nd page", older=True),
        Page("memories of a busy agent", query=f"agent={filling.AGENT}"),
        Page("memories of a user", query="user=bob"),
        Page("memories of a contact", query="contact={contact}"),
        Page("memories in quarantine", query="state=quarantined"),
        Page("memories, two facets", query="kind=facts&salience=high"),
        Page("memories below an address", query="uri=viking://user/bob"),
        Page("memories as of three days ago", query="as_of={until}T12:00"),
        Page("memories, common word", query=f"q={filling.COMMON}"),
        Page("memories, rare word", query=f"q={filling.RARE}"),
        Page("memories, no such word", query=f"q={filling.ABSENT}"),
        Page("memories, to a user", who=USER),
        Page("rare memory, to a user", query=f"q={filling.RARE}", who=USER),
    ),
    "memory_new": (Page("memory, new"), Page("memory, new, to a user", who=USER)),
    "memory_detail": (Page("memory", "{memory}"), Page("memory, to a user", "{memory}", who=USER)),
    "memory_edit": (Page("memory, edit", "{memory}"),),
    "memory_history": (Page("memory, history", "{memory}"),),
    "memory_export": (
        Page("memories of a kind as a file", query="kind=decisions", plain=True),
    ),
    "user_memory": (
        Page("memory of a user", "bob"),
        Page("memory of a user, to them", "bob", who=USER),
    ),
    "user_memory_export": (Page("memory of a user as a file", "bob", plain=True),),
    "user_memory_wipe": (Page("memory of a user, wipe", "bob"),),
    "user_extractions": (Page("extractions of a user", "bob"),),
    "contact_consent": (Page("contact, consent", "{contact}"),),
    "import_list": (Page("imports"), Page("imports, 2nd page", older=True)),
    "import_new": (Page("import, new"),),
    "import_detail": (Page("import", "{import}"),),
    "import_rollback": (Page("import, rollback", "{import}"),),
    "overview": (Page("overview"),),
    "job_list": (Page("jobs"), Page("jobs, failed", query="status=failed")),
    "user_list": (
        Page("users"),
        Page("users, 2nd page", older=True),
        Page("users, search", query="q=0003"),
        Page("users, admins", query="role=admin"),
    ),
    "user_new": (Page("user, new"),),
    "user_detail": (Page("user", "bob"),),
    "user_edit": (Page("user, edit", "bob"),),
    "user_invite": (Page("user, invite", filling.GUEST),),
    "user_delete": (Page("user, delete", "bob"),),
    "agent_list": (
        Page("agents"),
        Page("agents, 2nd page", older=True),
        Page("agents, search", query="q=0002"),
    ),
    "contact_list": (
        Page("contacts"),
        Page("contacts, 2nd page", older=True),
        Page("contacts, search", query="q=0002"),
        Page("contacts, platform", query="platform=telegram"),
        Page("contacts, to a user", who=USER),
    ),
    "contact_new": (Page("contact, new"),),
    "contact_detail": (Page("contact", "{contact}"),),
    "contact_edit": (Page("contact, edit", "{contact}"),),
    "contact_delete": (Page("contact, delete", "{contact}"),),
    "contact_merge": (Page("contact, merge", "{contact}", query="q=0002"),),
    "handle_new": (Page("handle, new", "{contact}"),),
    "handle_remove": (Page("handle, remove", "{contact}/{handle}"),),
    "handle_bind": (Page("handle, bind", "{contact}/{handle}"),),
    "link": (Page("link an address"),),
    "agent_new": (Page("agent, new"),),
    "agent_detail": (Page("agent, busy", filling.AGENT), Page("agent", filling.SELDOM)),
    "agent_rename": (Page("agent, rename", filling.AGENT),),
    "agent_delete": (Page("agent, delete", filling.AGENT),),
    "key_list": (
        Page("keys"),
        Page("keys, 2nd page", older=True),
        Page("keys, search", query="q=0003"),
        Page("keys, to a user", who=USER),
    ),
    "key_new": (Page("key, new", query="user=bob"), Page("key, new, to a user", who=USER)),
    "key_replace": (Page("key, replace", query="user=bob"),),
    "key_revoke": (Page("key, revoke", "{key}"),),
    "policy": (
        Page("policy"),
        Page("policy, preview", query="to=tt"),
        Page("policy, to a user", who=USER),
    ),
    "policy_changes": (Page("policy, changes", query="to=tt"),),
    "policy_versions": (Page("policy, versions"),),
    "audit_event": (Page("audit event", "{event}"),),
    "audit_csv": (Page("audit log as a file", plain=True),),
    "who_looked": (Page("who looked, to a user", who=USER),),
    "account_settings": (Page("settings"),),
    "view_as": (Page("view as"),),
}  # fmt: skip
# They answer no GET with a page.
NO_PAGES = {
    "account_home",  # a redirection
    "contact_unmerge",  # these are POST only
    "handle_unbind",
    "import_apply",
    "import_discard",
    "invitation_renew",
    "invitation_revoke",
    "job_cancel",
    "job_retry",
    "job_skip",
    "jobs_retry",
    "memory_bulk",
    "memory_restore",
    "session_commit",
    "session_memory",
    "session_state",
    "user_memory_delete",
    "user_memory_restore",
    "view_leave",
}
