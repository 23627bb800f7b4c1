"""Jobs on memories; each enters the account that it names."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import DatabaseError
from procrastinate.contrib.django import app

from accounts import selectors, tenancy
from memory.services import memories_prune
from memory.services.imports import upload_work, uploads_tidy

log = logging.getLogger("bailiwick.jobs")


@app.task
def read_import(account: str, run: str) -> None:
    """Count what was uploaded, or bring it in. Running it again goes on where it stopped."""
    ref = selectors.active_account(UUID(account))
    if ref is not None:  # else it was deleted or suspended meanwhile
        with tenancy.account(ref):
            upload_work(account=ref, run_id=UUID(run))


@app.periodic(cron="37 * * * *")
@app.task(queueing_lock="prune_memories")
def prune_memories(timestamp: int) -> None:
    """Hourly, in each account: mark what has expired as deleted (it is invisible already), throw
    away uploads that nobody brought in, and read those that were left lying."""
    del timestamp
    for ref in selectors.active_accounts():
        try:
            with tenancy.account(ref):
                while memories_prune():
                    pass
                uploads_tidy(account=ref)
        except DatabaseError as error:  # dropped meanwhile, or ill: the others come first
            log.warning("account %s was not pruned: %s", ref.id, type(error).__name__)
