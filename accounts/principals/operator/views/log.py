"""What operators did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.views.decorators.http import require_safe

from accounts.errors import InvalidArgument
from accounts.lists import PAGE, cursors, list_context
from accounts.principals.audit_words import PLACE
from accounts.principals.operator import selectors
from accounts.principals.operator.gate import operators_only
from accounts.web import page

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.principals.operator.gate import OperatorRequest
    from accounts.principals.operator.selectors import LogLine


@operators_only
@require_safe
def log(request: OperatorRequest) -> HttpResponse:
    """Every change that operators made, newest first."""
    try:
        found = selectors.log_page(limit=PAGE, **cursors(request))
    except InvalidArgument:  # a cursor that no list gave out
        raise Http404 from None
    rows = [_row(line) for line in found.rows]
    context = {"rows": rows, **list_context(request, None, found)}
    return page(request, "operator/log.html", context, fragment="results")


def _row(line: LogLine) -> dict[str, Any]:
    if line.who_id is None:
        who = "The command line or the root key"
    else:
        who = line.who or f"A person who is gone ({line.who_id})"
    return {"who": who, "parts": _parts(line), "at": line.created_at, "request_id": line.request_id}


def _parts(line: LogLine) -> list[dict[str, Any]]:
    """The sentence in pieces; `name` marks what it was done to, `gone` that only its id is left."""
    names = {
        "account": (line.account, line.account_key),
        "person": (line.person, line.person_key),
    }
    parts: list[dict[str, Any]] = []
    at = 0
    for place in PLACE.finditer(line.did):
        name, key = names[place[1]]
        parts.append({"text": line.did[at : place.start()]})
        parts.append(
            {"name": place[1], "text": name or str(key or ""), "key": key, "gone": not name}
        )
        at = place.end()
    return [*parts, {"text": line.did[at:]}]
