"""Queries of retrievers, executions and results."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.db import models
from django.db.models import Func, IntegerField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, Concat

from reviewapp.audit.actions import Action
from reviewapp.audit.models import Event
from reviewapp.naming import letters_pattern
from reviewapp.ref import Ref, RefKind

if TYPE_CHECKING:
    from reviewapp.retrievers.models import Execution, Result, Retriever


# The actions that count as an edit of a retriever, whoever did it.
EDITS = (
    Action.RETRIEVER_RENAMED,
    Action.RETRIEVER_REDESCRIBED,
    Action.RETRIEVER_RETAGGED,
    Action.LABELS_SET,
    Action.GUIDELINES_WRITTEN,
)
# The tags as text, one a line, without JSON's quotes and escapes.
_TAG_WORDS = Func(
    template=(
        "(SELECT string_agg(tag, E'\n') FROM "
        "jsonb_array_elements_text(retrievers_retriever.tags) tag)"
    ),
    output_field=models.TextField(),
)


class _Count(Subquery):
    """The number of rows of a (sliced) query."""

    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


class RetrieverQuerySet(models.QuerySet["Retriever"]):
    """Mirrored retrievers."""

    def present(self) -> Self:
        """Return those that upstream still has, by name."""
        return self.filter(gone_at__isnull=True).order_by("name", "id")

    def named(self, part: str) -> Self:
        """Return those with `part` in their name or id, case-insensitively."""
        if not part:
            return self
        return self.filter(models.Q(name__icontains=part) | models.Q(retriever_id__icontains=part))

    def with_letters(self, text: str) -> Self:
        """Return those with the letters of `text`, in their order, in the name or the id.

        By name, but first those whose name holds `text` as it is.
        """
        pattern = letters_pattern(text)
        in_order = models.Q(name__iregex=pattern) | models.Q(retriever_id__iregex=pattern)
        holds_text = models.ExpressionWrapper(models.Q(name__icontains=text), models.BooleanField())
        return self.filter(in_order).order_by(holds_text.desc(), "name", "id")

    def matching(self, part: str) -> Self:
        """Return those with `part` in their name, id, description or tags, case-insensitively."""
        if not part:
            return self
        condition = models.Q(name__icontains=part) | models.Q(retriever_id__icontains=part)
        condition |= models.Q(description__icontains=part)
        condition |= models.Q(tag_words__icontains=part)
        return self.alias(tag_words=_TAG_WORDS).filter(condition)

    def tagged(self, tag: str) -> Self:
        """Return those with this tag; "" is any."""
        if not tag:
            return self
        return self.filter(tags__contains=[tag])

    def with_last_edit(self) -> Self:
        """Annotate the key (`last_edit`) and time (`edited_at`) of the newest edit event.

        For a retriever without edits, `edited_at` is 1970, so that lists can be sorted by it.
        """
        ref = Concat(Value(f"{RefKind.RETRIEVER}/"), OuterRef("retriever_id"))
        events = Event.objects.filter(ref=ref, action__in=EDITS).order_by("-at", "-id")
        at = Subquery(events.values("at")[:1])
        never = Value(datetime(1970, 1, 1, tzinfo=UTC), output_field=models.DateTimeField())
        return self.annotate(
            last_edit=Subquery(events.values("pk")[:1]),
            edited_at=Coalesce(at, never),
        )

    def tags_in_use(self, limit: int = 500) -> list[str]:
        """Return the sorted tags of all retrievers, at most `limit`."""
        rows = self.order_by().annotate(tag=Func("tags", function="jsonb_array_elements_text"))
        tags = rows.order_by("tag").values_list("tag", flat=True).distinct()[:limit]
        return sorted(set(tags), key=str.casefold)

    def by_ref(self, refs: Iterable[str]) -> dict[str, Retriever]:
        """Return the retrievers that these refs name, by ref."""
        ids = set()
        for ref in map(Ref.parse, refs):
            if ref.kind == RefKind.RETRIEVER:
                ids.add(ref.id)
        if not ids:
            return {}
        return {row.ref: row for row in self.filter(retriever_id__in=ids)}

    def with_waiting(self, cap: int) -> Self:
        """Annotate the number of annotations without a decision as `waiting`, at most `cap`."""
        annotations = apps.get_model("annotations", "Annotation").objects
        waiting = annotations.filter(retriever=OuterRef("pk"), status="waiting").order_by()
        return self.annotate(waiting=_Count(waiting.values("pk")[:cap]))

    def with_last_execution(self) -> Self:
        """Annotate the key of the newest execution as `last_execution`."""
        executions = apps.get_model("retrievers", "Execution").objects
        newest = executions.filter(retriever=OuterRef("pk")).order_by("-created_at", "-id")
        return self.annotate(last_execution=Subquery(newest.values("pk")[:1]))


class ExecutionQuerySet(models.QuerySet["Execution"]):
    """Executions."""

    def of(self, retriever: Retriever) -> Self:
        """Return a retriever's executions, newest first."""
        return self.filter(retriever=retriever).order_by("-created_at", "-id")

    def requested(self) -> Self:
        """Return the runs that were requested here and not started yet, oldest first."""
        return self.filter(status="requested").order_by("id")

    def claim_requested(self, now: datetime) -> Execution | None:
        """Claim the oldest requested run that nobody makes yet; None without one.

        Call it in a transaction.
        """
        unclaimed = self.requested().filter(claimed_at__isnull=True)
        locked = unclaimed.select_for_update(skip_locked=True, of=("self",))
        execution = locked.select_related("retriever").first()
        if execution is not None:
            execution.claimed_at = now
            execution.save(update_fields=["claimed_at"])
        return execution

    def with_query_of(self, execution: Execution) -> Self:
        """Return the executions with the same retriever and inputs, including `execution`.

        Mixpeek does not return the inputs of a run that was made elsewhere, so empty inputs are
        equal only where the retriever takes none.
        """
        if not execution.inputs and execution.retriever.input_schema:
            return self.filter(pk=execution.pk)
        return self.filter(retriever=execution.retriever_id, inputs=execution.inputs)


class ResultQuerySet(models.QuerySet["Result"]):
    """Results."""

    def of(self, execution: Execution) -> Self:
        """Return an execution's results, best first."""
        return self.filter(execution=execution).order_by("rank", "id")
