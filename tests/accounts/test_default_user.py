"""The default user and agent: exactly one in every account, from its first moment."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts import tenancy
from accounts.principals.models import Agent, ApiKey, User


@pytest.fixture(params=["made once per run", "just made"])
def account(request, api, cast):
    if request.param == "made once per run":
        return cast.north
    body = {"account_id": "acme", "admin_user_id": "anna"}
    assert api.post("/admin/accounts", cast.root, body).status == 200
    return tenancy.find("acme")


def test_there_is_one(account):
    with tenancy.account(account):
        user = User.objects.get(is_default=True)
        assert (user.user_id, user.role, user.is_active) == ("default", "user", True)
        assert User.objects.filter(user_id__iexact="default").count() == 1
        assert Agent.objects.filter(agent_id__iexact="default").count() == 1


def test_it_has_no_key(account):
    with tenancy.account(account):
        assert not ApiKey.objects.filter(user__is_default=True).exists()
        assert ApiKey.objects.filter(user__is_default=False).exists()


@pytest.mark.parametrize(
    "double",
    [
        lambda: User.objects.create(user_id="default-2", is_default=True),
        lambda: User.objects.create(user_id="Default"),
        lambda: User.objects.filter(role="admin").update(is_default=True, role="user"),
        lambda: Agent.objects.create(agent_id="DEFAULT"),
    ],
    ids=["another default", "another case", "an admin becomes it", "another agent"],
)
def test_it_cannot_be_doubled(account, double):
    with tenancy.account(account):
        with pytest.raises(IntegrityError), transaction.atomic():
            double()
        assert User.objects.filter(is_default=True).count() == 1


@pytest.mark.parametrize("change", [{"role": "admin"}, {"is_active": False}])
def test_it_stays_plain(account, change):
    with tenancy.account(account):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(is_default=True).update(**change)
        assert User.objects.filter(is_default=True).update(display_name="The house") == 1


@pytest.mark.parametrize("user_id", ["default", "Default"])
def test_it_cannot_be_registered(api, cast, user_id):
    answer = api.post("/admin/accounts/north/users", cast.alice.headers, {"user_id": user_id})
    assert answer.status == 400


def test_admin_and_root_may_act_for_it(api, cast):
    for headers in (cast.alice_as("default"), cast.root_as("default")):
        made = api.post("/sessions", headers).result
        assert made["user"]["user_id"] == "default"


def test_users_may_not(api, cast):
    headers = {**cast.bob.headers, "X-Bailiwick-User": "default"}
    assert api.post("/sessions", headers).status == 403
