"""What changes sessions."""

from sessions_app.services.append import (
    Appended,
    MessageInput,
    message_append,
    message_append_batch,
)
from sessions_app.services.commit import (
    archive_complete,
    archive_retry,
    archive_skip,
    session_commit,
)
from sessions_app.services.days import days_count
from sessions_app.services.inbound import (
    Received,
    Turn,
    inbound_again,
    inbound_context,
    inbound_receive,
)
from sessions_app.services.reading import (
    archive_read,
    context_read,
    detail_read,
    detail_read_or_created,
    message_read,
    messages_read,
    overview_read,
    page_read,
)
from sessions_app.services.sessions import (
    session_create,
    session_delete,
    session_start,
    session_update,
    session_used,
)
from sessions_app.services.tasks import job_cancel, job_retry, job_skip, jobs_retry, task_cancel
from sessions_app.services.tidy import account_tidy

__all__ = [
    "Appended",
    "MessageInput",
    "Received",
    "Turn",
    "account_tidy",
    "archive_complete",
    "archive_read",
    "archive_retry",
    "archive_skip",
    "context_read",
    "days_count",
    "detail_read",
    "detail_read_or_created",
    "inbound_again",
    "inbound_context",
    "inbound_receive",
    "job_cancel",
    "job_retry",
    "job_skip",
    "jobs_retry",
    "message_append",
    "message_append_batch",
    "message_read",
    "messages_read",
    "overview_read",
    "page_read",
    "session_commit",
    "session_create",
    "session_delete",
    "session_start",
    "session_update",
    "session_used",
    "task_cancel",
]
