"""Annotations as mirrored here, and what people do with them: decisions, leases, skips, drafts."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from math import ceil

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy

from reviewapp.annotations.fields import FIELDS
from reviewapp.annotations.querysets import (
    ANNOTATED,
    AnnotationQuerySet,
    CountedDecisionQuerySet,
    DecisionQuerySet,
    DraftQuerySet,
    RevertedDecisionQuerySet,
)
from reviewapp.annotations.triggers.counting import (
    DECISION_COUNTED,
    RETRIEVER_COUNTED,
    UNDO_COUNTED,
)
from reviewapp.annotations.triggers.history import (
    ANNOTATION,
    BATCH,
    BATCH_ITEM,
    DECISION,
    EXPORT,
    REVERT,
    REVERTED_DECISION,
    SET_ASIDE,
    UNDO,
)
from reviewapp.annotations.triggers.search import SEARCH
from reviewapp.audit.triggers import CreationTimestamp, Immutable, NeverTruncated
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.health import changes_about
from reviewapp.retrievers.models import Guidelines, LabelSet, Result, Retriever


def seconds_until(moment: datetime | None) -> int:
    """Return the seconds from now to `moment`, rounded up; 0 if it is past, or None."""
    if moment is None:
        return 0
    left = moment - timezone.now()
    return max(0, ceil(left.total_seconds()))


class Annotation(models.Model):
    """The label, confidence, reasoning and payload of a document for one execution.

    `execution_id` tells for which query it was judged, "" if Mixpeek does not tell. `ref` never
    changes. `annotation_id` is None until upstream has one (a result that nobody has annotated).
    The four values, and `metadata`, which only scripts set, are ours: upstream's latest values
    (`upstream`) with our undelivered changes on top.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", gettext_lazy("Waiting")
        DECIDED = "decided", gettext_lazy("Decided")
        UNDECIDABLE = "undecidable", gettext_lazy("Can't tell")
        GONE = "gone", gettext_lazy("Gone upstream")

    ref = models.CharField(max_length=300, unique=True)
    annotation_id = models.CharField(max_length=200, null=True, unique=True)
    document_id = models.CharField(max_length=200)
    collection_id = models.CharField(max_length=200, default="")
    retriever = models.ForeignKey(
        Retriever, null=True, on_delete=models.PROTECT, related_name="annotations", db_index=False
    )
    execution_id = models.CharField(max_length=200, default="")
    stage_name = models.CharField(max_length=200, default="")

    label = models.CharField(max_length=100, default="")
    confidence = models.FloatField(null=True)
    reasoning = models.TextField(default="")
    payload = models.JSONField(default=dict)
    metadata = models.JSONField(null=True)

    version = models.IntegerField(null=True)
    upstream = models.JSONField(default=dict)
    # The machine's values that a decision cleared and Mixpeek still has: `{field: value}`.
    uncleared = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    # Upstream's edits, oldest first, each with the values it replaced (read by `versions.py`).
    revisions = models.JSONField(default=list)
    proposed = models.JSONField(default=dict)
    actor_id = models.CharField(max_length=200, default="")
    actor_type = models.CharField(max_length=40, default="")
    created_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()

    result = models.ForeignKey(
        Result,
        null=True,
        on_delete=models.PROTECT,
        related_name="annotations",
    )
    score = models.FloatField(null=True)
    title = models.CharField(max_length=200, default="")
    excerpt = models.CharField(max_length=300, default="")
    words = models.TextField(default="")

    status = models.CharField(max_length=12, choices=Status.choices, default=Status.WAITING)
    decision = models.ForeignKey("Decision", null=True, on_delete=models.PROTECT, related_name="+")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    decided_at = models.DateTimeField(null=True)

    # Keyset pagination needs a value in every row: without a confidence a row sorts before the
    # least sure, without a score after the least relevant.
    sureness = models.GeneratedField(
        expression=Coalesce(F("confidence"), Value(-1.0)),
        output_field=models.FloatField(),
        db_persist=True,
    )
    relevance = models.GeneratedField(
        expression=Coalesce(F("score"), Value(-1e9)),
        output_field=models.FloatField(),
        db_persist=True,
    )
    # When it was decided, here or by a person upstream; meaningful for decided rows only.
    settled_at = models.GeneratedField(
        expression=Coalesce(F("decided_at"), F("updated_at"), F("seen_at")),
        output_field=models.DateTimeField(),
        db_persist=True,
    )
    # Filled by the trigger `SEARCH`.
    search = SearchVectorField(null=True, editable=False)

    objects = AnnotationQuerySet.as_manager()

    class Meta:
        permissions = [("decide_annotation", "May decide on annotations")]
        indexes = [
            # queue/conditions.py: by age and by sureness, one status, all retrievers or one
            models.Index(fields=["status", "id"], name="annotation_age"),
            models.Index(fields=["status", "sureness", "id"], name="annotation_sureness"),
            models.Index(fields=["retriever", "status", "id"], name="annotation_retriever"),
            models.Index(
                fields=["retriever", "status", "sureness", "id"],
                name="annotation_retriever_sure",
            ),
            # queue/conditions.py: any status, by sureness and by score
            models.Index(fields=["sureness", "id"], name="annotation_any_sureness"),
            models.Index(fields=["relevance", "id"], name="annotation_any_relevance"),
            models.Index(
                fields=["retriever", "status", "relevance", "id"],
                name="annotation_retriever_score",
            ),
            # queue/conditions.py, DECIDED: last decided first
            models.Index(
                fields=["-settled_at", "-id"],
                name="annotation_decided",
                condition=Q(status__in=["decided", "undecidable"]),
            ),
            # queue/conditions.py, DECIDED: by sureness
            models.Index(
                fields=["sureness", "id"],
                name="annotation_decided_sureness",
                condition=Q(status__in=["decided", "undecidable"]),
            ),
            # queue/conditions.py, WAITING: best score first; no decision writes to it
            models.Index(
                fields=["relevance", "id"],
                name="annotation_waiting_score",
                condition=Q(status="waiting"),
            ),
            # queue/conditions.py: one label, by age; filter_options: from one label to the next
            models.Index(fields=["label", "id"], name="annotation_label"),
            # queue/conditions.py: one label, by sureness; its counts are read off the index alone
            models.Index(
                fields=["label", "status", "sureness", "id"],
                name="annotation_label_sureness",
            ),
            # label_buttons.in_use(retriever): from one label to the next
            models.Index(fields=["retriever", "label"], name="annotation_labels"),
            models.Index(fields=["reviewer", "-decided_at", "-id"], name="annotation_reviewer"),
            # queue/conditions.py, DECIDED_BY_PERSON: how many of one label
            models.Index(
                fields=["reviewer", "label"],
                name="annotation_reviewer_label",
                condition=Q(decided_at__isnull=False),
            ),
            # queue/conditions.py, MATCHING_WORDS; each search also reads the pending list, so it is
            # kept small (kB)
            GinIndex(fields=["search"], name="annotation_search", gin_pending_list_limit=64),
            # result_matching.lock(): the annotations of a document
            models.Index(fields=["document_id", "retriever"], name="annotation_document"),
            # waiting_by_age(), and the queue's filter by age; no decision writes to it
            models.Index(
                fields=["created_at"],
                include=["retriever"],
                name="annotation_waiting_since",
                condition=Q(status="waiting"),
            ),
            # annotated(): in the order they came, and their count. list.sql filters by what it
            # includes, so that what a page skips is read off the index alone
            models.Index(
                fields=["id"],
                include=["retriever", "collection_id", "actor_id", "label", "created_at"],
                name="annotation_annotated_list",
                condition=ANNOTATED,
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="once_unannotated",
                fields=["document_id", "retriever", "execution_id"],
                condition=Q(annotation_id__isnull=True),
            ),
            models.UniqueConstraint(
                name="once_unannotated_by_nothing",
                fields=["document_id", "execution_id"],
                condition=Q(annotation_id__isnull=True, retriever__isnull=True),
            ),
            models.CheckConstraint(
                name="confidence_from_0_to_1",
                condition=Q(confidence__isnull=True) | Q(confidence__gte=0, confidence__lte=1),
            ),
        ]
        triggers = [
            ANNOTATION,
            RETRIEVER_COUNTED,
            SEARCH,
            NeverTruncated(),
        ]

    @property
    def label_set(self) -> LabelSet | None:
        """The label set in force for its retriever, None without either."""
        if self.retriever is None:
            return None
        return self.retriever.label_set

    @cached_property
    def changes(self) -> list[Change]:
        """All changes of this annotation, newest first; read once for each object."""
        return changes_about(ref=self.ref)

    def standing_labels(self) -> set[str]:
        """Return its labels here and at Mixpeek, each to be kept to the letter."""
        return {self.label, str(self.upstream.get("label") or "")}

    def values(self) -> dict[str, object]:
        """Return the values people decide on, as JSON can hold them."""
        return {name: getattr(self, name) for name in FIELDS}

    def seen(self, given: Collection[str] = ()) -> dict[str, object]:
        """Return a form's base: the values and the standing decision, as they are rendered.

        `given` names the values that a person gave (`value_authorship.given_by_people`), with
        which the form starts.
        """
        return {**self.values(), "decision": self.decision_id, "given": sorted(given)}


