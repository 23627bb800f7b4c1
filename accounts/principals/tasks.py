"""Jobs on principals. Arguments are ids only; each enters the account that it names."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from procrastinate.contrib.django import app

from accounts import mail, selectors, tenancy
from accounts.principals.selectors import invitation_row
from accounts.principals.services import view_expire
from accounts.tasks import MAIL_RETRY


@app.task
def end_view(account: str, view: str) -> None:
    """Write down that a view has ended by itself. Running it again is harmless."""
    ref = selectors.active_account(UUID(account))
    if ref is not None:  # else it was deleted or suspended meanwhile
        with tenancy.account(ref):
            view_expire(view=UUID(view))


@app.task(retry=MAIL_RETRY)
def send_invitation(account: str, invitation: str, site: str) -> None:
    """Mail an invitation, unless it was revoked, accepted or ran out meanwhile."""
    ref = selectors.active_account(UUID(account))
    if ref is None or not settings.MAIL_ENABLED:
        return
    found = invitation_row(account=ref, invitation=UUID(invitation))
    if found is not None and found.link:
        name = selectors.account_row(ref).name
        context = {"invitation": found, "account_name": name, "site": site}
        mail.send("accounts/mail/invitation.txt", found.email, context)
