"""`manage.py work`: deliver changes, run retrievers and pull, until told to stop."""

from __future__ import annotations

import argparse
import logging
import time
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import ConnectorException

from reviewapp.sync.jobs import traced
from reviewapp.sync.signals import working

_log = logging.getLogger(__name__)
# Nothing announces that a scheduled job has come due, such as the end of a hold: it is looked for, so often (seconds).
_LOOKS = 1.0
# How long to leave a database alone that was lost (seconds).
_PAUSE = 2.0
_LOST = (ConnectorException, OperationalError, InterfaceError)


class Command(BaseCommand):
    """Run one worker; start as many as you like, on as many machines."""

    help = "Deliver changes to Mixpeek, run retrievers and pull, until stopped (Ctrl-C or SIGTERM)."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the number of threads."""
        parser.add_argument("--concurrency", type=int, default=4, help="jobs at a time (default 4)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work; a stop signal lets the jobs under way finish, at most 30 seconds. A lost database is waited for."""
        working.send(sender=type(self))
        with suppress(KeyboardInterrupt):
            while not _worked(options["concurrency"]):
                time.sleep(_PAUSE)


def _worked(concurrency: int) -> bool:
    """Work until told to stop; returns False when the database was lost, and logs why."""
    try:
        with app.replace_connector(DjangoConnector().get_worker_connector()):
            app.run_worker(
                concurrency=concurrency,
                shutdown_graceful_timeout=30,
                fetch_job_polling_interval=_LOOKS,
                delete_jobs="successful",
                task_middleware=[traced],
            )
    except _LOST as error:
        # What was claimed falls due again by itself.
        _log.warning("lost the database, which is tried again every %g seconds: %s", _PAUSE, error.__cause__ or error)
        return False
    return True
