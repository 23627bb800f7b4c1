"""The real addresses, and a POST that does nothing: what ninja and the middleware cost alone.

It reads a message's body by the same schema and answers in the same shape as an append, with no
authentication and no statement.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import path
from ninja import NinjaAPI

from accounts.http.envelope import Envelope, ok
from config import urls as real
from sessions_app.schemas import MessageIn, MessageMade

api = NinjaAPI(urls_namespace="bench", docs_url=None, openapi_url=None)


@api.post("/noop", response=Envelope[MessageMade])
def noop(request: HttpRequest, body: MessageIn) -> Any:
    made = MessageMade(session_id=body.role, message_count=1, message_id="msg_0", seq=1)
    return ok(request, made)


urlpatterns = [*real.urlpatterns, path("api/v1/bench/", api.urls)]
handler400, handler403 = real.handler400, real.handler403
handler404, handler500 = real.handler404, real.handler500
