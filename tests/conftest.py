"""The cast and the live server for every test; the database comes from throwaway.py."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["tests.cast", "tests.live", "tests.places"]

# No deadline: a busy machine must not fail a test that is right.
settings.register_profile("bailiwick", deadline=None, print_blob=True)
settings.load_profile("bailiwick")
