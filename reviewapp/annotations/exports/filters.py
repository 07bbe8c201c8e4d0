"""What an export is about: its kind, and the filter of the page it was taken from."""

from __future__ import annotations

from django.db.models import TextChoices
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviewapp.annotations.decisions.filters import DecisionFilter, DecisionsForm
from reviewapp.audit.filters import EventFilter, HistoryForm
from reviewapp.audit.first_page import filter_choices

# Filters of decisions that say nothing about the current label of an item.
_ABOUT_DECISIONS = (
    "outcome", "standing", "seen", "band", "version", "label_from", "moved", "delivery",
)  # fmt: skip


class ExportKind(TextChoices):
    """What is exported."""

    DECISIONS = "decisions", gettext_lazy("Decisions")
    LABELS = "labels", gettext_lazy("Current labels")
    HISTORY = "history", gettext_lazy("History")


def filter_problems(kind: str, query: str) -> list[str]:
    """Return what is wrong with a filter; nothing for a valid one."""
    form = _filter_form(kind, query)
    problems = [f"{label}: {problem}" for label, problem in form.errors_by_label().items()]
    if kind == ExportKind.LABELS:
        for name in _ABOUT_DECISIONS:
            if form.values().get(name) is not None:
                label = form[name].label
                problems.append(_("Current labels have no filter “%(label)s”.") % {"label": label})
    return problems


def parse_filter(kind: str, query: str) -> DecisionFilter | EventFilter:
    """Return the filter in a query string that has no problems."""
    form = _filter_form(kind, query)
    if isinstance(form, HistoryForm):
        return form.event_filter()
    return form.decision_filter()


def describe_filter(kind: str, query: str) -> list[tuple[str, str]]:
    """Return the parts of a filter for a page: (caption, value)."""
    form = _filter_form(kind, query)
    parts = []
    for name, value in form.values().items():
        titles = dict(getattr(form.fields[name], "choices", ()))
        values = value if isinstance(value, tuple) else (value,)
        text = ", ".join(str(titles.get(str(one), one)) for one in values)
        parts.append((str(form[name].label), text))
    return parts


def _filter_form(kind: str, query: str) -> DecisionsForm | HistoryForm:
    data = QueryDict(query)
    if kind == ExportKind.HISTORY:
        return HistoryForm(data, choices=filter_choices())
    return DecisionsForm(data)
