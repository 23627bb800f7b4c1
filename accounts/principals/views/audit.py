"""The audit log, and who looked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http.request import AccountRequest


def audit_log(request: AccountRequest) -> HttpResponse:
    raise Http404


def who_looked(request: AccountRequest) -> HttpResponse:
    raise Http404
