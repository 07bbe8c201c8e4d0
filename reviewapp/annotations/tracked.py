"""What history tells of annotations and of who set them aside: the triggers of their tables."""

from __future__ import annotations

import pgtrigger

from reviewapp.audit.actions import Action
from reviewapp.audit.tracking import Tracked
from reviewapp.retrievers.models import RETRIEVER_ID

ANNOTATION = Tracked(
    columns=[
        "annotation_id",
        "label",
        "confidence",
        "reasoning",
        "payload",
        "metadata",
        "status",
        "decision_id",
        "reviewer_id",
    ],
    constant=["ref", "document_id", "retriever_id"],
    unexpected={"decided_at": "OLD.decision_id IS NOT DISTINCT FROM NEW.decision_id"},
    retriever=RETRIEVER_ID,
    created=Action.ANNOTATION_CREATED,
    changed=[
        ("NEW.status = 'gone' AND OLD.status <> 'gone'", Action.ANNOTATION_GONE),
        # A decision only ever follows an earlier one.
        ("coalesce(NEW.decision_id, 0) < OLD.decision_id", Action.ANNOTATION_UNDONE),
        (
            "NEW.status = 'undecidable' AND OLD.decision_id IS DISTINCT FROM NEW.decision_id",
            Action.ANNOTATION_UNDECIDABLE,
        ),
        ("OLD.label <> NEW.label", Action.ANNOTATION_RELABELLED),
        (
            "OLD.decision_id IS DISTINCT FROM NEW.decision_id"
            " AND OLD.confidence IS NOT DISTINCT FROM NEW.confidence"
            " AND OLD.reasoning = NEW.reasoning AND OLD.payload = NEW.payload"
            " AND OLD.metadata IS NOT DISTINCT FROM NEW.metadata",
            Action.ANNOTATION_CONFIRMED,
        ),
        ("true", Action.ANNOTATION_REVISED),
    ],
    deleted=Action.ANNOTATION_DELETED,
)

# For `Tracked`: what a row's foreign key leads to.
_ANNOTATION_REF = "(SELECT a.ref FROM public.annotations_annotation a WHERE a.id = {row}.annotation_id)"
_ANNOTATION_RETRIEVER = (
    "(SELECT r.retriever_id FROM public.annotations_annotation a"
    " JOIN public.retrievers_retriever r ON r.id = a.retriever_id WHERE a.id = {row}.annotation_id)"
)

# A decision that comes into force is told of by its annotation. This looks, at the end of the transaction, for one that
# did not, which the app never makes.
DECISION = Tracked(
    columns=["outcome", "label", "reviewer_id"],
    operation=pgtrigger.Insert,
    timing=pgtrigger.Deferred,
    unless="EXISTS (SELECT FROM public.annotations_annotation a"
    " WHERE a.id = NEW.annotation_id AND a.decision_id >= NEW.id)",
    ref=_ANNOTATION_REF,
    retriever=_ANNOTATION_RETRIEVER,
    created=Action.DECISION_RECORDED,
    changed=[("true", Action.DECISION_RECORDED)],
    deleted=Action.DECISION_RECORDED,
)

SET_ASIDE = Tracked(
    columns=["kind", "reason"],
    constant=["annotation_id", "person_id"],
    ref=_ANNOTATION_REF,
    retriever=_ANNOTATION_RETRIEVER,
    created=[
        ("NEW.kind = 'skipped'", Action.ANNOTATION_SKIPPED),
        ("true", Action.ANNOTATION_DEFERRED),
    ],
    changed=[
        ("NEW.kind = 'skipped'", Action.ANNOTATION_SKIPPED),
        ("true", Action.ANNOTATION_DEFERRED),
    ],
    deleted=Action.ANNOTATION_RESUMED,
)
