"""What a contact is called where it stands as a chip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.principals.models import Contact, ContactHandle

if TYPE_CHECKING:
    from accounts.actor import ContactRef
    from accounts.principals.selectors import ContactFacts

UNNAMED = "unnamed"
_SPELT: dict[str, str] = {
    ContactHandle.Platform.WHATSAPP: "WhatsApp",
    ContactHandle.Platform.IMESSAGE: "iMessage",
    ContactHandle.Platform.EMAIL: "e-mail",
}


@dataclass(frozen=True, slots=True)
class ContactView:
    """A contact's chip: the name it gave itself, else how its channel knows it."""

    kind: str  # contact or group
    name: str
    platform: str

    @property
    def words(self) -> str:
        """Name and platform in a sentence: two strangers called Ana are told apart."""
        return f"{self.name} ({self.platform})" if self.platform else self.name


def contact_view(contact: Contact | None) -> ContactView | None:
    """The chip of a row whose handles are loaded or cheap to load; None for none."""
    if contact is None:
        return None
    handle = next(iter(contact.handles.all()), None)
    return _view(
        contact.kind,
        contact.display_name,
        (handle.username or handle.platform_id) if handle else "",
        handle.platform if handle else "",
    )


def chip_of(facts: ContactFacts) -> ContactView:
    """The chip of what a selector tells; its own address before those of merged contacts."""
    own = [one for one in facts.handles if one.contact_id == facts.id] or facts.handles
    return _view(
        facts.kind,
        facts.display_name,
        (own[0].username or own[0].platform_id) if own else "",
        own[0].platform if own else "",
    )


def ref_view(ref: ContactRef) -> ContactView:
    """The chip of the contact to which an actor is narrowed."""
    kind = Contact.Kind.GROUP if ref.is_group else Contact.Kind.EXTERNAL
    return _view(kind, ref.display_name, ref.username or ref.platform_id, ref.platform)


def platform_words(platform: str) -> str:
    """`Telegram` for `telegram`."""
    return _SPELT.get(platform) or platform.capitalize()


def _view(kind: str, name: str, known_as: str, platform: str) -> ContactView:
    return ContactView(
        kind="group" if kind == Contact.Kind.GROUP else "contact",
        name=name or known_as or UNNAMED,
        platform=platform_words(platform),
    )
