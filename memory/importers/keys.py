"""From the key of a session to whom it was with.

Keys are `gw_{session}` (the gateway) or `{channel}_{reply_target}[_{thread}]_{sender}`. In files,
and in newer databases, every character that is not alphanumeric, `_` or `-` has become `_`, so that
what is found here is a reading. It never reads two people as one where the key leaves it open: then
the whole remainder stands for a sender, whose words stay with that contact.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from memory.importers.plain import SourceSender

GATEWAY = "gw"
UNKNOWN = "unknown"  # nobody's id on any platform: what is kept under it is recalled to nobody
# ContactHandle.Platform, without the database behind it; compared in a test.
PLATFORMS = frozenset(
    {"telegram", "whatsapp", "discord", "slack", "imessage", "email", "phone", "web", "peer"}
)
ALIASES = {
    "tg": "telegram", "wa": "whatsapp", "imsg": "imessage", "mail": "email", "e-mail": "email",
    "sms": "phone",
}  # fmt: skip
# Channels of other installations that have no platform here.
ELSEWHERE = frozenset(
    {"signal", "matrix", "irc", "mattermost", "line", "viber", "teams", "nostr", "lark", "feishu",
     "dingtalk", "qq", "wechat", "bluesky", "reddit", "twitter", "instagram", "messenger",
     "rocketchat", "zulip", "xmpp", "twitch", "linq", "wati", "nextcloud"}
)  # fmt: skip
MAX_ID, MAX_PIECES = 255, 64
# `4912@s.whatsapp.net`, `1203@g.us`: without these every member of a group would be "net".
_JID = re.compile(r"[_@](?:s[_.]whatsapp[_.]net|[gc][_.]us|lid)(?=_|$)")
_INTEGER = re.compile(r"-?\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a session is with.

    Attributes:
        sender: a contact, or the group; None: no channel that is known.
        speaker: who wrote the user messages of a group. thread: in the group or chat.
        metadata: for the session, what was read out of the key.
    """

    sender: SourceSender | None = None
    speaker: SourceSender | None = None
    thread: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


def identify(key: str) -> Identity:
    """What the key of a session says."""
    head, underscore, rest = key.partition("_")
    if head == GATEWAY and rest:
        return Identity(metadata=_told("gateway", key, gateway_session=rest))
    platform = platform_of(head)
    if platform is None and head.lower() in ELSEWHERE and rest:
        # The whole key stands for a peer: who it was cannot be told, but nobody else reads it.
        return Identity(
            SourceSender("peer", _fitting("peer", key)),
            metadata=_told("channel", key, channel=head),
        )
    if platform is not None and not underscore:
        told = _told("channel", key, channel=head)
        return Identity(SourceSender(platform, UNKNOWN), metadata=told)
    if platform is None:
        return Identity(metadata=_told("unknown", key))
    room, thread, sender = _pieces(platform, rest)
    found = of_parts(platform, room, sender, thread)
    told = _told(
        "channel", key, channel=head, reply_target=room, thread=found.thread, sender=sender
    )
    return Identity(found.sender, found.speaker, found.thread, told)


def of_parts(
    platform: str, room: str | None, sender: str | None, thread: str | None = None
) -> Identity:
    """Whom it is with, where the parts are known: a group if replies go elsewhere than to the
    sender."""
    thread = thread or None
    if sender is None and room is None:
        return Identity(SourceSender(platform, UNKNOWN), thread=thread)
    if sender is None or room is None or _fitting(platform, room) == _fitting(platform, sender):
        group = sender is None
        whom = _fitting(platform, (room if group else sender) or "")
        return Identity(
            SourceSender(platform, whom, "group" if group else "external"), thread=thread
        )
    return Identity(
        SourceSender(platform, _fitting(platform, room), "group"),
        SourceSender(platform, _fitting(platform, sender)),
        thread,
    )


def platform_of(channel: str) -> str | None:
    """The platform of a channel: `telegram`, `tg`, or one of several: `telegram.support`."""
    word = re.split(r"[.:/]", channel.strip().lower(), maxsplit=1)[0]
    word = ALIASES.get(word, word)
    return word if word in PLATFORMS else None


def thread_of(key: str, channel: str, room: str | None, sender: str) -> str | None:
    """The thread of a key whose other parts are known, and so stand out exactly."""
    before = sanitized(f"{channel}_{room}_" if room else f"{channel}_")
    after = sanitized(f"_{sender}")
    key = sanitized(key)
    fits = key.startswith(before) and key.endswith(after)
    return key[len(before) : len(key) - len(after)] or None if fits else None


def sanitized(key: str) -> str:
    """As a key stands in a file's name; what was replaced is lost."""
    return "".join(one if one.isalnum() or one in "_-" else "_" for one in key)


def _pieces(platform: str, rest: str) -> tuple[str | None, str | None, str]:
    """(reply_target, thread, sender) of what follows the channel."""
    if platform == "whatsapp":
        rest = _JID.sub("", rest)
    pieces = rest.split("_")
    if len(pieces) > MAX_PIECES:
        return None, None, rest
    mirrored = _mirrored(pieces)
    if mirrored is not None:
        return mirrored[0], mirrored[1], mirrored[0]
    named = [one for one in pieces if one]
    if len(named) < 2 or _is_open(platform, named):
        return None, None, rest.strip("_") or UNKNOWN
    if platform == "telegram" and _is_username(named):
        return named[0], None, "_".join(named[1:])
    return named[0], "_".join(named[1:-1]) or None, named[-1]


def _mirrored(pieces: list[str]) -> tuple[str, str] | None:
    """The id and thread where the key ends in what it begins with: replies go to the sender.

    The longest such id: `bob_x_org_bob_x_org` is bob@x.org, not somebody called "org".
    """
    for length in range(len(pieces) // 2, 0, -1):
        if pieces[:length] == pieces[-length:] and any(pieces[:length]):
            return "_".join(pieces[:length]).strip("_"), "_".join(pieces[length:-length]).strip("_")
    return None


def _is_open(platform: str, named: list[str]) -> bool:
    """Whether ids of the platform hold replaced characters, so that nobody can tell where one ends:
    the last piece of every address at x.org is "org"."""
    return platform == "email" or (platform == "imessage" and len(named) > 3)


def _is_username(named: list[str]) -> bool:
    """Whether a chat's number is followed by a name with underscores, not by a thread, which is a
    number in Telegram, too: john_doe and jane_doe are two."""
    return (
        len(named) > 2
        and _INTEGER.fullmatch(named[0]) is not None
        and not any(one.isdigit() for one in named[1])
        and _INTEGER.fullmatch(named[-1]) is None
    )


def _fitting(platform: str, whom: str) -> str:
    """An id that a contact's handle can hold."""
    whom = whom.strip()
    if platform == "email":
        whom = whom.lower()
    if len(whom) > MAX_ID:
        digits = hashlib.sha256(whom.encode("utf-8", "replace")).hexdigest()[:16]
        whom = f"{whom[: MAX_ID - 17]}-{digits}"
    return whom or UNKNOWN


def _told(kind: str, key: str, **found: str | None) -> dict[str, Any]:
    """Metadata `key`: what was read. `lossy`: characters may have become `_`, and are lost."""
    parts = {name: value for name, value in found.items() if value}
    return {"key": {"kind": kind, "lossy": "_" in key and sanitized(key) == key, **parts}}