class Decision(models.Model):
    """What one reviewer submitted: the values, the base they saw, the evidence. Never changed.

    `confidence` and `reasoning` are the person's own words, blank where they gave none. If
    `own_words` is false, an older version recorded it, whose form started with the machine's.
    `label_set` and `guidelines` are the retriever's versions that were in force. Its person may
    undo it until `held_until`; `cleared` is what an undo then reinstates:
    `{"aside": {"kind", "reason", "created_at"}, "replaced": [{"change", "state", "reason"}]}`,
    each only if there was any.
    """

    class Outcome(models.TextChoices):
        DECIDED = "decided", gettext_lazy("Decided")
        UNDECIDABLE = "undecidable", gettext_lazy("Can't tell")

    decision_id = models.UUIDField(unique=True)
    annotation = models.ForeignKey(
        Annotation,
        on_delete=models.PROTECT,
        related_name="decisions",
        db_index=False,
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions", db_index=False
    )
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    label = models.CharField(max_length=100)
    confidence = models.FloatField(null=True)
    reasoning = models.TextField()
    payload = models.JSONField()
    own_words = models.BooleanField(default=True, db_default=False)
    base = models.JSONField()
    base_version = models.IntegerField(null=True)
    result = models.ForeignKey(Result, null=True, on_delete=models.PROTECT, related_name="+")
    document_digest = models.CharField(max_length=64, default="")
    retriever_version = models.IntegerField(null=True)
    label_set = models.ForeignKey(LabelSet, null=True, on_delete=models.PROTECT, related_name="+")
    guidelines = models.ForeignKey(
        Guidelines,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    seconds = models.FloatField(null=True)
    held_until = models.DateTimeField(null=True)
    cleared = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        indexes = [
            # The drawer of a person's last decisions
            models.Index(fields=["reviewer", "-id"], name="decision_last_of"),
            # before(decision): what stood before it
            models.Index(fields=["annotation", "-id"], name="decision_about"),
            # between(since, until)
            models.Index(fields=["created_at"], name="decision_at"),
        ]
        triggers = [
            DECISION,
            DECISION_COUNTED,
            Immutable(name="never_changed"),
            CreationTimestamp("created_at"),
            NeverTruncated(),
        ]

    @cached_property
    def change(self) -> Change | None:
        """The change that tells Mixpeek of it; None where there was nothing to tell."""
        return Change.objects.filter(cause=self.decision_id).first()

    def values(self) -> dict[str, object]:
        """Return the decided values by field; the personal ones are the person's own words."""
        return {name: getattr(self, name) for name in FIELDS}

    @property
    def taken_back(self) -> bool:
        """Whether its person undid it."""
        return hasattr(self, "undo")

    @property
    def held_for(self) -> int:
        """The seconds, rounded up, for which it is still held and can be undone; else 0."""
        return seconds_until(self.held_until)

    @property
    def is_revertible(self) -> bool:
        """Whether it can be undone even after it was sent: "can't tell" sets no value."""
        return self.outcome == self.Outcome.UNDECIDABLE


class Undo(models.Model):
    """A decision that was undone; the decision itself is never changed."""

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="undo")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = [
            UNDO,
            UNDO_COUNTED,
            Immutable(name="never_changed"),
            CreationTimestamp("at"),
            NeverTruncated(),
        ]


