"""Queries of annotations, decisions and drafts; `Meta.indexes` names the query of each index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    Value,
    When,
)
from django.db.models.fields.json import KT, KeyTextTransform
from django.db.models.functions import Abs, Cast, Floor
from django.db.models.lookups import Exact

from reviewapp.outbox.models import Change

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.models import (
        Annotation,
        CountedDecision,
        Decision,
        Draft,
        RevertedDecision,
    )

# An annotation in Mixpeek's sense: it has a label, and it is not gone.
ANNOTATED = Q(label__gt="") & ~Q(status="gone")


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    """Annotations; what the queue shows of them is in `queue/conditions.py`."""

    def annotated(self) -> Self:
        """Leave out what is no annotation in Mixpeek's sense: no label yet, or gone upstream."""
        return self.filter(ANNOTATED)

    def decided_between(self, since: datetime | None, until: datetime | None) -> Self:
        """Return those decided from `since` to `until` (exclusive); None is unbounded."""
        span: dict[str, datetime] = {}
        if since is not None:
            span["decided_at__gte"] = since
        if until is not None:
            span["decided_at__lt"] = until
        return self.filter(**span)

    def by_ref(self, refs: Iterable[str]) -> dict[str, Annotation]:
        """Return the annotations with these refs, by ref."""
        annotations = self.filter(ref__in=set(refs))
        return {annotation.ref: annotation for annotation in annotations}

    def with_evidence(self) -> Self:
        """Join the results they were judged by, and defer the columns that only searches need."""
        return self.select_related("result__execution__retriever").defer("words", "search")


class _IsAmong(Func):
    """Whether a key is in a comma-separated text: one SQL parameter for any number of keys."""

    template = "%(expressions)s, ',')::bigint[])"
    arg_joiner = " = ANY(string_to_array("
    output_field = models.BooleanField()


# The confidence that a decision's person saw; null if there was none.
_CONFIDENCE_SEEN = Case(
    When(
        Q(Exact(Func("base__confidence", function="jsonb_typeof"), Value("number"))),
        then=Cast(KT("base__confidence"), models.FloatField()),
    )
)

# The tenths of `confidence_seen`, the last of which ends with 1; null if there was none.
_BAND = Case(
    When(confidence_seen__gte=0.9, then=Value(9)),
    default=Cast(Floor(F("confidence_seen") * 10), models.IntegerField()),
    output_field=models.IntegerField(),
)

# Nobody had decided the item that the decision's person saw.
_IS_FIRST = Q(base__decision=None) | ~Q(base__has_key="decision")

# What a decision did to the label that its person saw (`filters.Outcome`).
_EFFECT = Case(
    When(outcome="undecidable", then=Value("undecidable")),
    When(Q(Exact(F("label"), KT("base__label"))), then=Value("confirmed")),
    When(_IS_FIRST, then=Value("relabelled")),
    default=Value("corrected"),
    output_field=models.CharField(),
)


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Decisions."""

    def by(self, person_id: int) -> Self:
        """Return a person's decisions, newest first; the index `decision_last_of` serves it."""
        return self.filter(reviewer_id=person_id).order_by("-id")

    def by_any_of(self, person_ids: Iterable[int]) -> Self:
        """Return the decisions of these people."""
        return self.filter(reviewer_id__in=set(person_ids))

    def between(self, since: datetime | None, until: datetime | None) -> Self:
        """Return those from `since` (inclusive) to `until` (exclusive); None is unbounded."""
        span: dict[str, datetime] = {}
        if since is not None:
            span["created_at__gte"] = since
        if until is not None:
            span["created_at__lt"] = until
        return self.filter(**span)

    def with_outcome(self, outcome: str) -> Self:
        """Return those that did this to the label that their person saw (`filters.Outcome`)."""
        return self.alias(effect=_EFFECT).filter(effect=outcome)

    def with_standing(self, standing: str) -> Self:
        """Return those that are in force, replaced, undone or not (`filters.Standing`)."""
        if standing == "undone":
            return self.filter(undo__isnull=False)
        if standing == "not_undone":
            return self.filter(undo=None)
        if standing == "in_force":
            return self.filter(annotation__decision_id=F("id"))
        replaced = ~Q(annotation__decision_id=F("id")) | Q(annotation__decision_id=None)
        return self.filter(replaced, undo=None)

    def on_machines_label(self) -> Self:
        """Return those whose person saw the label that the machine proposed, undecided as yet."""
        seen = self.alias(
            label_seen=KT("base__label"), proposed=KeyTextTransform("label", "annotation__proposed")
        )
        return seen.filter(_IS_FIRST, proposed=F("label_seen"), label_seen__gt="")

    def moving_confidence(self, least: float) -> Self:
        """Return those that moved the confidence that their person saw by `least` or more."""
        moved = Abs(F("confidence") - _CONFIDENCE_SEEN)
        return self.alias(moved=moved).filter(moved__gte=least)

    def delivered_as(self, state: str) -> Self:
        """Return those whose change is in this state."""
        changes = Change.objects.filter(cause=OuterRef("decision_id"), state=state)
        return self.filter(Exists(changes))

    def in_band(self, band: int | None) -> Self:
        """Return those whose person saw a confidence of so many tenths, None for no confidence.

        The last band, 9, ends with 1.
        """
        seen = self.alias(confidence_seen=_CONFIDENCE_SEEN)
        return seen.alias(band=_BAND).filter(band=band)

    def listed(self) -> Self:
        """Join what a list shows of each, and leave out the values of its annotation."""
        shown = self.select_related("annotation__retriever", "reviewer", "undo")
        return shown.prefetch_related("label_set").only(
            "decision_id", "outcome", "label", "confidence", "reasoning", "base", "seconds",
            "created_at", "label_set", "reviewer__username", "undo__at",
            "annotation__title", "annotation__document_id", "annotation__decision",
            "annotation__retriever__name",
        )  # fmt: skip

    def before(self, decision: Decision) -> Self:
        """Return the earlier decisions on the annotation that were not undone, newest first."""
        earlier = self.filter(
            annotation_id=decision.annotation_id,
            pk__lt=decision.pk,
            undo=None,
        )
        return earlier.select_related("reviewer").order_by("-id")


