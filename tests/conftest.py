"""The cast and the live server for every test; the database comes from throwaway.py."""

from __future__ import annotations

import pytest
from hypothesis import settings

COMMITTING = ("e2e", "live")  # folders
pytest_plugins = ["tests.cast", "tests.callers", "tests.live", "tests.places"]

# No deadline: a busy machine must not fail a test that is right.
settings.register_profile("bailiwick", deadline=None, print_blob=True)
settings.load_profile("bailiwick")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that commit come last: what they leave in the public tables is no other test's."""
    items.sort(key=lambda item: item.path.parent.name in COMMITTING)
