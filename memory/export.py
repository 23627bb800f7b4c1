"""Memories as a file, written while it is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import StreamingHttpResponse
from django.utils import timezone

from accounts import tenancy
from memory import render, services

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from accounts.actor import Actor

ROWS_AT_ONCE = 100


def json_text(
    head: Mapping[str, Any], name: str, rows: Iterable[Mapping[str, Any]]
) -> Iterator[str]:
    """One JSON object: what the head says, and the rows as a list of that name at its end."""
    yield f"{_json(head)[:-1]}, {_json(name)}: [\n"
    between = ""
    for row in rows:
        yield f"{between}{_json(row)}"
        between = ",\n"
    yield "\n]}\n"


def user_file(actor: Actor, user_id: str) -> StreamingHttpResponse:
    """All that is kept of one user, deleted memories left out.

    Raises:
        InvalidArgument, PermissionDenied, NotFound: as access.subject_for.
    """
    spelled, rows = services.user_memories_export(actor=actor, user_id=user_id)
    head = {
        "user_id": spelled,
        "account_id": actor.account.account_id,
        "exported_at": timezone.now().isoformat(),
        "policy_version": actor.policy.version,
    }
    shown = (render.memory(actor.policy, row) for row in rows)
    name = f"memory_{spelled}_{timezone.now():%Y%m%d}.json"
    return attachment(actor, name, json_text(head, "memories", shown))


def attachment(actor: Actor, name: str, text: Iterator[str]) -> StreamingHttpResponse:
    """A JSON file to keep. It is sent after the request has left the account, so each piece of it
    is read inside the account again."""
    return StreamingHttpResponse(
        _within(actor, text),
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _within(actor: Actor, text: Iterator[str]) -> Iterator[str]:
    while True:
        with tenancy.account(actor.account):
            piece = "".join(_some(text))
        if not piece:
            return
        yield piece


def _some(text: Iterator[str]) -> Iterator[str]:
    for _ in range(ROWS_AT_ONCE):
        piece = next(text, None)
        if piece is None:
            return
        yield piece


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
