"""Jobs on memories; each enters the account that it names."""

from __future__ import annotations

import logging

from django.db import DatabaseError
from procrastinate.contrib.django import app

from accounts import selectors, tenancy
from memory.services import memories_prune

log = logging.getLogger("bailiwick.jobs")


@app.periodic(cron="37 * * * *")
@app.task(queueing_lock="prune_memories")
def prune_memories(timestamp: int) -> None:
    """Hourly, in each account: mark what has expired as deleted. It is invisible already."""
    del timestamp
    for ref in selectors.active_accounts():
        try:
            with tenancy.account(ref):
                while memories_prune():
                    pass
        except DatabaseError as error:  # dropped meanwhile, or ill: the others come first
            log.warning("account %s was not pruned: %s", ref.id, type(error).__name__)
