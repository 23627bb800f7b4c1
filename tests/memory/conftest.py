"""Who keeps memories in these tests, and how they are kept over the API."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.models import Account
from tests.memory.kit import agent_row


@pytest.fixture
def structured(cast):
    """The agents `default` and `ada` of the account north keep memories."""
    with tenancy.account(cast.north):
        for agent_id in ("default", "ada"):
            agent_row(agent_id, "structured")


@pytest.fixture
def remember(api, structured):
    """remember(headers, "Takes tea.", kind="preferences") → the answer's result."""

    def kept(headers, content="Takes tea.", **body):
        answer = api.post("/memories", headers, {"content": content, **body})
        assert answer.status == 200, answer.body
        return answer.result

    return kept


@pytest.fixture
def set_settings(cast):
    """set_settings(secret_policy="off") changes the account's settings."""

    def change(account=None, **values):
        row = Account.objects.get(pk=(account or cast.north).id)
        row.settings = {**row.settings, **values}
        row.save(update_fields=["settings"])

    return change
