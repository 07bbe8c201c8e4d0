"""Mirrors of retrievers and their executions, and the results that people review."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from reviewapp.audit.actions import Action
from reviewapp.audit.triggers import CreationTimestamp, Immutable, NeverTruncated, Tracked
from reviewapp.naming import same_key
from reviewapp.ref import Ref, RefKind
from reviewapp.retrievers.documents.layout import text_leaves
from reviewapp.retrievers.guidance.form_settings import SETTINGS, FormSettings, Required, StartsFrom
from reviewapp.retrievers.querysets import ExecutionQuerySet, ResultQuerySet, RetrieverQuerySet

# For `Tracked`: the upstream id of the retriever that a row's foreign key names.
RETRIEVER_ID = (
    "(SELECT r.retriever_id FROM public.retrievers_retriever r WHERE r.id = {row}.retriever_id)"
)


class Retriever(models.Model):
    """A saved retrieval pipeline upstream; `name`, `description` and `tags` can be edited here.

    These three are upstream's last values (`upstream`) with our own undelivered changes on top.
    `label_set` and `guidelines` are local: the versions in force, None where there never was one.
    """

    retriever_id = models.CharField(max_length=200, unique=True)
    name = models.TextField()
    description = models.TextField(default="")
    tags = models.JSONField(default=list)
    stages = models.JSONField(default=list)
    input_schema = models.JSONField(default=dict)
    collection_ids = models.JSONField(default=list)
    budget_limits = models.JSONField(default=dict)
    upstream = models.JSONField(default=dict)
    label_set = models.ForeignKey("LabelSet", null=True, on_delete=models.PROTECT, related_name="+")
    guidelines = models.ForeignKey(
        "Guidelines",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)

    objects = RetrieverQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        permissions = [("run_retriever", "May run a retriever")]
        triggers = [
            Tracked(
                columns=[
                    "name",
                    "description",
                    "tags",
                    "stages",
                    "input_schema",
                    "collection_ids",
                    "gone_at",
                ],
                constant=["retriever_id", "budget_limits"],
                # A newly set version is the newest one, and has its own event.
                unexpected={
                    "label_set_id": "NEW.label_set_id IS DISTINCT FROM"
                    " (SELECT max(s.id) FROM public.retrievers_labelset s WHERE s.retriever_id "
                    "= NEW.id)",
                    "guidelines_id": "NEW.guidelines_id IS DISTINCT FROM"
                    " (SELECT max(g.id) FROM public.retrievers_guidelines g WHERE "
                    "g.retriever_id = NEW.id)",
                },
                ref="'retrievers/' || {row}.retriever_id",
                retriever="{row}.retriever_id",
                created=Action.RETRIEVER_CREATED,
                changed=[
                    ("OLD.gone_at IS NULL AND NEW.gone_at IS NOT NULL", Action.RETRIEVER_GONE),
                    ("OLD.name <> NEW.name", Action.RETRIEVER_RENAMED),
                    ("OLD.tags <> NEW.tags", Action.RETRIEVER_RETAGGED),
                    ("OLD.description <> NEW.description", Action.RETRIEVER_REDESCRIBED),
                    ("true", Action.RETRIEVER_REBUILT),
                ],
                deleted=Action.RETRIEVER_DELETED,
            ),
            NeverTruncated(),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def ref(self) -> str:
        """The name of this retriever in the lower layers."""
        return str(Ref(RefKind.RETRIEVER, self.retriever_id))

    @property
    def is_published(self) -> bool:
        """Whether it is published upstream: on a public page, or in the marketplace."""
        return UpstreamRetriever.objects.filter(retriever=self, body__is_published=True).exists()

    def values(self) -> dict[str, Any]:
        """Return the editable fields as JSON values; a form carries them as its base."""
        return {"name": self.name, "description": self.description, "tags": self.tags}


class UpstreamRetriever(models.Model):
    """A retriever as Mixpeek sent it last, including the fields that have no column here.

    It is a separate table because it may be large (`display_config` holds icons) and most pages
    read retrievers.
    """

    retriever = models.OneToOneField(
        Retriever,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    body = models.JSONField(default=dict)


class LabelSet(models.Model):
    """One version of the labels that reviewers choose from, in order; never changed afterwards.

    `labels` is a list of `{"value", "title", "description", "colour"}` (see `labels.py`), empty to
    offer the labels in use. Without `other_allowed` no other label can be decided on. The other
    fields are settings of the decision form (see `form_settings.py`).
    """

    retriever = models.ForeignKey(
        Retriever,
        on_delete=models.PROTECT,
        related_name="label_sets",
        db_index=False,
    )
    version = models.IntegerField()
    labels = models.JSONField()
    other_allowed = models.BooleanField(default=True)
    starts_from = models.CharField(
        max_length=20, choices=StartsFrom, default=StartsFrom.MACHINE, db_default=StartsFrom.MACHINE
    )
    reasoning_required = models.CharField(
        max_length=20, choices=Required, default=Required.NEVER, db_default=Required.NEVER
    )
    confidence_required = models.CharField(
        max_length=20, choices=Required, default=Required.NEVER, db_default=Required.NEVER
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["retriever", "version"], name="label_set_version"),
        ]
        triggers = [
            Immutable(name="never_changed"),
            CreationTimestamp("created_at"),
            NeverTruncated(),
            # Rows are only ever inserted.
            Tracked(
                columns=["version", "labels", "other_allowed", *SETTINGS],
                ref=f"'retrievers/' || {RETRIEVER_ID}",
                retriever=RETRIEVER_ID,
                created=Action.LABELS_SET,
                changed=[("true", Action.LABELS_SET)],
                deleted=Action.LABELS_SET,
            ),
        ]

    @property
    def settings(self) -> FormSettings:
        """The settings of the decision form."""
        columns = {name: getattr(self, name) for name in SETTINGS}
        return FormSettings.read(columns)

    def values(self) -> list[str]:
        """Return the values of the labels, in their order."""
        return [label["value"] for label in self.labels]

    def allows(self, label: str) -> bool:
        """Return whether this label can be decided on."""
        return self.other_allowed or not self.labels or label in self.values()

    def spelled(self, label: str) -> str:
        """Return `label` as the set spells it, itself if the set has none like it."""
        values = self.values()
        if label in values:
            return label
        key = same_key(label)
        return next((value for value in values if same_key(value) == key), label)


class Guidelines(models.Model):
    """One version of a retriever's guidelines, in Markdown; never changed afterwards."""

    retriever = models.ForeignKey(
        Retriever,
        on_delete=models.PROTECT,
        related_name="guideline_texts",
        db_index=False,
    )
    version = models.IntegerField()
    text = models.TextField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["retriever", "version"], name="guidelines_version"),
        ]
        triggers = [
            Immutable(name="never_changed"),
            CreationTimestamp("created_at"),
            NeverTruncated(),
            # Rows are only ever inserted.
            Tracked(
                columns=["version", "text"],
                ref=f"'retrievers/' || {RETRIEVER_ID}",
                retriever=RETRIEVER_ID,
                created=Action.GUIDELINES_WRITTEN,
                changed=[("true", Action.GUIDELINES_WRITTEN)],
                deleted=Action.GUIDELINES_WRITTEN,
            ),
        ]


