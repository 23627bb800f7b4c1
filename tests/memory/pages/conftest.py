"""What the tests of these pages look at beside the pages."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.principals.models import AuditEvent


@pytest.fixture
def events(cast):
    """events("memory.deleted") → the targets of those events, the oldest first."""

    def of(action):
        with tenancy.account(cast.north):
            rows = AuditEvent.objects.filter(action=action).order_by("id")
            return list(rows.values_list("target", flat=True))

    return of
