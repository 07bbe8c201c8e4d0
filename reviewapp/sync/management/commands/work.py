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
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import ConnectorException

from reviewapp.sync.job_logging import trace_job
from reviewapp.sync.signals import worker_started

_log = logging.getLogger(__name__)
# Nothing announces that a scheduled job is due, such as the end of a hold: poll, in seconds.
_POLLING_INTERVAL = 1.0
# How long to wait before connecting again to a lost database, in seconds.
_RECONNECT_DELAY = 2.0
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_CONNECTION_ERRORS = (ConnectorException, OperationalError, InterfaceError)


class Command(BaseCommand):
    """Run one worker; start as many as you like, on as many machines."""

    help = "Deliver changes to Mixpeek, run retrievers and pull, until stopped (Ctrl-C or SIGTERM)."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the number of threads."""
        parser.add_argument(
            "--concurrency", type=int, default=4, help=_("jobs at a time (default 4)")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until a stop signal; running jobs then have 30 seconds to finish."""
        worker_started.send(sender=type(self))
        with suppress(KeyboardInterrupt):
            asyncio.run(_work_until_stopped(options["concurrency"]))


async def _work_until_stopped(concurrency: int) -> None:
    """Work until a stop signal, starting a new worker whenever one lost its database."""
    stop = asyncio.create_task(wait_for_stop_signal())
    while not stop.done():
        worker = asyncio.create_task(_work(concurrency))
        await asyncio.wait([worker, stop], return_when=asyncio.FIRST_COMPLETED)
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker
        await asyncio.wait([stop], timeout=_RECONNECT_DELAY)


async def wait_for_stop_signal() -> None:
    """Wait for a stop signal; a second one ends the process at once."""
    loop = asyncio.get_running_loop()
    received = asyncio.Event()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, received.set)
    await received.wait()
    for number in _STOP_SIGNALS:
        loop.remove_signal_handler(number)


async def _work(concurrency: int) -> None:
    """Work until cancelled, which lets running jobs finish, or until the database is lost."""
    reason: object = "what failed is said above"
    try:
        with app.replace_connector(DjangoConnector().get_worker_connector()):
            async with app.open_async():
                await app.run_worker_async(
                    concurrency=concurrency,
                    shutdown_graceful_timeout=30,
                    fetch_job_polling_interval=_POLLING_INTERVAL,
                    delete_jobs="successful",
                    task_middleware=[trace_job],
                    # procrastinate's handlers do not distinguish a stop from a lost database.
                    install_signal_handlers=False,
                )
    except _CONNECTION_ERRORS as error:
        reason = error.__cause__ or error
    # Claimed changes become due again by themselves.
    _log.warning(
        "lost the database, which is tried again every %g seconds: %s",
        _RECONNECT_DELAY,
        reason,
    )