class CountedDecision(models.Model):
    """What figures count of a decision: a narrow row that triggers keep (`triggers/counting.py`).

    `effect` is an `Outcome` of `decisions/filters.py`. `label_seen` and `confidence_seen` are what
    the person saw, `moved` is by how much they moved the confidence. `version` is the retriever's.
    `delivery` is the state of the decision's change, "" without one. `tenths` is the time of the
    decision and `delivery_tenths` the time until Mixpeek confirmed it, in tenths of a second.

    It can be made anew from the decisions at any time, so it has no history.
    """

    decision = models.OneToOneField(
        Decision, primary_key=True, on_delete=models.PROTECT, related_name="counted"
    )
    created_at = models.DateTimeField()
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    retriever = models.ForeignKey(
        Retriever, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    version = models.IntegerField(null=True)
    effect = models.CharField(max_length=12)
    label_seen = models.TextField(default="")
    label = models.CharField(max_length=100)
    confidence_seen = models.FloatField(null=True)
    moved = models.FloatField(null=True)
    is_on_machines_label = models.BooleanField()
    tenths = models.BigIntegerField(null=True)
    is_undone = models.BooleanField(default=False)
    delivery = models.CharField(max_length=10, default="")
    delivery_tenths = models.BigIntegerField(null=True)

    objects = CountedDecisionQuerySet.as_manager()

    class Meta:
        indexes = [
            # between(since, until): figures of a period
            models.Index(fields=["created_at"], name="counted_at"),
        ]


class Lease(models.Model):
    """Who has an item open, and until when; it expires by itself.

    `is_prefetched`: the holder's page has loaded the item as its next one and does not show it yet.
    Such a lease yields to anybody who opens the item or finds nothing else.
    """

    annotation = models.OneToOneField(Annotation, on_delete=models.CASCADE, related_name="lease")
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    until = models.DateTimeField()
    is_prefetched = models.BooleanField(default=False, db_default=False)

    class Meta:
        indexes = [models.Index(fields=["holder", "until"], name="lease_holder")]


class SetAside(models.Model):
    """One person's skip (for somebody else) or deferral (for later) of an item."""

    class Kind(models.TextChoices):
        SKIPPED = "skipped", gettext_lazy("Skipped")
        DEFERRED = "deferred", gettext_lazy("Deferred")

    annotation = models.ForeignKey(
        Annotation,
        on_delete=models.CASCADE,
        related_name="set_aside",
        db_index=False,
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reason = models.CharField(max_length=500, default="")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["annotation", "person"], name="set_aside_once_each"),
        ]
        indexes = [
            models.Index(fields=["person", "kind", "id"], name="set_aside_by"),
            # last_actions(person): what was set aside last, and whether after a decision
            models.Index(fields=["person", "-created_at"], name="set_aside_last_by"),
        ]
        triggers = [
            SET_ASIDE,
            NeverTruncated(),
        ]


