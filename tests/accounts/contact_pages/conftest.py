"""Browsers and a channel."""

from __future__ import annotations

import pytest

from tests.sessions_app.channel import Channel, gateway_headers


@pytest.fixture
def alice(sign_in):
    return sign_in("alice")


@pytest.fixture
def bob(sign_in):
    return sign_in("bob")


@pytest.fixture
def channel(api, cast):
    return Channel(api, gateway_headers(cast.north))


@pytest.fixture
def anas(channel, cast):
    """Two strangers called Ana, who have written; ids by platform."""
    found = {}
    for platform in ("telegram", "whatsapp"):
        sender = {"id": f"{platform}-1", "name": "Ana"}
        said = channel.say(sender=sender, platform=platform)
        found[platform] = said["sender"]["contact_id"]
        found[f"{platform} session"] = said["session"]["session_id"]
    return found
