"""What figures are about: the filters of decisions, a breakdown, and the reader's time zone."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy

from reviewapp.annotations.decisions.filters import DecisionFilter, DecisionsForm, Standing
from reviewapp.annotations.figures.periods import Periods, divide
from reviewapp.web.filters import Choice, ZoneField


class Breakdown(TextChoices):
    """By what the decisions of a period are told apart."""

    OUTCOME = "outcome", gettext_lazy("Outcome")
    PERSON = "person", gettext_lazy("Person")
    RETRIEVER = "retriever", gettext_lazy("Retriever")
    LABEL = "label", gettext_lazy("Label decided")


class FiguresForm(DecisionsForm):
    """The filters of decisions, `by` what they are told apart, and the `zone` of the days.

    Undone decisions are left out unless another state is chosen.
    """

    by = Choice(label=gettext_lazy("By"), choices=Breakdown.choices)
    zone = ZoneField()

    def clean_standing(self) -> str:
        """Return the state, by default all that were not undone."""
        return self.cleaned_data["standing"] or Standing.NOT_UNDONE.value

    def decision_filter(self) -> DecisionFilter:
        """Return the filter, once the form is valid."""
        values = self.values()
        for name in ("by", "zone"):
            values.pop(name, None)
        return DecisionFilter(**values)

    def periods(self, *, now: datetime, earliest: datetime | None) -> Periods:
        """Return the periods of its span (`periods.divide`), once the form is valid."""
        values = self.values()
        since, until = values.get("since"), values.get("until")
        return divide(since, until, self.time_zone, now=now, earliest=earliest)

    @property
    def narrows_more(self) -> bool:
        """Whether a filter is set that the page folds away."""
        folded = (
            "q", "outcome", "seen", "band", "version", "delivery", "label_from", "label_to", "moved",
        )  # fmt: skip
        is_set = any(self[name].value() for name in folded)
        return is_set or self["standing"].value() not in {None, "", Standing.NOT_UNDONE}

    @property
    def breakdown(self) -> Breakdown:
        """By what the decisions are told apart, once the form is valid."""
        return Breakdown(self.cleaned_data["by"] or Breakdown.OUTCOME)

    @property
    def time_zone(self) -> ZoneInfo:
        """The zone of the days, once the form is valid."""
        return ZoneInfo(self.cleaned_data["zone"])
