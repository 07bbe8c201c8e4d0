"""`manage.py work`: deliver changes, run retrievers and pull, until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import ConnectorException

from reviewapp.sync.job_logging import traced
from reviewapp.sync.signals import working

_log = logging.getLogger(__name__)
# Nothing announces that a scheduled job has come due, such as the end of a hold: it is looked for, so often (seconds).
_LOOKS = 1.0
# How long to leave a database alone that was lost (seconds).
_PAUSE = 2.0
_STOPS = (signal.SIGINT, signal.SIGTERM)
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
            asyncio.run(_work_until_told(options["concurrency"]))


async def _work_until_told(concurrency: int) -> None:
    """Work until told to stop, with one worker after the other: each ends when it loses its database."""
    told = asyncio.create_task(_told_to_stop())
    while not told.done():
        worker = asyncio.create_task(_work(concurrency))
        await asyncio.wait([worker, told], return_when=asyncio.FIRST_COMPLETED)
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker
        await asyncio.wait([told], timeout=_PAUSE)


async def _told_to_stop() -> None:
    """Wait for a stop signal; a second one ends the process at once."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in _STOPS:
        loop.add_signal_handler(number, told.set)
    await told.wait()
    for number in _STOPS:
        loop.remove_signal_handler(number)


async def _work(concurrency: int) -> None:
    """Work until cancelled, which lets the jobs under way finish, or until the database is lost, and log that."""
    why: object = "what failed is said above"
    try:
        with app.replace_connector(DjangoConnector().get_worker_connector()):
            async with app.open_async():
                await app.run_worker_async(
                    concurrency=concurrency,
                    shutdown_graceful_timeout=30,
                    fetch_job_polling_interval=_LOOKS,
                    delete_jobs="successful",
                    task_middleware=[traced],
                    # It would not tell a stop signal from a database that is lost.
                    install_signal_handlers=False,
                )
    except _LOST as error:
        why = error.__cause__ or error
    # What was claimed falls due again by itself.
    _log.warning("lost the database, which is tried again every %g seconds: %s", _PAUSE, why)
