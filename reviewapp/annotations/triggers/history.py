"""History triggers of the annotations' tables: which changes become which events."""

from __future__ import annotations

import pgtrigger

from reviewapp.annotations.fields import STORED_FIELDS
from reviewapp.audit.actions import Action
from reviewapp.audit.triggers import Tracked
from reviewapp.retrievers.models import RETRIEVER_ID

# Whether an update leaves all values but the label as they were.
_same_values = []
for _name, _field in STORED_FIELDS.items():
    _operator = "IS NOT DISTINCT FROM" if _field.blank is None else "="
    if _name != "label":
        _same_values.append(f"OLD.{_name} {_operator} NEW.{_name}")
_SAME_OTHER_VALUES = " AND ".join(_same_values)

ANNOTATION = Tracked(
    columns=[
        "annotation_id",
        *STORED_FIELDS,
        "status",
        "decision_id",
        "reviewer_id",
    ],
    constant=["ref", "document_id", "retriever_id"],
    unexpected={
        "decided_at": "OLD.decision_id IS NOT DISTINCT FROM NEW.decision_id"
        " OR NEW.decided_at IS DISTINCT FROM"
        " (SELECT d.created_at FROM public.annotations_decision d WHERE d.id = NEW.decision_id)",
        # The first result comes with a pull or an execution, and is one of the document.
        "result_id": "OLD.result_id IS NOT NULL OR NEW.document_id IS DISTINCT FROM"
        " (SELECT r.document_id FROM public.retrievers_result r WHERE r.id = NEW.result_id)",
        "execution_id": "OLD.execution_id <> ''",
    },
    retriever=RETRIEVER_ID,
    created=Action.ANNOTATION_CREATED,
    changed=[
        ("NEW.status = 'gone' AND OLD.status <> 'gone'", Action.ANNOTATION_GONE),
        # Without an undo, the standing decision is only replaced by a later one.
        ("coalesce(NEW.decision_id, 0) < OLD.decision_id", Action.ANNOTATION_UNDONE),
        (
            "NEW.status = 'undecidable' AND OLD.decision_id IS DISTINCT FROM NEW.decision_id",
            Action.ANNOTATION_UNDECIDABLE,
        ),
        ("OLD.label <> NEW.label", Action.ANNOTATION_RELABELLED),
        (
            f"OLD.decision_id IS DISTINCT FROM NEW.decision_id AND {_SAME_OTHER_VALUES}",
            Action.ANNOTATION_CONFIRMED,
        ),
        ("true", Action.ANNOTATION_REVISED),
    ],
    deleted=Action.ANNOTATION_DELETED,
)

# For `Tracked`: SQL that follows a row's foreign key.
_ANNOTATION_REF = (
    "(SELECT a.ref FROM public.annotations_annotation a WHERE a.id = {row}.annotation_id)"
)
_ANNOTATION_RETRIEVER = (
    "(SELECT r.retriever_id FROM public.annotations_annotation a"
    " JOIN public.retrievers_retriever r ON r.id = a.retriever_id WHERE a.id = {row}.annotation_id)"
)

# Whether the annotation's history has an event about the decision since a row was inserted. The
# decision's key proves nothing: whoever inserts a row may choose it.
_IS_IN_HISTORY = (
    "EXISTS (SELECT FROM public.annotations_decision d"
    " JOIN public.annotations_annotation a ON a.id = d.annotation_id"
    " JOIN public.audit_event e ON e.ref = a.ref AND e.at >= {since}"
    " AND e.changes #>> '{{decision_id,{side}}}' = d.id::text"
    " WHERE d.id = {decision})"
)

# A decision normally shows up as its annotation's event. At the end of the transaction this trigger
# records a decision without such an event, which the app never makes.
DECISION = Tracked(
    columns=["outcome", "label", "reviewer_id"],
    operation=pgtrigger.Insert,
    timing=pgtrigger.Deferred,
    unless="EXISTS (SELECT FROM public.annotations_annotation a"
    " WHERE a.id = NEW.annotation_id AND a.decision_id = NEW.id) OR "
    + _IS_IN_HISTORY.format(since="NEW.created_at", side=1, decision="NEW.id"),
    ref=_ANNOTATION_REF,
    retriever=_ANNOTATION_RETRIEVER,
    created=Action.DECISION_RECORDED,
    changed=[("true", Action.DECISION_RECORDED)],
    deleted=Action.DECISION_RECORDED,
)

