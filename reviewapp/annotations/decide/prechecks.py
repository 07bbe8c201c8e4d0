"""How things stand at the moment of a decision: the locked annotation, and what else is asked while it is locked."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from reviewapp.annotations.models import Annotation, Decision
from reviewapp.asked import asked, rows
from reviewapp.outbox.models import Change
from reviewapp.retrievers.models import Result

# Asked when the lock is held and never together with it: a statement sees what was committed when it began, so one that
# waited for the lock would not see what its holder did.
_BESIDE = """
SELECT EXISTS (SELECT FROM annotations_decision WHERE decision_id = %(decision_id)s),
    EXISTS (SELECT FROM outbox_change WHERE ref = %(ref)s AND state IN ('conflict', 'refused'))
"""


def locked(annotation_id: int) -> Annotation:
    """Lock an annotation until the transaction ends and return it; raises `Annotation.DoesNotExist`."""
    found = _for_update(pk=annotation_id)
    if not found:
        raise Annotation.DoesNotExist
    return found[0]


@asked
def now(pk: int) -> QuerySet[Annotation]:
    """Return the annotation with what deciding needs of its neighbours, not locked, as a list of one or none."""
    near = Annotation.objects.select_related("retriever__label_set", "result").filter(pk=pk)
    return near.defer("words", "search", "excerpt", "revisions", "proposed", "result__snapshot")


@asked
def _for_update(pk: int) -> QuerySet[Annotation]:
    near = Annotation.objects.select_related("retriever__label_set", "result").filter(pk=pk)
    needed = near.defer("words", "search", "excerpt", "revisions", "proposed", "result__snapshot")
    return needed.select_for_update(of=["self"])


def beside(ref: str, decision_id: UUID) -> tuple[bool, bool]:
    """Return whether this decision has been made before, and whether a change of the ref waits for a person."""
    (seen, waits), *_ = rows(_BESIDE, {"ref": ref, "decision_id": decision_id})
    return seen, waits


@asked
def made(decision_id: UUID) -> QuerySet[Decision]:
    """Return the decision with this id, if it has been made, as a list."""
    return Decision.objects.filter(decision_id=decision_id)


@asked
def in_trouble(ref: str) -> QuerySet[Change]:
    """Return the changes of a ref that wait for a person."""
    return Change.objects.attention().filter(ref=ref)


def shown(annotation: Annotation, result_id: int | None) -> Result | None:
    """Return the result that was looked at, if it is one of this document; else the annotation's own."""
    if result_id is None or result_id == annotation.result_id:
        return annotation.result
    looked_at = Result.objects.filter(pk=result_id, document_id=annotation.document_id)
    return looked_at.defer("snapshot").first() or annotation.result
