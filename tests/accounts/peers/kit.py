"""What the tests of named contacts share."""

from __future__ import annotations

KEYS = "/admin/accounts/north/keys"