class Execution(models.Model):
    """One run of a retriever with its inputs; upstream forgets the rows, so they are kept here.

    `execution_id` is empty until upstream has answered a run that was requested here. `status` is
    `requested` until then, and upstream's (`completed`, `failed`, `degraded`, ...) afterwards;
    `gone` when an annotation names a run that upstream no longer has.
    """

    REQUESTED = "requested"
    GONE = "gone"

    retriever = models.ForeignKey(
        Retriever,
        on_delete=models.PROTECT,
        related_name="executions",
        db_index=False,
    )
    execution_id = models.CharField(max_length=200, null=True, unique=True)
    inputs = models.JSONField(default=dict)
    status = models.CharField(max_length=40, default=REQUESTED)
    error = models.TextField(default="")
    warnings = models.JSONField(default=list)
    degraded = models.JSONField(default=list)
    total_returned = models.IntegerField(null=True)
    duration_ms = models.FloatField(null=True)
    query_summary = models.TextField(default="")
    requested_by = models.CharField(max_length=150, default="")
    retriever_version = models.IntegerField(null=True)
    created_at = models.DateTimeField()
    # When a worker started it. It is sent only once, because every run costs credits.
    claimed_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        indexes = [
            # of(retriever): its executions, newest first
            models.Index(fields=["retriever", "-created_at", "-id"], name="execution_of"),
            # requested(): runs that the worker still has to make
            models.Index(
                fields=["id"],
                name="execution_requested",
                condition=Q(status="requested"),
            ),
        ]
        triggers = [
            Tracked(
                columns=["execution_id", "inputs", "status", "error", "total_returned"],
                constant=["retriever_id", "requested_by"],
                ref=f"'retrievers/' || {RETRIEVER_ID}",
                retriever=RETRIEVER_ID,
                created=[
                    ("NEW.status = 'requested'", Action.EXECUTION_REQUESTED),
                    ("true", Action.EXECUTION_SETTLED),
                ],
                changed=[("true", Action.EXECUTION_SETTLED)],
                deleted=Action.EXECUTION_DELETED,
            ),
            NeverTruncated(),
        ]

    @property
    def asked(self) -> list[tuple[str, str]]:
        """The inputs as text, as (path, value)."""
        return list(text_leaves(self.inputs))

    @property
    def query(self) -> dict[str, Any]:
        """The inputs by name, else Mixpeek's summary of them; {} where neither is known."""
        if not self.inputs and self.query_summary:
            return {"Query": self.query_summary}
        inputs: dict[str, Any] = self.inputs
        return inputs

    @property
    def in_one_line(self) -> str:
        """The inputs in one line: those that differ from the retriever's defaults, else all.

        Without inputs it is Mixpeek's summary of them, which may be "".
        """
        schema = self.retriever.input_schema
        non_default = {}
        for name, value in self.inputs.items():
            declaration = schema.get(name)
            default = declaration.get("default") if isinstance(declaration, dict) else None
            if value != default:
                non_default[name] = value

        parts = []
        for path, text in text_leaves(non_default or self.inputs):
            if text:
                parts.append(f"{path}: {text}")
        return ", ".join(parts) or self.query_summary

    @property
    def is_gone(self) -> bool:
        """Whether an annotation names a run that upstream no longer has."""
        return self.status == self.GONE

    @property
    def is_pending(self) -> bool:
        """Whether a worker or Mixpeek still has to finish it."""
        return self.status in {self.REQUESTED, "pending", "processing", "running", "queued"}


