"""Filters of decisions: read from the query string, and written back into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django import forms
from django.db.models import TextChoices
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviewapp.annotations.mirror.refs import matching_refs
from reviewapp.annotations.models import Annotation, CountedDecision, Decision
from reviewapp.audit.registry import MAX_MATCHING_REFS
from reviewapp.outbox.models import Change
from reviewapp.retrievers.filters import offered_retrievers
from reviewapp.web.filters import (
    Choice,
    Choices,
    Filter,
    TimeSpanForm,
    offered_people,
)

if TYPE_CHECKING:
    from reviewapp.annotations.querysets import (
        AnnotationQuerySet,
        CountedDecisionQuerySet,
        DecisionQuerySet,
    )

# As the retriever of a filter: decisions about items that belong to none.
NO_RETRIEVER = "none"


class Outcome(TextChoices):
    """What a decision did to the label that its person saw.

    A decision that gives another label corrects an earlier decision if there was one in force, and
    relabels otherwise.
    """

    CONFIRMED = "confirmed", gettext_lazy("Confirmed")
    RELABELLED = "relabelled", gettext_lazy("Relabelled")
    CORRECTED = "corrected", gettext_lazy("Corrected")
    UNDECIDABLE = "undecidable", gettext_lazy("Can't tell")


class Standing(TextChoices):
    """What became of a decision since."""

    IN_FORCE = "in_force", gettext_lazy("In force")
    REPLACED = "replaced", gettext_lazy("No longer in force")
    UNDONE = "undone", gettext_lazy("Undone")
    NOT_UNDONE = "not_undone", gettext_lazy("Not undone")


class Seen(TextChoices):
    """Whose label the person saw."""

    MACHINE = "machine", gettext_lazy("The machine's")


class ConfidenceBand(TextChoices):
    """The confidence that the person saw, in tenths; each band excludes its upper bound but 1."""

    NONE = "none", gettext_lazy("No confidence")
    B0 = "0", gettext_lazy("Below 0.1")
    B1 = "1", gettext_lazy("0.1 to below 0.2")
    B2 = "2", gettext_lazy("0.2 to below 0.3")
    B3 = "3", gettext_lazy("0.3 to below 0.4")
    B4 = "4", gettext_lazy("0.4 to below 0.5")
    B5 = "5", gettext_lazy("0.5 to below 0.6")
    B6 = "6", gettext_lazy("0.6 to below 0.7")
    B7 = "7", gettext_lazy("0.7 to below 0.8")
    B8 = "8", gettext_lazy("0.8 to below 0.9")
    B9 = "9", gettext_lazy("0.9 and above")


@dataclass(frozen=True, kw_only=True)
class DecisionFilter(Filter):
    """A filter of decisions; every field that is set narrows it.

    `person` holds the keys of people, of whom any may have decided. `label_from` is the label that
    they saw, `band` the `ConfidenceBand` of the confidence that they saw. `retriever` is an id of
    Mixpeek's, or `NO_RETRIEVER`, and `version` one of its versions. `moved` is the least distance,
    from 0 to 1, between the confidence that they saw and the one they gave. `delivery` is a state
    of `Change`. `since` is inclusive, `until` exclusive.
    """

    person: tuple[str, ...] = ()
    outcome: str = ""
    standing: str = ""
    seen: str = ""
    band: str = ""
    retriever: str = ""
    version: int | None = None
    label_from: str = ""
    label_to: str = ""
    moved: float | None = None
    delivery: str = ""
    since: datetime | None = None
    until: datetime | None = None
    q: str = ""

    def decisions(self) -> DecisionQuerySet:
        """Return the matching decisions, unordered."""
        decisions = Decision.objects.between(self.since, self.until)
        if self.person:
            decisions = decisions.by_any_of(map(int, self.person))
        if self.outcome:
            decisions = decisions.with_outcome(self.outcome)
        if self.standing:
            decisions = decisions.with_standing(self.standing)
        if self.seen == Seen.MACHINE:
            decisions = decisions.on_machines_label()
        if self.band:
            decisions = decisions.in_band(self._band)
        if self.retriever:
            decisions = decisions.filter(annotation__retriever__retriever_id=self._retriever_id)
        if self.version is not None:
            decisions = decisions.filter(retriever_version=self.version)
        if self.label_from:
            decisions = decisions.filter(base__label=self.label_from)
        if self.label_to:
            decisions = decisions.filter(label=self.label_to, outcome=Decision.Outcome.DECIDED)
        if self.moved is not None:
            decisions = decisions.moving_confidence(self.moved)
        if self.delivery:
            decisions = decisions.delivered_as(self.delivery)
        if self.q:
            refs = matching_refs(self.q, MAX_MATCHING_REFS)
            decisions = decisions.filter(annotation__ref__in=refs)
        return decisions

    def counted(self) -> CountedDecisionQuerySet:
        """Return what figures count of the matching decisions, unordered."""
        counted = CountedDecision.objects.between(self.since, self.until)
        if self.person:
            counted = counted.filter(reviewer_id__in=set(map(int, self.person)))
        if self.outcome:
            counted = counted.filter(effect=self.outcome)
        if self.standing:
            counted = counted.with_standing(self.standing)
        if self.seen == Seen.MACHINE:
            counted = counted.filter(is_on_machines_label=True)
        if self.band:
            counted = counted.in_band(self._band)
        if self.retriever:
            counted = counted.filter(retriever__retriever_id=self._retriever_id)
        if self.version is not None:
            counted = counted.filter(version=self.version)
        if self.label_from:
            counted = counted.filter(label_seen=self.label_from)
        if self.label_to:
            counted = counted.filter(label=self.label_to).exclude(effect=Outcome.UNDECIDABLE)
        if self.moved is not None:
            counted = counted.filter(moved__gte=self.moved)
        if self.delivery:
            counted = counted.filter(delivery=self.delivery)
        if self.q:
            refs = matching_refs(self.q, MAX_MATCHING_REFS)
            counted = counted.filter(decision__annotation__ref__in=refs)
        return counted

    def annotations(self) -> AnnotationQuerySet:
        """Return the annotations with a current label that match, unordered.

        `since` and `until` are about the time of the standing decision. Other fields are about
        decisions and narrow nothing here.
        """
        annotations = Annotation.objects.annotated().decided_between(self.since, self.until)
        if self.person:
            annotations = annotations.filter(reviewer_id__in=set(map(int, self.person)))
        if self.retriever:
            annotations = annotations.filter(retriever__retriever_id=self._retriever_id)
        if self.label_to:
            annotations = annotations.filter(label=self.label_to)
        if self.q:
            annotations = annotations.filter(ref__in=matching_refs(self.q, MAX_MATCHING_REFS))
        return annotations

    @property
    def _band(self) -> int | None:
        """The tenths of the confidence seen, None for no confidence."""
        return None if self.band == ConfidenceBand.NONE else int(self.band)

    @property
    def _retriever_id(self) -> str | None:
        """Mixpeek's id of the retriever, None for items that belong to none."""
        return None if self.retriever == NO_RETRIEVER else self.retriever


