"""`manage.py work`: deliver changes, run retrievers and pull, until told to stop."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from reviewapp.sync.jobs import traced
from reviewapp.sync.signals import working

# Nothing announces that a scheduled job has come due, such as the end of a hold: it is looked for, so often (seconds).
_LOOKS = 1.0


class Command(BaseCommand):
    """Run one worker; start as many as you like, on as many machines."""

    help = "Deliver changes to Mixpeek, run retrievers and pull, until stopped (Ctrl-C or SIGTERM)."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the number of threads."""
        parser.add_argument("--concurrency", type=int, default=4, help="jobs at a time (default 4)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work; a stop signal lets the jobs under way finish, at most 30 seconds."""
        working.send(sender=type(self))
        with app.replace_connector(DjangoConnector().get_worker_connector()):
            app.run_worker(
                concurrency=options["concurrency"],
                shutdown_graceful_timeout=30,
                fetch_job_polling_interval=_LOOKS,
                delete_jobs="successful",
                task_middleware=[traced],
            )