# The same for an undo.
UNDO = Tracked(
    columns=["decision_id", "actor_id"],
    operation=pgtrigger.Insert,
    timing=pgtrigger.Deferred,
    unless=_IS_IN_HISTORY.format(since="NEW.at", side=0, decision="NEW.decision_id"),
    ref="(SELECT a.ref FROM public.annotations_decision d"
    " JOIN public.annotations_annotation a ON a.id = d.annotation_id WHERE d.id = "
    "{row}.decision_id)",
    retriever="(SELECT r.retriever_id FROM public.annotations_decision d"
    " JOIN public.annotations_annotation a ON a.id = d.annotation_id"
    " JOIN public.retrievers_retriever r ON r.id = a.retriever_id WHERE d.id = {row}.decision_id)",
    created=Action.UNDO_RECORDED,
    changed=[("true", Action.UNDO_RECORDED)],
    deleted=Action.UNDO_RECORDED,
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

EXPORT = Tracked(
    columns=["kind", "format", "query", "options", "rows", "size", "sha256", "finished_at"],
    constant=["person_id", "created_at"],
    ref="'exports/' || {row}.id",
    created=Action.EXPORT_STARTED,
    changed=[("true", Action.EXPORT_FINISHED)],
    deleted=Action.EXPORT_DELETED,
)

BATCH = Tracked(
    columns=["label", "confidence", "reasoning", "query", "stopped", "finished_at"],
    constant=["actor_id", "created_at"],
    ref="'batches/' || {row}.id",
    created=Action.BATCH_STARTED,
    changed=[("true", Action.BATCH_FINISHED)],
    deleted=Action.BATCH_DELETED,
)

# What it does to annotations is in their history; here only forgeries: the app inserts waiting
# items, and settles each once.
BATCH_ITEM = Tracked(
    columns=[],
    constant=["batch_id", "annotation_id", "shown"],
    unexpected=dict.fromkeys(
        ("state", "effect", "problem", "decision_id", "done_at"), "OLD.state <> 'waiting'"
    ),
    unless="TG_OP = 'INSERT' AND (NEW.state, NEW.effect, NEW.problem) = ('waiting', '', '')"
    " AND NEW.decision_id IS NULL",
    ref="'batches/' || {row}.batch_id",
    created=Action.BATCH_CHANGED,
    changed=[("true", Action.BATCH_CHANGED)],
    deleted=Action.BATCH_DELETED,
)

REVERT = Tracked(
    columns=["reason", "query", "stopped", "finished_at"],
    constant=["actor_id", "reverts_id", "batch_id", "created_at"],
    ref="'reverts/' || {row}.id",
    created=Action.REVERT_STARTED,
    changed=[("true", Action.REVERT_FINISHED)],
    deleted=Action.REVERT_DELETED,
)

# What it does to annotations is in their history; here only what people say, and forgeries: the app
# inserts waiting items, and settles each once.
_IS_NEW_ITEM = (
    "TG_OP = 'INSERT' AND (NEW.state, NEW.effect, NEW.problem, NEW.answer)"
    " = ('waiting', '', '', '') AND NEW.replacement_id IS NULL"
)
_IS_SETTLED = "OLD.state <> 'waiting'"
REVERTED_DECISION = Tracked(
    columns=["answer"],
    constant=["revert_id", "decision_id"],
    unexpected={
        **dict.fromkeys(("state", "effect", "problem", "replacement_id", "done_at"), _IS_SETTLED),
        "answered_at": "OLD.answer = NEW.answer",
    },
    unless=_IS_NEW_ITEM,
    ref="'reverts/' || {row}.revert_id",
    created=[("NEW.answer <> ''", Action.REVERT_ANSWERED), ("true", Action.REVERT_CHANGED)],
    changed=[
        ("OLD.answer <> NEW.answer", Action.REVERT_ANSWERED),
        ("true", Action.REVERT_CHANGED),
    ],
    deleted=Action.REVERT_DELETED,
)
