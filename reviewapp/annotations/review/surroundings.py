"""Load what the review page shows around an annotation, in one query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model

from reviewapp.annotations.models import Lease, SetAside
from reviewapp.annotations.review.last_actions import (
    RECENT_DECISIONS,
    LastAside,
    RecentDecision,
    build_last_aside,
    build_recent_decision,
)
from reviewapp.annotations.review.other_document import HeldDocument, build_held_document
from reviewapp.annotations.review.same_document import (
    OtherAnnotation,
    OtherResult,
    build_execution,
    build_other_annotation,
    build_other_result,
)
from reviewapp.postgres.jsonb import model_from_json
from reviewapp.postgres.statement import sql_file
from reviewapp.retrievers.documents.snapshot import RUN_KEYS
from reviewapp.retrievers.models import Execution

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

Row = dict[str, Any]


@dataclass(frozen=True)
class SurroundingsRow:
    """The rows around an annotation; `executions` by key, everything None where there is none."""

    execution: int | None
    result_execution: str | None
    executions: dict[str, Row] | None
    lease: Row | None
    aside: Row | None
    annotations: list[Row] | None
    results: list[Row] | None
    documents: list[Row] | None
    decisions: list[Row] | None
    last_aside: Row | None


@dataclass(frozen=True, kw_only=True)
class Aside:
    """The person's own skip or deferral of the annotation."""

    kind: SetAside.Kind
    reason: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the page shows around an annotation.

    `execution` is its own, None if it names none or that one is not here. `result_execution_id` is
    Mixpeek's id of the execution of its result, "" for none. `lease` may have expired.
    `other_documents` are those of its collection that were looked for, at most three. `recent` are
    the person's last ten decisions, newest first, and `last_aside` their last skip or deferral, all
    of any annotation.
    """

    execution: Execution | None
    result_execution_id: str
    lease: Lease | None
    aside: Aside | None
    other_annotations: list[OtherAnnotation]
    other_results: list[OtherResult]
    other_documents: list[HeldDocument]
    recent: list[RecentDecision]
    last_aside: LastAside | None


_SURROUNDINGS = sql_file(__file__, "surroundings.sql", SurroundingsRow).with_pieces(
    recent_decisions=RECENT_DECISIONS.text
)


def load_surroundings(
    annotation_id: int, person: User, *, document_ids: Iterable[str] = ()
) -> Surroundings:
    """Return what `person` sees around the annotation with this key, which must exist.

    Other documents of its collection are looked for under `document_ids`, and are in their order.
    """
    (row,) = _SURROUNDINGS.rows(
        annotation=annotation_id,
        person=person.pk,
        run_keys=list(RUN_KEYS),
        document_ids=list(document_ids),
    )

    executions = {}
    for key, columns in (row.executions or {}).items():
        executions[int(key)] = build_execution(columns)
    own = None
    if row.execution is not None:
        own = executions.get(row.execution)

    annotations = []
    for other in row.annotations or ():
        execution = executions.get(other["execution"])
        annotations.append(build_other_annotation(other, execution, own))

    results = []
    for other in row.results or ():
        execution = executions.get(other["execution"])
        results.append(build_other_result(other, execution, own))

    lease = None
    if row.lease is not None:
        lease = model_from_json(Lease, row.lease)
        lease.holder = model_from_json(get_user_model(), row.lease["holder"])

    aside = None
    if row.aside is not None:
        kind = SetAside.Kind(row.aside["kind"])
        created_at = datetime.fromisoformat(row.aside["created_at"])
        aside = Aside(kind=kind, reason=row.aside["reason"], created_at=created_at)

    return Surroundings(
        execution=own,
        result_execution_id=row.result_execution or "",
        lease=lease,
        aside=aside,
        other_annotations=annotations,
        other_results=results,
        other_documents=[build_held_document(document) for document in row.documents or ()],
        recent=[build_recent_decision(decision) for decision in row.decisions or ()],
        last_aside=build_last_aside(row.last_aside),
    )
