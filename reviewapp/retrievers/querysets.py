"""Named questions about retrievers and executions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Func, IntegerField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, Concat

from reviewapp.audit.actions import Action
from reviewapp.audit.models import Event

if TYPE_CHECKING:
    from reviewapp.retrievers.models import Execution, Result, Retriever


# What people would call an edit of a retriever, whoever made it.
EDITS = (
    Action.RETRIEVER_RENAMED,
    Action.RETRIEVER_REDESCRIBED,
    Action.RETRIEVER_RETAGGED,
    Action.LABELS_SET,
    Action.GUIDELINES_WRITTEN,
)
# A line for each tag, as people would read it rather than as JSON writes it.
_TAG_WORDS = Func(
    template="(SELECT string_agg(tag, E'\n') FROM jsonb_array_elements_text(retrievers_retriever.tags) tag)",
    output_field=models.TextField(),
)


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

    def matching(self, part: str) -> Self:
        """Return those with `part` in their name, id, description or one of their tags, in any case."""
        if not part:
            return self
        texts = models.Q(name__icontains=part) | models.Q(retriever_id__icontains=part)
        described = models.Q(description__icontains=part)
        return self.alias(tag_words=_TAG_WORDS).filter(texts | described | models.Q(tag_words__icontains=part))

    def tagged(self, tag: str) -> Self:
        """Return those that carry `tag`; "" is any."""
        return self.filter(tags__contains=[tag]) if tag else self

    def with_last_edit(self) -> Self:
        """Tell the key of the newest event that changed it for people, as `last_edit`, and its instant as `edited_at`.

        What was never changed was edited at the beginning of time, so that lists can be in this order.
        """
        events = Event.objects.filter(
            ref=Concat(Value("retrievers/"), OuterRef("retriever_id")), action__in=EDITS
        ).order_by("-at", "-id")
        at = Subquery(events.values("at")[:1])
        never = Value(datetime(1970, 1, 1, tzinfo=UTC), output_field=models.DateTimeField())
        return self.annotate(last_edit=Subquery(events.values("pk")[:1]), edited_at=Coalesce(at, never))

    def tags_in_use(self, most: int = 500) -> list[str]:
        """Return the tags that any retriever carries, in order, no more than `most`."""
        each = self.order_by().annotate(tag=Func("tags", function="jsonb_array_elements_text"))
        return sorted(set(each.values_list("tag", flat=True).distinct()[:most]), key=str.casefold)

    def by_ref(self, refs: Iterable[str]) -> dict[str, Retriever]:
        """Return the retrievers that these refs name, by ref."""
        named = {id_ for kind, _, id_ in (ref.partition("/") for ref in refs) if kind == "retrievers"}
        return {row.ref: row for row in self.filter(retriever_id__in=named)} if named else {}

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

    def with_query_of(self, execution: Execution) -> Self:
        """Return the executions that asked the same retriever for the same, `execution` among them.

        Mixpeek does not tell the inputs of a run that was made elsewhere, so empty inputs are equal only where the
        retriever takes none.
        """
        if not execution.inputs and execution.retriever.input_schema:
            return self.filter(pk=execution.pk)
        return self.filter(retriever=execution.retriever_id, inputs=execution.inputs)


class ResultQuerySet(models.QuerySet["Result"]):
    """Results."""

    def of(self, execution: Execution) -> Self:
        """Return an execution's results, best first."""
        return self.filter(execution=execution).order_by("rank", "id")
