"""Sentences of the audit log in pieces that a page can draw: words, chips, ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from accounts.principals.audit_words import PLACE, counted, words_of
from accounts.principals.selectors.audit import CONTACT_PLACES, uuid_in

if TYPE_CHECKING:
    import re

    from accounts.principals.selectors import AuditRow, Names


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a sentence.

    Attributes:
        kind: `words`, `user`, `agent`, `session`, `memory`, `key`, `contact`, `group`, or `id` for
            what is not there any more.
        leads: there is a page about it.
        platform: of a contact. key: of a contact, whose name is no id.
    """

    kind: str
    text: str
    leads: bool = False
    platform: str = ""
    key: UUID | None = None


def sentence(row: AuditRow, names: Names) -> list[Part]:
    """Who did what, to what."""
    words = words_of(row.action)
    parts = [] if row.by_job and words.by_job else [_doer(row, names)]
    text = words.sentence(row.data, job=row.by_job)
    at = 0
    for place in PLACE.finditer(text):
        parts += [Part("words", text[at : place.start()]), _filled(place, row, names)]
        at = place.end()
    return [part for part in (*parts, Part("words", text[at:])) if part.text.strip()]


def file_text(part: Part) -> str:
    """A piece for a file: it outlives an erasure, so that contacts stand there without names."""
    return str(part.key) if part.key else " ".join(part.text.split())


def as_text(parts: list[Part]) -> str:
    """The sentence without marks, for a file."""
    return " ".join(file_text(part) for part in parts).replace(" :", ":").replace(" ,", ",")


def target_part(row: AuditRow, names: Names) -> Part | None:
    """What it was done to."""
    if row.target is None or row.target_type == "account":
        return None
    return _named(row.target, row.target_type, names)


def user_part(key: UUID | None, names: Names) -> Part | None:
    """A user of the account, by the row's id."""
    return _named(key, "user", names) if key else None


def key_part(key: UUID | None, names: Names) -> Part | None:
    """A key of the account, by the row's id."""
    return _named(key, "key", names) if key else None


def _doer(row: AuditRow, names: Names) -> Part:
    if row.actor is not None:
        return _named(row.actor, "user", names)
    return Part("words", "An operator" if row.by_operator else "A job")


def _filled(place: re.Match[str], row: AuditRow, names: Names) -> Part:
    name, noun = place.groups()
    if name == "target":
        return target_part(row, names) or Part("words", "the account")
    if noun:
        value = row.data.get(name)
        return Part("words", counted(value if isinstance(value, int) else 0, noun))
    key = uuid_in(row.data, name)
    return _named(key, name, names) if key else Part("words", str(row.data.get(name, "")))


def _named(key: UUID, kind: str, names: Names) -> Part:
    contact = names.contacts.get(key) if kind in ("contact", *CONTACT_PLACES) else None
    if contact is not None:
        return Part(contact.kind, contact.name, leads=True, platform=contact.platform, key=key)
    known = {
        "user": names.users,
        "agent": names.agents,
        "key": names.keys,
        "session": names.sessions,
        "memory": names.memories,
    }.get(kind, {})
    if key not in known:
        return Part("id", str(key))
    return Part(kind, known[key], leads=kind != "key" and key not in names.deleted)
