"""Jobs of the installation itself. Jobs start in public; those of an account enter it."""

from __future__ import annotations

import logging
from uuid import UUID

from django.conf import settings
from django.core.management import call_command
from procrastinate import JobContext, RetryStrategy, builtin_tasks
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException

from accounts import mail, selectors
from accounts.passwords import password_link

log = logging.getLogger("bailiwick.jobs")
KEPT_HOURS = 24  # finished jobs; failed ones stay for an admin to see
HEARTBEAT_SECONDS = 30  # a worker that was silent for longer is dead
MAIL_RETRY = RetryStrategy(max_attempts=6, exponential_wait=5)  # over about a quarter of an hour


@app.periodic(cron="17 3 * * *")
@app.task(queueing_lock="clear_expired_sign_ins")
def clear_expired_sign_ins(timestamp: int) -> None:
    """Delete browser sign-ins that have expired."""
    del timestamp
    call_command("clearsessions")


@app.periodic(cron="47 3 * * *")
@app.task(queueing_lock="remove_finished_jobs", pass_context=True)
async def remove_finished_jobs(context: JobContext, timestamp: int) -> None:
    """Delete jobs that finished more than KEPT_HOURS ago."""
    del timestamp
    await builtin_tasks.remove_old_jobs(context, max_hours=KEPT_HOURS)


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="retry_stalled_jobs", pass_context=True)
async def retry_stalled_jobs(context: JobContext, timestamp: int) -> None:
    """Queue again the jobs whose worker died: known by its heartbeat, not by their age."""
    del timestamp
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=HEARTBEAT_SECONDS):
        try:
            await manager.retry_job(job)
        except ConnectorException as error:  # one like it waits already: the others come first
            log.warning("job %s was not queued again: %s", job.id, type(error).__name__)


@app.task(retry=MAIL_RETRY)
def send_password_link(person: str, site: str) -> None:
    """Mail a person the link by which they set a new password.

    An id that is nobody's does nothing: it was queued so that asking takes equally long for all.
    """
    found = selectors.person_row(UUID(person))
    if found is not None and found.is_active and settings.MAIL_ENABLED:
        link = f"{site}{password_link(found)}"
        mail.send("accounts/mail/password.txt", found.email, {"link": link, "site": site})
