"""Queries of annotations, decisions and drafts; `Meta.indexes` names the query of each index."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Func, Q, Value

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.models import Annotation, Decision, Draft

# An annotation in Mixpeek's sense: it has a label, and it is not gone.
ANNOTATED = Q(label__gt="") & ~Q(status="gone")


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    """Annotations; what the queue shows of them is in `queue/conditions.py`."""

    def annotated(self) -> Self:
        """Leave out what is no annotation in Mixpeek's sense: no label yet, or gone upstream."""
        return self.filter(ANNOTATED)

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


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Decisions."""

    def by(self, person_id: int) -> Self:
        """Return a person's decisions, newest first; the index `decision_last_of` serves it."""
        return self.filter(reviewer_id=person_id).order_by("-id")

    def before(self, decision: Decision) -> Self:
        """Return the earlier decisions on the annotation that were not undone, newest first."""
        earlier = self.filter(
            annotation_id=decision.annotation_id,
            pk__lt=decision.pk,
            undo=None,
        )
        return earlier.select_related("reviewer").order_by("-id")


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
