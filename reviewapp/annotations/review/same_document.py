"""What else is known of an item's document: its other annotations and results, each with the query it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import BooleanField, Case, Func, JSONField, OuterRef, Q, QuerySet, Subquery, Value, When

from reviewapp.annotations.models import Annotation
from reviewapp.asked import asked
from reviewapp.json_values import same
from reviewapp.retrievers.documents.snapshot import RUN_KEYS
from reviewapp.retrievers.models import Execution, Result

_MOST = 10


@dataclass(frozen=True, kw_only=True)
class OtherAnnotation:
    """Another annotation of the document. `execution` is its own, None when it names none or that is not here."""

    annotation: Annotation
    execution: Execution | None
    is_same_query: bool

    @property
    def is_judged_for_another_query(self) -> bool:
        """Whether somebody decided it, for another query than the item's."""
        is_decided = self.annotation.status == Annotation.Status.DECIDED
        return is_decided and bool(self.annotation.label) and not self.is_same_query


@dataclass(frozen=True, kw_only=True)
class OtherResult:
    """Another result of the document; `item` is the key of the annotation that belongs to it, None without one.

    `is_different` tells whether the document was different then; the score, which is the run's, does not count.
    """

    result: Result
    item: int | None
    is_same_query: bool
    is_different: bool

    @property
    def may_be_judged(self) -> bool:
        """Whether it is of a query for which the document has no item yet."""
        return self.result.execution is not None and self.item is None and not self.is_same_query


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The execution that an annotation belongs to, and the other annotations and results of its document."""

    execution: Execution | None
    annotations: list[OtherAnnotation]
    results: list[OtherResult]


def neighbours(annotation: Annotation) -> Neighbours:
    """Return what else is known of the document of `annotation`, which has its result and that one's execution."""
    shown = annotation.result
    annotations = _annotations(document_id=annotation.document_id, pk=annotation.pk)
    results = _results(
        document_id=annotation.document_id, pk=shown.pk if shown else 0, digest=shown.digest if shown else ""
    )
    executions = executions_of([annotation, *annotations])
    own = execution_of(annotation, executions)
    return Neighbours(
        execution=own,
        annotations=[_other_annotation(other, own, executions) for other in annotations],
        results=[_other_result(result, own) for result in results],
    )


def _other_annotation(
    annotation: Annotation, own: Execution | None, executions: Mapping[str, Execution]
) -> OtherAnnotation:
    execution = execution_of(annotation, executions)
    return OtherAnnotation(annotation=annotation, execution=execution, is_same_query=_is_same_query(own, execution))


def _other_result(result: Result, own: Execution | None) -> OtherResult:
    columns = vars(result)
    return OtherResult(
        result=result,
        item=columns["item"],
        is_same_query=_is_same_query(own, result.execution),
        is_different=bool(columns["is_different"]),
    )


def _is_same_query(one: Execution | None, other: Execution | None) -> bool:
    if one is None or other is None or one.retriever_id != other.retriever_id:
        return False
    if one.pk == other.pk:
        return True
    # Empty inputs are those of a retriever that takes none, or of a run whose inputs Mixpeek does not tell.
    is_known = bool(one.inputs) or not one.retriever.input_schema
    return is_known and same(one.inputs, other.inputs)


def execution_of(annotation: Annotation, executions: Mapping[str, Execution]) -> Execution | None:
    """Return the execution that the annotation names; of one that names none, the execution of its result."""
    if annotation.execution_id:
        return executions.get(annotation.execution_id)
    return annotation.result.execution if annotation.result else None


def executions_of(annotations: Iterable[Annotation]) -> dict[str, Execution]:
    """Return the executions that these annotations name, by id; those that came with their results are not read."""
    results = [annotation.result for annotation in annotations if annotation.result]
    known = {result.execution.execution_id: result.execution for result in results if result.execution}
    executions = {id_: execution for id_, execution in known.items() if id_}
    missing = {annotation.execution_id for annotation in annotations} - {"", *executions}
    if missing:
        named = Execution.objects.select_related("retriever").filter(execution_id__in=missing)
        executions |= {execution.execution_id: execution for execution in named if execution.execution_id}
    return executions


@asked
def _annotations(document_id: str, pk: int) -> QuerySet[Annotation]:
    """Return the other annotations of a document, the decided ones first."""
    decided_first = Case(When(status=Annotation.Status.DECIDED, then=0), default=1)
    others = Annotation.objects.filter(document_id=document_id).exclude(pk=pk)
    near = others.select_related("retriever", "result__execution__retriever")
    shown = near.only(
        *("label", "confidence", "status", "execution_id", "retriever__name"),
        *("result__digest", *_execution_columns("result__execution__")),
    )
    return shown.order_by(decided_first, "-id")[:_MOST]


@asked
def _results(document_id: str, pk: int, digest: str) -> QuerySet[Result]:
    """Return the other results of a document, newest first, with `item` and `is_different` (see `OtherResult`)."""
    shown = Result.objects.filter(pk=pk).values(document=_Document("snapshot"))
    is_other = _Unequal(_Document("snapshot"), Subquery(shown, output_field=JSONField()))
    items = Annotation.objects.filter(
        Q(execution_id=OuterRef("execution__execution_id")) | Q(result=OuterRef("pk")), document_id=document_id
    )
    others = Result.objects.filter(document_id=document_id).exclude(pk=pk).select_related("execution__retriever")
    near = others.only("rank", "score", "digest", "created_at", *_execution_columns("execution__"))
    told = near.annotate(
        item=Subquery(items.order_by("id").values("pk")[:1]),
        is_different=Case(When(digest=digest, then=Value(False)), default=is_other, output_field=BooleanField()),
    )
    return told.order_by("-id")[:_MOST]


def _execution_columns(before: str) -> list[str]:
    names = ("execution_id", "inputs", "query_summary", "status", "retriever__name", "retriever__input_schema")
    return [before + name for name in names]


class _Document(Func):
    """A snapshot without what its run added to it."""

    template = f"(%(expressions)s - ARRAY[{', '.join(repr(key) for key in RUN_KEYS)}])"
    output_field = JSONField()


class _Unequal(Func):
    template = "(%(expressions)s)"
    arg_joiner = " <> "
    output_field = BooleanField()
