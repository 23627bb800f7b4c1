"""The cast and the live server for every test; the database comes from throwaway.py."""

from __future__ import annotations

pytest_plugins = ["tests.cast", "tests.live"]
