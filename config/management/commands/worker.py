from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

if TYPE_CHECKING:
    from django.core.management.base import CommandParser
    from procrastinate import App

GRACE_SECONDS = 10  # for a job that runs when the worker is asked to stop


class Command(BaseCommand):
    help = "Run the job worker until SIGINT or SIGTERM; a job that runs is finished first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=2, help="jobs at a time (2)")

    def handle(self, *_args: Any, concurrency: int, **_options: Any) -> None:
        # Django's own connector cannot listen for jobs; a worker needs a connection of its own.
        connector = app.connector
        assert isinstance(connector, DjangoConnector)
        with app.replace_connector(connector.get_worker_connector()) as worker_app:
            asyncio.run(_run(worker_app, concurrency))


async def _run(worker_app: App, concurrency: int) -> None:
    async with worker_app.open_async():
        await worker_app.run_worker_async(
            concurrency=concurrency, shutdown_graceful_timeout=GRACE_SECONDS
        )
