"""An operator and their browser."""

from __future__ import annotations

import pytest

from accounts.models import OperatorEvent
from tests.accounts.operators.kit import browser_of, person


@pytest.fixture
def olga(cast):
    return person("olga@hollis.example", name="Olga", is_operator=True)


@pytest.fixture
def console(olga):
    """A browser in which an operator is signed in, who belongs to no account."""
    return browser_of(olga)


@pytest.fixture
def events():
    """The operators' log since the last time it was asked for."""
    known = set(OperatorEvent.objects.values_list("pk", flat=True))

    def fresh():
        rows = [row for row in OperatorEvent.objects.order_by("id") if row.pk not in known]
        known.update(row.pk for row in rows)
        return [row.action for row in rows]

    return fresh
