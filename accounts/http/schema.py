"""Bases of request bodies."""

from __future__ import annotations

from ninja import Schema
from pydantic import ConfigDict


class NewBody(Schema):
    """Body of a route that existing clients do not know: unknown fields are refused (422)."""

    model_config = ConfigDict(extra="forbid")