class DecisionsForm(TimeSpanForm):
    """The filters of the page of decisions."""

    q = forms.CharField(
        label=gettext_lazy("Search titles, texts and ids"), max_length=200, required=False
    )
    person = Choices(label=gettext_lazy("People"))
    outcome = Choice(
        label=gettext_lazy("Outcome"),
        choices=[("", gettext_lazy("Any outcome")), *Outcome.choices],
    )
    standing = Choice(
        label=gettext_lazy("State"),
        choices=[("", gettext_lazy("Any state")), *Standing.choices],
    )
    seen = Choice(
        label=gettext_lazy("Label seen"),
        choices=[("", gettext_lazy("Any label")), *Seen.choices],
    )
    retriever = Choice(label=gettext_lazy("Retriever"))
    band = Choice(
        label=gettext_lazy("Confidence seen"),
        choices=[("", gettext_lazy("Any confidence")), *ConfidenceBand.choices],
    )
    version = forms.IntegerField(
        label=gettext_lazy("Retriever version"),
        min_value=1,
        max_value=2**31 - 1,
        required=False,
    )
    delivery = Choice(
        label=gettext_lazy("Delivery"),
        choices=[("", gettext_lazy("Any delivery")), *Change.State.choices],
    )
    label_from = forms.CharField(
        label=gettext_lazy("Label before"), max_length=100, required=False, strip=False
    )
    label_to = forms.CharField(
        label=gettext_lazy("Label after"), max_length=100, required=False, strip=False
    )
    moved = forms.FloatField(
        label=gettext_lazy("Confidence moved by at least"),
        min_value=0,
        max_value=1,
        required=False,
    )

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.set_choices("person", offered_people(data.getlist("person")))
        choices = offered_retrievers(data.get("retriever", ""))
        none = (NO_RETRIEVER, _("Without a retriever"))
        self.set_choices("retriever", [("", _("Any retriever")), *choices, none])

    def decision_filter(self) -> DecisionFilter:
        """Return the filter, once the form is valid."""
        return DecisionFilter(**self.values())