class CountedDecisionQuerySet(models.QuerySet["CountedDecision"]):
    """What figures count of decisions; `DecisionFilter.counted` applies the filters."""

    def between(self, since: datetime | None, until: datetime | None) -> Self:
        """Return those from `since` (inclusive) to `until` (exclusive); None is unbounded."""
        span: dict[str, datetime] = {}
        if since is not None:
            span["created_at__gte"] = since
        if until is not None:
            span["created_at__lt"] = until
        return self.filter(**span)

    def with_standing(self, standing: str) -> Self:
        """Return those that are in force, replaced, undone or not (`filters.Standing`)."""
        if standing == "undone":
            return self.filter(is_undone=True)
        if standing == "not_undone":
            return self.filter(is_undone=False)
        is_in_force = Q(decision__annotation__decision_id=F("decision_id"))
        if standing == "in_force":
            return self.filter(is_in_force)
        replaced = ~is_in_force | Q(decision__annotation__decision_id=None)
        return self.filter(replaced, is_undone=False)

    def by_period(self, starts: Sequence[datetime]) -> Self:
        """Annotate each with its `period`: how many of these instants, which ascend, it is after.

        An instant itself counts.
        """
        instants = Cast(Value(list(starts)), ArrayField(models.DateTimeField()))
        period = Func(F("created_at"), instants, function="width_bucket")
        return self.annotate(period=Cast(period, models.IntegerField()))

    def with_decided_label(self) -> Self:
        """Annotate each with its `decided_label`, "" if its person could not tell."""
        cannot_tell = When(effect="undecidable", then=Value(""))
        decided_label = Case(cannot_tell, default=F("label"), output_field=models.CharField())
        return self.annotate(decided_label=decided_label)

    def with_band(self) -> Self:
        """Annotate each with its `band`: tenths of the confidence seen, the last one up to 1."""
        return self.annotate(band=_BAND)

    def in_band(self, band: int | None) -> Self:
        """Return those of this band (`with_band`), None for no confidence."""
        return self.alias(band=_BAND).filter(band=band)

    def counted_by(self, *by: str) -> Any:
        """Return how many there are for each value of the fields `by`: those, and `total`."""
        return self.order_by().values(*by).annotate(total=Count("pk"))

    def tallied(self, *by: str) -> Any:
        """Return, for each value of the fields `by`, how many there are of each outcome.

        The keys are those fields, the outcomes of `filters.Outcome`, and `total`, which is the sum.
        """
        counts = {}
        for effect in ("confirmed", "relabelled", "corrected", "undecidable"):
            counts[effect] = Count("pk", filter=Q(effect=effect))
        return self.counted_by(*by).annotate(**counts)

    def tallied_by_delivery(self, *by: str) -> Any:
        """Return, for each value of the fields `by`, how many are in each state of delivery."""
        counts = {}
        for state in Change.State.values:
            counts[state] = Count("pk", filter=Q(delivery=state))
        return self.counted_by(*by).annotate(**counts)


class DraftQuerySet(models.QuerySet["Draft"]):
    """Drafts, which are private: every query but `older_than` names the person."""

    def of(self, person: User) -> Self:
        """Return a person's own drafts."""
        return self.filter(person=person)

    def about(self, annotation_id: int) -> Self:
        """Return the drafts about one annotation."""
        return self.filter(annotation_id=annotation_id)

    def older_than(self, when: datetime) -> Self:
        """Return those saved before `when`; read once a night, so there is no index for it."""
        return self.filter(saved_at__lt=when)


class RevertedDecisionQuerySet(models.QuerySet["RevertedDecision"]):
    """Decisions that were reverted, mostly by leads."""

    def of_person(self, person_id: int) -> Self:
        """Return what was reverted of a person's decisions, newest first.

        Without the batches that they undid themselves.
        """
        done = self.filter(decision__reviewer_id=person_id, state="done")
        done = done.exclude(revert__batch__isnull=False, revert__actor_id=person_id)
        return done.select_related("decision__annotation", "revert__actor").order_by("-pk")
