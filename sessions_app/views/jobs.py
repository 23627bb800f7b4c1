"""Tasks of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http.request import AccountRequest


def job_list(request: AccountRequest) -> HttpResponse:
    raise Http404
