"""What a memory may say: the same rules for remembering and for editing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts.errors import InvalidArgument
from accounts.http.parser import check_text
from accounts.moments import checked_moment
from accounts.settings import AccountSettings
from memory import secrets
from memory.models import KINDS, MAX_SUMMARY, MAX_TOPIC_KEY, Salience, Scope, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from typing import Literal

    from accounts.actor import Actor

MAX_CONTENT = 100_000
MAX_TOPICS, MAX_TOPIC = 32, 100
_CHOICES = {
    "scope": tuple(Scope.values),
    "kind": KINDS,
    "source": tuple(Source.values),
    "salience": tuple(Salience.values),
}


@dataclass(slots=True)
class Cleaner:
    """Values of one request, checked; and how many secrets were taken out of them.

    Attributes:
        policy: `secret_policy` of the account.
    """

    policy: Literal["redact", "refuse", "off"]
    redacted: int = field(default=0)

    @classmethod
    def of(cls, actor: Actor) -> Cleaner:
        return cls(AccountSettings.of(actor.settings).secret_policy)

    def content(self, value: str) -> str:
        """What is kept, as it was said; neither blank nor over 100,000 characters."""
        if not value.strip():
            raise InvalidArgument("content must not be blank.", field="content")
        return self._words(value, "content", MAX_CONTENT)

    def summary(self, value: str) -> str:
        """One line of at most 500 characters."""
        return self._words(" ".join(value.split()), "summary", MAX_SUMMARY)

    def topic_key(self, value: str | None) -> str | None:
        """1 to 255 characters without space around them, or None."""
        if value is None:
            return None
        if not value.strip():
            raise InvalidArgument("topic_key must not be blank.", field="topic_key")
        return self._words(value.strip(), "topic_key", MAX_TOPIC_KEY)

    def topics(self, values: Sequence[str]) -> list[str]:
        """At most 32 words of at most 100 characters, each once."""
        found: dict[str, None] = {}
        for value in values:
            text = " ".join(value.split())
            if not text:
                raise InvalidArgument("A topic must not be blank.", field="topics")
            found[self._words(text, "topics", MAX_TOPIC)] = None
        if len(found) > MAX_TOPICS:
            raise InvalidArgument(f"A memory has at most {MAX_TOPICS} topics.", field="topics")
        return list(found)

    def changes(self, values: dict[str, Any]) -> dict[str, Any]:
        """Each value by the rule of its field."""
        rules: dict[str, Callable[[Any], Any]] = {
            "content": self.content,
            "summary": self.summary,
            "topic_key": self.topic_key,
            "topics": self.topics,
            "expires_at": expiry,
        }
        return {
            name: choice(name, value) if name in _CHOICES else rules[name](value)
            for name, value in values.items()
        }

    def _words(self, value: str, name: str, most: int) -> str:
        check_text(value)
        if len(value) > most:
            raise InvalidArgument(f"{name} has at most {most} characters.", field=name)
        if self.policy == "off":
            return value
        if self.policy == "refuse":
            found = sorted({one.kind for one in secrets.find(value)})
            if found:
                raise InvalidArgument(
                    f"{name} holds what looks like a secret ({', '.join(found)});"
                    " this account keeps none.",
                    field=name,
                )
            return value
        # Marks may be longer than what they stand for.
        clean, count = secrets.redacted(value)
        self.redacted += count
        return clean[:most]


def choice(name: str, value: str) -> str:
    """One of the field's values. Raises InvalidArgument with all of them."""
    if value not in _CHOICES[name]:
        raise InvalidArgument(f"{name} must be one of {', '.join(_CHOICES[name])}.", field=name)
    return value


def expiry(value: datetime | None) -> datetime | None:
    """A time to come, in UTC where no zone was named; None: never."""
    if value is None:
        return None
    value = checked_moment(value, "expires_at")
    if value <= timezone.now():
        raise InvalidArgument("expires_at must be in the future.", field="expires_at")
    return value