class Draft(models.Model):
    """One person's unsubmitted form about one annotation, private to that person.

    `typed` holds the form's texts, valid or not. `base` is what the person saw when they started,
    and does not change until they submit. `decision_id` is the decision it would become. `edition`
    changes with every save, so that two browsers of one person notice each other.

    Drafts have no history: nothing is decided, nobody else may read them, and a history would keep
    for ever what their writer deleted.
    """

    annotation = models.ForeignKey(
        "annotations.Annotation",
        on_delete=models.CASCADE,
        related_name="drafts",
    )
    # The constraint below begins with the person, and serves as that index too.
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    decision_id = models.UUIDField()
    base = models.JSONField()
    typed = models.JSONField()
    edition = models.UUIDField(default=uuid.uuid4)
    saved_at = models.DateTimeField()

    objects = DraftQuerySet.as_manager()

    class Meta:
        constraints = [
            # of(person), about(annotation): the draft behind a review page; the queue's DRAFTED
            models.UniqueConstraint(fields=["person", "annotation"], name="draft_once_each"),
        ]


class Export(models.Model):
    """A file that somebody took out: what, of which filter, and what the manifest says of it.

    `kind` and `format` are those of `exports/forms.py` and `exports/formats.py`, `query` is the
    filter as a query string. Until the file was read to its end, counts and checksum are blank;
    reading it again sets them anew. `person` is None for the command line.
    """

    kind = models.CharField(max_length=20)
    format = models.CharField(max_length=10)
    query = models.TextField(default="")
    options = models.JSONField(default=dict)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    rows = models.BigIntegerField(null=True)
    size = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, default="")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        triggers = [EXPORT, NeverTruncated()]

    @property
    def filename(self) -> str:
        """The name of the file."""
        return f"{self.kind}-{self.created_at:%Y-%m-%d-%H%M}-{self.pk}.{self.format}"


