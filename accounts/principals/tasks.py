"""Jobs on principals. Arguments are ids only; each enters the account that it names."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app

from accounts import selectors, tenancy
from accounts.principals.services import view_expire


@app.task
def end_view(account: str, view: str) -> None:
    """Write down that a view has ended by itself. Running it again is harmless."""
    ref = selectors.active_account(UUID(account))
    if ref is not None:  # else it was deleted or suspended meanwhile
        with tenancy.account(ref):
            view_expire(view=UUID(view))
