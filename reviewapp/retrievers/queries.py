"""Named questions about retrievers and executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from reviewapp.retrievers.models import Execution, Retriever


class RetrieverQuerySet(models.QuerySet["Retriever"]):
    """Mirrored retrievers."""

    def present(self) -> Self:
        """Return those that upstream still has, by name."""
        return self.filter(gone_at__isnull=True).order_by("name", "id")


class ExecutionQuerySet(models.QuerySet["Execution"]):
    """Executions."""

    def of(self, retriever: Retriever) -> Self:
        """Return a retriever's executions, newest first."""
        return self.filter(retriever=retriever).order_by("-created_at", "-id")

    def requested(self) -> Self:
        """Return the runs that were asked for here and not made yet, oldest first."""
        return self.filter(status="requested").order_by("id")