class UpstreamExecution(models.Model):
    """Mixpeek's whole answers about a run, without documents; {} where there was no such answer.

    `summary` is its row in the list of runs, `reply` the answer to the run request, `detail` the
    answer to a read of it.
    """

    execution = models.OneToOneField(
        Execution,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    summary = models.JSONField(default=dict)
    reply = models.JSONField(default=dict)
    detail = models.JSONField(default=dict)


class Result(models.Model):
    """One document as it was shown: its rank and score in an execution, a snapshot, and its digest.

    A document that was pulled for an annotation of unknown origin has no execution, rank or score.
    `digest` is the SHA-256 (hex) of the snapshot's canonical JSON; a snapshot never holds a
    presigned URL. Never changed afterwards.
    """

    retriever = models.ForeignKey(
        Retriever,
        null=True,
        on_delete=models.PROTECT,
        related_name="results",
    )
    execution = models.ForeignKey(
        Execution, null=True, on_delete=models.PROTECT, related_name="results", db_index=False
    )
    document_id = models.CharField(max_length=200)
    collection_id = models.CharField(max_length=200, default="")
    rank = models.IntegerField(null=True)
    score = models.FloatField(null=True)
    snapshot = models.JSONField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ResultQuerySet.as_manager()

    class Meta:
        indexes = [
            # the newest and the other results of a document
            models.Index(fields=["document_id", "-id"], name="result_of_document"),
            models.Index(fields=["execution", "rank", "id"], name="result_of_execution"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["execution", "document_id"],
                name="once_per_execution",
                condition=Q(execution__isnull=False),
            ),
        ]
        triggers = [
            Immutable(name="never_changed"),
            CreationTimestamp("created_at"),
            NeverTruncated(),
        ]


class MissingDocument(models.Model):
    """A document that is not here, and what Mixpeek last answered when a pull requested it.

    `problem` says why its answer could not be used, "" if Mixpeek has no document with this id.
    The row is deleted when the document has come.
    """

    document_id = models.CharField(max_length=200, unique=True)
    problem = models.TextField(default="")
    requested_at = models.DateTimeField()
