"""The settings of the account, in the browser."""

from __future__ import annotations

import re

import pytest

from accounts.models import Account
from accounts.principals.forms import SettingsForm
from accounts.settings import AccountSettings

SETTINGS = "/a/north/settings"
VALUES = {
    "agent_registration": "open",
    "max_users": "10000",
    "session_idle_hours": "0",
    "retention_days": "0",
    "language": "english",
}


@pytest.fixture
def save(sign_in):
    """save(retention_days="30") → the answer to the form with that changed."""
    alice = sign_in("alice")
    return lambda **fields: alice.post(SETTINGS, {**VALUES, **fields})


def kept(cast):
    return Account.objects.get(pk=cast.north.id).settings


def words(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def test_what_differs_is_saved_and_can_be_undone(save, sign_in, cast):
    assert save(retention_days="30", language="german").status_code == 303
    assert kept(cast) == {"retention_days": 30, "language": "german"}
    page = words(sign_in("alice").get(SETTINGS))
    assert 'value="30"' in page
    undo = save()  # the former values, as the toast posts them
    assert undo.status_code == 303
    assert kept(cast) == {}


def test_the_toast_posts_the_former_values(sign_in, cast):
    alice = sign_in("alice")
    alice.post(SETTINGS, {**VALUES, "max_users": "50"})
    toast = words(alice.get(SETTINGS)).split('id="toasts"')[1]
    assert "1 setting changed." in toast
    fields = dict(re.findall(r'name="(\w+)" value="(\w+)"', toast))
    fields.pop("csrfmiddlewaretoken", None)
    assert fields == VALUES


def test_saving_what_is_in_force_changes_nothing_and_says_so(sign_in, cast):
    alice = sign_in("alice")
    assert alice.post(SETTINGS, VALUES).status_code == 303
    assert "Nothing was changed" in words(alice.get(SETTINGS))
    assert kept(cast) == {}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("max_users", "1", "Write a whole number from 2 to 1,000,000."),
        ("retention_days", "-1", "Write a whole number from 0 to 36,500."),
        ("session_idle_hours", "soon", "Write a whole number from 0 to 87,600."),
        ("session_idle_hours", "", "Write a whole number from 0 to 87,600."),
        ("language", "klingon", "Select a valid choice"),
        ("agent_registration", "nobody", "Select a valid choice"),
    ],
)
def test_a_refused_value_keeps_all_settings(field, value, said, save, cast):
    answer = save(**{"retention_days": "30", field: value})
    assert answer.status_code == 422
    assert said in words(answer)
    assert "Nothing was changed." in words(answer)
    assert kept(cast) == {}


def test_only_admins_come_here(sign_in, cast):
    bob = sign_in("bob")
    assert bob.get(SETTINGS).status_code == 403
    assert bob.post(SETTINGS, {**VALUES, "max_users": "50"}).status_code == 403
    assert kept(cast) == {}


def test_every_field_is_a_setting_and_stands_in_a_group():
    names = set(SettingsForm.base_fields)
    assert names <= set(AccountSettings.model_fields)
    drawn = {field.name for _, fields in SettingsForm().groups() for field, _ in fields}
    assert drawn == names
