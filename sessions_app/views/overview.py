"""The account at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http.request import AccountRequest


def overview(request: AccountRequest) -> HttpResponse:
    raise Http404
