"""Named questions about retrievers and executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import IntegerField, OuterRef, Subquery

if TYPE_CHECKING:
    from reviewapp.retrievers.models import Execution, Result, Retriever


class _CountOf(Subquery):
    """How many rows a (sliced) query has."""

    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


class RetrieverQuerySet(models.QuerySet["Retriever"]):
    """Mirrored retrievers."""

    def present(self) -> Self:
        """Return those that upstream still has, by name."""
        return self.filter(gone_at__isnull=True).order_by("name", "id")

    def named(self, part: str) -> Self:
        """Return those with `part` in their name or id, in any case."""
        return self.filter(models.Q(name__icontains=part) | models.Q(retriever_id__icontains=part)) if part else self

    def with_waiting(self, cap: int) -> Self:
        """Tell how many annotations wait for a decision, as `waiting`, counting no further than `cap`."""
        annotations = self.model._meta.get_field("annotations").related_model._default_manager
        waiting = annotations.filter(retriever=OuterRef("pk"), status="waiting").order_by().values("pk")
        return self.annotate(waiting=_CountOf(waiting[:cap]))

    def with_last_execution(self) -> Self:
        """Tell the key of the newest execution, as `last_execution`."""
        executions = self.model._meta.get_field("executions").related_model._default_manager
        newest = executions.filter(retriever=OuterRef("pk")).order_by("-created_at", "-id").values("pk")
        return self.annotate(last_execution=Subquery(newest[:1]))


class ExecutionQuerySet(models.QuerySet["Execution"]):
    """Executions."""

    def of(self, retriever: Retriever) -> Self:
        """Return a retriever's executions, newest first."""
        return self.filter(retriever=retriever).order_by("-created_at", "-id")

    def requested(self) -> Self:
        """Return the runs that were asked for here and not made yet, oldest first."""
        return self.filter(status="requested").order_by("id")


class ResultQuerySet(models.QuerySet["Result"]):
    """Results."""

    def of(self, execution: Execution) -> Self:
        """Return an execution's results, best first."""
        return self.filter(execution=execution).order_by("rank", "id")
