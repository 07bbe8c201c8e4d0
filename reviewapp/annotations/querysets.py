"""Named questions about annotations and decisions, each with an index that `Meta` names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db import models
from django.db.models import Case, Exists, F, Func, OuterRef, Q, Subquery, Value, When
from django.db.models.fields.json import KT

from reviewapp.outbox.models import Change

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.models import Annotation, Decision, Draft

# What Mixpeek would call an annotation: it has a label, and it is not gone.
ANNOTATED = Q(label__gt="") & ~Q(status="gone")

# What a line of the queue's list shows, and the columns that lists are ordered by.
_LISTED = (
    "id", "title", "excerpt", "document_id", "score", "label", "confidence", "status", "decided_at", "created_at",
    "retriever__name", "reviewer__username", "lease__until", "lease__holder_id", "lease__holder__username",
    "delivery", "machine_label", "sureness", "relevance", "settled_at",
)  # fmt: skip


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    """Annotations, as the queue asks for them."""

    def annotated(self) -> Self:
        """Return what Mixpeek would call annotations: not results that nobody has annotated, nor what is gone."""
        return self.filter(ANNOTATED)

    def waiting(self) -> Self:
        """Return those nobody has decided yet."""
        return self.filter(status="waiting")

    def decided(self) -> Self:
        """Return those somebody has decided, here or upstream, also those nobody could tell."""
        return self.filter(status__in=["decided", "undecidable"])

    def decided_by(self, person: User) -> Self:
        """Return those whose standing decision is this person's, also when they are gone since."""
        return self.filter(reviewer=person, decided_at__isnull=False)

    def deferred_by(self, person: User) -> Self:
        """Return those this person has put off until later."""
        return self.filter(set_aside__person=person, set_aside__kind="deferred")

    def drafted_by(self, person: User) -> Self:
        """Return those this person has begun to decide and not submitted."""
        return self.filter(drafts__person=person)

    def not_set_aside_by(self, person: User) -> Self:
        """Leave out what this person has skipped or deferred."""
        return self.exclude(set_aside__person=person)

    def not_held_by_others(self, person: User, now: datetime) -> Self:
        """Leave out what somebody else has open now."""
        return self.filter(Q(lease=None) | Q(lease__until__lte=now) | Q(lease__holder=person))

    def held_by_others(self, person: User, now: datetime) -> Self:
        """Return what somebody else has open now."""
        return self.filter(lease__until__gt=now).exclude(lease__holder=person)

    def in_trouble(self) -> Self:
        """Return those with a change that waits for a person: a conflict or a refusal."""
        return self.filter(Exists(Change.objects.attention().filter(ref=OuterRef("ref"))))

    def undelivered(self) -> Self:
        """Return those with a change that Mixpeek has not taken yet."""
        return self.filter(Exists(Change.objects.filter(ref=OuterRef("ref"), state="queued")))

    def searching(self, words: str, *, opening: bool = False) -> Self:
        """Return those whose words match, in the syntax of web search (quotes, or, minus).

        `opening` has the database open each row in question, and never ask the index of words.
        """
        return self.filter(matches(words) if opening else _matching(words))

    def keyed(self, keys: str) -> Self:
        """Return those with these keys, which are written one after the other with commas between."""
        return self.filter(_Among(F("pk"), Value(keys)))

    def for_list(self) -> models.QuerySet[Annotation, Any]:
        """Return rows of only what one line of a list shows, and what it is ordered by."""
        last = Change.objects.filter(ref=OuterRef("ref")).order_by("-id").values("state")[:1]
        shown = self.annotate(delivery=Subquery(last), machine_label=KT("proposed__label"))
        return shown.values_list(*_LISTED, named=True)

    def by_ref(self, refs: Iterable[str]) -> dict[str, Annotation]:
        """Return the annotations that these refs name, by ref."""
        return {row.ref: row for row in self.filter(ref__in=set(refs))}

    def with_evidence(self) -> Self:
        """Return them with the results they were judged by, and without what only searches need."""
        return self.select_related("result__execution__retriever").defer("words", "search")


def matches(words: str) -> Case:
    """Return whether a row's words match: an expression that no index serves."""
    return Case(When(_matching(words), then=True), default=False)


def _matching(words: str) -> Q:
    return Q(search=SearchQuery(words, config="simple", search_type="websearch"))


class _Among(Func):
    """Whether a key is among keys written one after the other: one text, however many they are."""

    template = "%(expressions)s, ',')::bigint[])"
    arg_joiner = " = ANY(string_to_array("
    output_field = models.BooleanField()


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Decisions."""

    def last_of(self, person: User) -> Self:
        """Return a person's decisions, newest first."""
        return self.filter(reviewer=person).order_by("-id")

    def keyed(self, keys: str) -> Self:
        """Return the decisions with these keys, which are written one after the other with commas between."""
        return self.filter(_Among(F("pk"), Value(keys)))

    def before(self, decision: Decision) -> Self:
        """Return the earlier decisions on the same annotation that nobody took back, newest first."""
        earlier = self.filter(annotation_id=decision.annotation_id, pk__lt=decision.pk, undo=None)
        return earlier.select_related("reviewer").order_by("-id")


class DraftQuerySet(models.QuerySet["Draft"]):
    """Drafts; who asks for one always says whose."""

    def of(self, person: User) -> Self:
        """Return a person's own drafts."""
        return self.filter(person=person)

    def about(self, annotation_id: int) -> Self:
        """Return the drafts about one annotation."""
        return self.filter(annotation_id=annotation_id)

    def settled_by(self, decision_id: UUID, edition: UUID | None) -> Self:
        """Return what this decision is the end of: the draft that became it, or the one its writer had before them."""
        return self.filter(Q(decision_id=decision_id) | Q(edition=edition))

    def older_than(self, when: datetime) -> Self:
        """Return those not touched since then; read once a night, so no index is kept up for it."""
        return self.filter(saved_at__lt=when)
