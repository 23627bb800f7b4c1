"""What the contacts' tests share."""

from __future__ import annotations

from accounts import tenancy
from accounts.principals.models import AuditEvent

ABSENT = "019f7b9c-1234-7abc-8def-0123456789ab"


DANA = {"platform": "telegram", "platform_id": "dana"}


def actions(account, action):
    with tenancy.account(account):
        return list(AuditEvent.objects.filter(action=action).order_by("id"))
