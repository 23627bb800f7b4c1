"""A channel in front of the API."""

from __future__ import annotations

import pytest

from accounts.models import Account
from tests.sessions_app.channel import Channel, gateway_headers


@pytest.fixture
def channel(api, cast):
    return Channel(api, gateway_headers(cast.north))


@pytest.fixture
def set_agent(api, cast):
    """set_agent(session_scope="global") of the agent that the channel writes to."""

    def change(agent_id="quinn", **fields):
        answer = api("PATCH", f"/agents/{agent_id}", cast.alice.headers, fields)
        if answer.status == 404:
            body = {"agent_id": agent_id, **fields}
            answer = api.post("/agents", cast.alice.headers, body)
        assert answer.status == 200, answer.body

    return change


@pytest.fixture
def set_account(cast):
    def change(**values):
        row = Account.objects.get(pk=cast.north.id)
        Account.objects.filter(pk=row.pk).update(settings={**row.settings, **values})

    return change


@pytest.fixture
def link(api, cast, channel):
    """link("bob", "dana") binds the sender to the user by a code of the user's."""

    def bind(user, sender="dana"):
        code = api.post("/handles/code", getattr(cast, user).headers).result["code"]
        return channel.say(sender, f"/link {code}")

    return bind
