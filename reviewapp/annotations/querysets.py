"""Queries of annotations, decisions and drafts; `Meta.indexes` names the query of each index."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.search import SearchQuery
from django.db import models
from django.db.models import Case, Exists, F, Func, OuterRef, Q, Subquery, Value, When
from django.db.models.fields.json import KT

from reviewapp.outbox.models import Change

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.models import Annotation, Decision, Draft

# An annotation in Mixpeek's sense: it has a label, and it is not gone.
ANNOTATED = Q(label__gt="") & ~Q(status="gone")

# The columns that a row of the queue shows, and those it is ordered by.
_LIST_COLUMNS = (
    "id",
    "title",
    "excerpt",
    "document_id",
    "score",
    "label",
    "confidence",
    "status",
    "decided_at",
    "created_at",
    "retriever__name",
    "reviewer__username",
    "lease__until",
    "lease__holder_id",
    "lease__holder__username",
    "delivery",
    "machine_label",
    "sureness",
    "relevance",
    "settled_at",
)


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    """Annotations, mostly as the queue reads them."""

    def annotated(self) -> Self:
        """Leave out what is no annotation in Mixpeek's sense: no label yet, or gone upstream."""
        return self.filter(ANNOTATED)

    def waiting(self) -> Self:
        """Return those that nobody has decided yet."""
        return self.filter(status="waiting")

    def decided(self) -> Self:
        """Return those decided by a person, here or upstream, or marked as "can't tell"."""
        return self.filter(status__in=["decided", "undecidable"])

    def decided_by(self, person: User) -> Self:
        """Return those whose standing decision is this person's, also those gone since."""
        return self.filter(reviewer=person, decided_at__isnull=False)

    def deferred_by(self, person: User) -> Self:
        """Return those this person has put off until later."""
        return self.filter(set_aside__person=person, set_aside__kind="deferred")

    def drafted_by(self, person: User) -> Self:
        """Return those with an unsubmitted draft of this person."""
        return self.filter(drafts__person=person)

    def not_set_aside_by(self, person: User) -> Self:
        """Leave out what this person has skipped or deferred."""
        return self.exclude(set_aside__person=person)

    def not_held_by_others(self, person: User, now: datetime) -> Self:
        """Leave out what somebody else has a lease on now."""
        return self.filter(Q(lease=None) | Q(lease__until__lte=now) | Q(lease__holder=person))

    def held_by_others(self, person: User, now: datetime) -> Self:
        """Return what somebody else has a lease on now."""
        return self.filter(lease__until__gt=now).exclude(lease__holder=person)

    def needing_attention(self) -> Self:
        """Return those with a change in conflict or refused."""
        return self.filter(Exists(Change.objects.attention().filter(ref=OuterRef("ref"))))

    def undelivered(self) -> Self:
        """Return those with a queued change."""
        return self.filter(Exists(Change.objects.filter(ref=OuterRef("ref"), state="queued")))

    def searching(self, words: str, *, opening: bool = False) -> Self:
        """Return those that match `words`, in web search syntax (quotes, or, minus).

        With `opening` the database reads each candidate row instead of using the search index.
        """
        condition: Case | Q = matches(words) if opening else _matching(words)
        return self.filter(condition)

    def keyed(self, keys: str) -> Self:
        """Return those with these primary keys, given as comma-separated text."""
        return self.filter(_IsAmong(F("pk"), Value(keys)))

    def for_list(self) -> models.QuerySet[Annotation, Any]:
        """Return named tuples of what a row of the queue shows and is ordered by."""
        changes = Change.objects.filter(ref=OuterRef("ref")).order_by("-id")
        newest_state = Subquery(changes.values("state")[:1])
        annotated = self.annotate(delivery=newest_state, machine_label=KT("proposed__label"))
        return annotated.values_list(*_LIST_COLUMNS, named=True)

    def by_ref(self, refs: Iterable[str]) -> dict[str, Annotation]:
        """Return the annotations with these refs, by ref."""
        annotations = self.filter(ref__in=set(refs))
        return {annotation.ref: annotation for annotation in annotations}

    def with_evidence(self) -> Self:
        """Join the results they were judged by, and defer the columns that only searches need."""
        return self.select_related("result__execution__retriever").defer("words", "search")


def matches(words: str) -> Case:
    """Return an expression for whether a row matches `words`; it uses no index."""
    return Case(When(_matching(words), then=True), default=False)


def _matching(words: str) -> Q:
    return Q(search=SearchQuery(words, config="simple", search_type="websearch"))


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
