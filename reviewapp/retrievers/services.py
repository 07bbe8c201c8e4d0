"""What people do with retrievers: ask for a run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from reviewapp.audit.trace import acting
from reviewapp.retrievers.models import Execution, Retriever

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


class RetrieverGone(Exception):
    """The retriever is not upstream any more, so it cannot be run."""


def request_execution(retriever: Retriever, inputs: Mapping[str, Any], *, actor: User) -> Execution:
    """Ask for one run of `retriever`; a worker makes it once the transaction commits.

    `inputs` are by the names in its input_schema, as `forms.RunForm` gives them. Raises `PermissionDenied` unless
    `actor` may run retrievers, and `RetrieverGone`.
    """
    if not actor.has_perm("retrievers.run_retriever"):
        raise PermissionDenied("Only leads and admins run retrievers.")
    if retriever.gone_at is not None:
        raise RetrieverGone(f"{retriever.name} is not at Mixpeek any more.")
    with acting(actor):
        execution = requested(retriever, inputs, by=actor.get_username())
        transaction.on_commit(wake)
    return execution


def requested(
    retriever: Retriever, inputs: Mapping[str, Any], *, by: str, claimed_at: datetime | None = None
) -> Execution:
    """Record a run that is to be made, inside the caller's transaction, and wake nobody.

    Who gives `claimed_at` makes the run itself: no worker will.
    """
    return Execution.objects.create(
        retriever=retriever,
        inputs=dict(inputs),
        requested_by=by,
        retriever_version=retriever.version,
        created_at=timezone.now(),
        claimed_at=claimed_at,
    )


def wake() -> None:
    """Have a worker make the requested runs; one waiting wake-up is enough for all."""
    try:
        with transaction.atomic():
            app.configure_task("sync.run_requested", queueing_lock="sync.run_requested").defer()
    except AlreadyEnqueued:
        pass
