"""The other annotations and results of an item's document, each with its query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import (
    BooleanField,
    Case,
    Func,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)

from reviewapp.annotations.models import Annotation
from reviewapp.asked import asked
from reviewapp.json_values import is_same_json
from reviewapp.retrievers.documents.snapshot import RUN_KEYS
from reviewapp.retrievers.models import Execution, Result

_MAX_NEIGHBOURS = 10


@dataclass(frozen=True, kw_only=True)
class OtherAnnotation:
    """Another annotation of the document.

    `execution` is its own, None if it names none or that one is not here.
    """

    annotation: Annotation
    execution: Execution | None
    is_same_query: bool

    @property
    def is_judged_for_another_query(self) -> bool:
        """Whether somebody decided it, for another query than the item's."""
        if self.is_same_query or not self.annotation.label:
            return False
        return self.annotation.status == Annotation.Status.DECIDED


@dataclass(frozen=True, kw_only=True)
class OtherResult:
    """Another result of the document; `item` is the key of its annotation, None without one.

    `is_different`: the document was different then; the score, which is the run's, is ignored.
    """

    result: Result
    item: int | None
    is_same_query: bool
    is_different: bool

    @property
    def may_be_judged(self) -> bool:
        """Whether it is of a query for which the document has no item yet."""
        if self.is_same_query or self.item is not None:
            return False
        return self.result.execution is not None


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The execution of an annotation, and the other annotations and results of its document."""

    execution: Execution | None
    annotations: list[OtherAnnotation]
    results: list[OtherResult]


def neighbours(annotation: Annotation) -> Neighbours:
    """Return the neighbours of `annotation`, which was loaded with its result and execution."""
    document_id = annotation.document_id
    annotations = _annotations(document_id=document_id, pk=annotation.pk)

    own_result = annotation.result
    result_id = own_result.pk if own_result else 0
    digest = own_result.digest if own_result else ""
    results = _results(document_id=document_id, pk=result_id, digest=digest)

    executions = executions_of([annotation, *annotations])
    execution = execution_of(annotation, executions)

    other_annotations = []
    for other in annotations:
        other_execution = execution_of(other, executions)
        other_annotation = OtherAnnotation(
            annotation=other,
            execution=other_execution,
            is_same_query=_is_same_query(execution, other_execution),
        )
        other_annotations.append(other_annotation)

    other_results = []
    for result in results:
        columns = vars(result)
        other_result = OtherResult(
            result=result,
            item=columns["item"],
            is_same_query=_is_same_query(execution, result.execution),
            is_different=bool(columns["is_different"]),
        )
        other_results.append(other_result)

    return Neighbours(
        execution=execution,
        annotations=other_annotations,
        results=other_results,
    )


def _is_same_query(own: Execution | None, other: Execution | None) -> bool:
    if own is None or other is None:
        return False
    if own.retriever_id != other.retriever_id:
        return False
    if own.pk == other.pk:
        return True

    # Empty inputs: the retriever takes none, or Mixpeek does not return the inputs of this run.
    has_unknown_inputs = not own.inputs and own.retriever.input_schema
    if has_unknown_inputs:
        return False
    return is_same_json(own.inputs, other.inputs)


def execution_of(annotation: Annotation, executions: Mapping[str, Execution]) -> Execution | None:
    """Return the execution that the annotation names, else that of its result."""
    if annotation.execution_id:
        return executions.get(annotation.execution_id)
    if annotation.result is None:
        return None
    return annotation.result.execution


def executions_of(annotations: Iterable[Annotation]) -> dict[str, Execution]:
    """Return the executions that these annotations name, by id.

    Those that were loaded with a result are not queried again.
    """
    executions: dict[str, Execution] = {}
    named = set()
    for annotation in annotations:
        named.add(annotation.execution_id)
        if annotation.result is None:
            continue
        execution = annotation.result.execution
        if execution and execution.execution_id:
            executions[execution.execution_id] = execution

    missing = named - {"", *executions}
    if missing:
        queried = Execution.objects.select_related("retriever").filter(execution_id__in=missing)
        for execution in queried:
            if execution.execution_id:
                executions[execution.execution_id] = execution
    return executions


@asked
def _annotations(document_id: str, pk: int) -> QuerySet[Annotation]:
    """Return the other annotations of a document, the decided ones first."""
    decided_first = Case(When(status=Annotation.Status.DECIDED, then=0), default=1)
    others = Annotation.objects.filter(document_id=document_id).exclude(pk=pk)
    related = others.select_related("retriever", "result__execution__retriever")
    columns = related.only(
        "label",
        "confidence",
        "status",
        "execution_id",
        "retriever__name",
        "result__digest",
        *_execution_columns("result__execution__"),
    )
    return columns.order_by(decided_first, "-id")[:_MAX_NEIGHBOURS]


@asked
def _results(document_id: str, pk: int, digest: str) -> QuerySet[Result]:
    """Return the other results of a document, newest first, annotated as `OtherResult` needs."""
    own_document = Result.objects.filter(pk=pk).values(document=_Document("snapshot"))
    own_snapshot = Subquery(own_document, output_field=JSONField())
    is_other_document = _Unequal(_Document("snapshot"), own_snapshot)
    is_different = Case(
        When(digest=digest, then=Value(False)),
        default=is_other_document,
        output_field=BooleanField(),
    )

    belongs = Q(execution_id=OuterRef("execution__execution_id")) | Q(result=OuterRef("pk"))
    items = Annotation.objects.filter(belongs, document_id=document_id)
    item = Subquery(items.order_by("id").values("pk")[:1])

    others = Result.objects.filter(document_id=document_id).exclude(pk=pk)
    related = others.select_related("execution__retriever")
    execution_columns = _execution_columns("execution__")
    columns = related.only("rank", "score", "digest", "created_at", *execution_columns)
    return columns.annotate(item=item, is_different=is_different).order_by("-id")[:_MAX_NEIGHBOURS]


def _execution_columns(prefix: str) -> list[str]:
    names = (
        "execution_id",
        "inputs",
        "query_summary",
        "status",
        "retriever__name",
        "retriever__input_schema",
    )
    return [prefix + name for name in names]


class _Document(Func):
    """A snapshot without the keys that its run added."""

    _run_keys = ", ".join(repr(key) for key in RUN_KEYS)
    template = f"(%(expressions)s - ARRAY[{_run_keys}])"
    output_field = JSONField()


class _Unequal(Func):
    template = "(%(expressions)s)"
    arg_joiner = " <> "
    output_field = BooleanField()
