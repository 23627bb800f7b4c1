"""The account at a glance: what waits, what was said, what runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.web import admins_only, page
from sessions_app import services
from sessions_app.models import Task
from sessions_app.presentation import counted, session_row

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http.request import AccountRequest
    from accounts.principals.selectors import Standing
    from sessions_app.ports import KindCounts, KindLine
    from sessions_app.selectors import Overview

LATE = timedelta(minutes=10)  # a worker takes a job within seconds
JOB_WORDS = {Task.Type.SESSION_COMMIT.value: "archives"}


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - it is one
    """Something that waits, and its cure: a link, or a form when `posts`."""

    icon: str
    strong: str
    text: str
    url: str
    button: str
    posts: bool = False


@require_safe
@admins_only
def overview(request: AccountRequest) -> HttpResponse:
    """Thirty days of the account, and what waits."""
    found = services.overview_read(actor=request.actor)
    activity = found.activity
    context = {
        "fresh": not found.count.total and not any(activity.messages),
        "warnings": _warnings(found),
        "bars": list(zip(activity.days, activity.messages, strict=True)),
        "message_total": sum(activity.messages),
        "days": activity.days,
        "activity": [
            ("Sessions started", activity.sessions, sum(activity.sessions)),
            ("Messages", activity.messages, sum(activity.messages)),
        ],
        "columns": [("Sessions", activity.sessions), ("Messages", activity.messages)],
        "live": [session_row(row) for row in found.live],
        "count": found.count,
        "queue": [(JOB_WORDS[line.task_type], line) for line in found.queue],
        "api_url": request.build_absolute_uri("/api/v1"),
        "sessions_url": reverse("session_list"),
        "kept": _kept(found.kept),
        "jobs_url": reverse("job_list"),
    }
    return page(request, "sessions_app/overview.html", context, fragment="overview")


def _warnings(found: Overview) -> list[Warning]:
    jobs = reverse("job_list")
    warnings = []
    if found.failed:
        warnings.append(
            Warning(
                "triangle-alert",
                counted(found.failed, "job failed", "jobs failed"),
                "and nothing more of those sessions is archived until they are retried or skipped.",
                reverse("jobs_retry"),
                f"Retry {counted(found.failed, 'job')}",
                posts=True,
            )
        )
    late = [line for line in found.queue if line.oldest and timezone.now() - line.oldest > LATE]
    if late:
        waiting = sum(line.waiting for line in late)
        minutes = (timezone.now() - min(line.oldest for line in late if line.oldest)) // LATE * 10
        warnings.append(
            Warning(
                "hourglass",
                counted(waiting, "job waits", "jobs wait"),
                f"for more than {minutes} minutes: no worker seems to be running.",
                f"{jobs}?status=pending",
                f"See {counted(waiting, 'job')}",
            )
        )
    waiting = found.kept.quarantined
    if waiting:
        warnings.append(
            Warning(
                "hourglass",
                counted(waiting, "memory waits in quarantine", "memories wait in quarantine"),
                "and nobody recalls what is there until an admin releases or deletes it.",
                f"{reverse('memory_list')}?state=quarantined",
                f"Look at {counted(waiting, 'memory', 'memories')}",
            )
        )
    return [*warnings, *_about_people(found.standing)]


def _kept(found: KindCounts) -> dict[str, Any]:
    """Memories by kind, each with a bar: its share of the most frequent kind, in per cent."""
    most = max((line.total for line in found.lines), default=0)
    return {
        "lines": [
            (line, f"{reverse('memory_list')}?kind={line.kind}&state=kept", _bar(line, most))
            for line in found.lines
        ],
        "active": found.active,
        "other": found.other,
        "total": found.active + found.other,
        "capped": found.capped,
    }


def _bar(line: KindLine, most: int) -> tuple[int, int]:
    """Widths of the active part and of the whole, of 100."""
    return round(line.active * 100 / most), max(round(line.total * 100 / most), 1)


def _about_people(standing: Standing) -> list[Warning]:
    users, keys = reverse("user_list"), reverse("key_list")
    return [
        Warning("hourglass", strong, text, url, button)
        for count, strong, text, url, button in (
            (
                standing.shut_out,
                counted(standing.shut_out, "user can do nothing here", "users can do nothing here"),
                "without a key, a sign-in or an open invitation.",
                users,
                "Open users",
            ),
            (
                standing.keys_expiring,
                counted(standing.keys_expiring, "key expires", "keys expire"),
                "within seven days; what uses it stops then.",
                keys,
                "Open keys",
            ),
            (
                standing.invitations_expired,
                counted(standing.invitations_expired, "invitation ran out", "invitations ran out"),
                "before it was accepted. It can be sent again.",
                keys,
                "Open invitations",
            ),
        )
        if count
    ]
