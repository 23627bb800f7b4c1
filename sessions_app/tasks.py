"""Jobs on sessions. Arguments are ids only; each enters the account that it names."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import DatabaseError
from procrastinate.contrib.django import app

from accounts import selectors, tenancy
from sessions_app.services import account_tidy, archive_complete

log = logging.getLogger("bailiwick.jobs")


@app.task
def complete_archive(account: str, archive: str) -> None:
    """Write an archive's abstract and overview. Running it again is harmless."""
    ref = selectors.active_account(UUID(account))
    if ref is not None:  # else it was deleted or suspended meanwhile
        with tenancy.account(ref):
            archive_complete(archive_id=UUID(archive))


@app.periodic(cron="23 * * * *")
@app.task(queueing_lock="tidy_accounts")
def tidy_accounts(timestamp: int) -> None:
    """Hourly, in each account: drop what has outlived its time, queue what was never queued."""
    del timestamp
    for ref in selectors.active_accounts():
        try:
            with tenancy.account(ref):
                account_tidy(account=ref)
        except DatabaseError as error:  # dropped meanwhile, or ill: the others come first
            log.warning("account %s was not tidied: %s", ref.id, type(error).__name__)