class Batch(models.Model):
    """Items that a person decides together: the values, and of which filter (`query`).

    A blank `label` leaves each item its own. It is finished when all its items are settled, or
    `stopped` says why it went no further.
    """

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    label = models.CharField(max_length=100, default="")
    confidence = models.FloatField(null=True)
    reasoning = models.TextField(default="")
    query = models.TextField(default="")
    stopped = models.TextField(default="")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # The last batches of a person
            models.Index(fields=["actor", "-id"], name="batch_last_of"),
            # run_unfinished()
            models.Index(
                fields=["id"], name="batch_unfinished", condition=Q(finished_at__isnull=True)
            ),
        ]
        triggers = [BATCH, NeverTruncated()]

    @property
    def request_id(self) -> str:
        """The request id of everything that it does, by which the history groups it."""
        return f"batch-{self.pk}"

    @property
    def note(self) -> str:
        """What the history says of its decisions: nothing, each holds the person's words."""
        return ""


class BatchItem(models.Model):
    """One annotation of a batch and what became of it.

    `shown` stands for what its person was shown (`batches/fingerprints.py`), `effect` is one of
    `batches/plan.py`, `problem` why the values were refused, `decision` the one it made.
    """

    class State(models.TextChoices):
        WAITING = "waiting", gettext_lazy("Waiting")
        DONE = "done", gettext_lazy("Decided")
        SKIPPED = "skipped", gettext_lazy("Skipped")
        FAILED = "failed", gettext_lazy("Refused")

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="items", db_index=False)
    annotation = models.ForeignKey(Annotation, on_delete=models.PROTECT, related_name="+")
    shown = models.CharField(max_length=64)
    decision = models.ForeignKey(
        Decision, null=True, on_delete=models.PROTECT, related_name="batch_items"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    effect = models.CharField(max_length=20, default="")
    problem = models.TextField(default="")
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # The items of a batch, and each annotation once in it.
            models.UniqueConstraint(fields=["batch", "annotation"], name="in_batch_once_each"),
        ]
        indexes = [
            # item_jobs: what is left of a batch
            models.Index(
                fields=["batch", "id"], name="batch_waiting", condition=Q(state="waiting")
            ),
        ]
        triggers = [BATCH_ITEM, NeverTruncated()]


class Revert(models.Model):
    """Decisions that are reverted together: why, and of which filter (`query`).

    It is finished when all its items are settled, or `stopped` says why it went no further.
    `reverts` is the earlier revert that this one takes back, `batch` the batch that it undoes.
    """

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    reason = models.CharField(max_length=500)
    query = models.TextField(default="")
    reverts = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="again")
    batch = models.ForeignKey(Batch, null=True, on_delete=models.PROTECT, related_name="reverts")
    stopped = models.TextField(default="")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # run_unfinished()
            models.Index(
                fields=["id"], name="revert_unfinished", condition=Q(finished_at__isnull=True)
            ),
        ]
        triggers = [REVERT, NeverTruncated()]

    @property
    def request_id(self) -> str:
        """The request id of everything that it does, by which the history groups it."""
        return f"revert-{self.pk}"

    @property
    def note(self) -> str:
        """What the history says of its decisions."""
        return self.reason


class RevertedDecision(models.Model):
    """One decision of a revert and what became of it.

    `effect` is one of `reverts/plan.py`, `problem` why its old values were refused, `replacement`
    the new decision if it made one. Its person may write an `answer`.
    """

    class State(models.TextChoices):
        WAITING = "waiting", gettext_lazy("Waiting")
        DONE = "done", gettext_lazy("Reverted")
        SKIPPED = "skipped", gettext_lazy("Skipped")
        FAILED = "failed", gettext_lazy("Refused")

    revert = models.ForeignKey(
        Revert, on_delete=models.PROTECT, related_name="items", db_index=False
    )
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="reverted_by")
    replacement = models.ForeignKey(
        Decision, null=True, on_delete=models.PROTECT, related_name="replaces"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    effect = models.CharField(max_length=20, default="")
    problem = models.TextField(default="")
    done_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=500, default="")
    answered_at = models.DateTimeField(null=True)

    objects = RevertedDecisionQuerySet.as_manager()

    class Meta:
        constraints = [
            # The items of a revert, and each decision once in it.
            models.UniqueConstraint(fields=["revert", "decision"], name="reverted_once_each"),
        ]
        indexes = [
            # item_jobs: what is left of a revert
            models.Index(
                fields=["revert", "id"], name="reverted_waiting", condition=Q(state="waiting")
            ),
        ]
        triggers = [REVERTED_DECISION, NeverTruncated()]
