"""The filters of the queue: parsed from the query string of a page, and written back into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviewapp.annotations.models import Annotation
from reviewapp.bounded_cache import MIB, bounded_cache
from reviewapp.web.filters import NOT_A_PARAMETER, Filter, FilterForm

_MAX_KEY = 2**63 - 1
_CHOICE_ERRORS = {"invalid_choice": gettext_lazy("There is no “%(value)s”.")}


class Show(TextChoices):
    """The parts of the queue, one chip each."""

    WAITING = "waiting", gettext_lazy("Waiting")
    MINE = "mine", gettext_lazy("Mine")
    DEFERRED = "deferred", gettext_lazy("Deferred")
    DRAFTS = "drafts", gettext_lazy("Drafts")
    DECIDED = "decided", gettext_lazy("Decided")
    CONFLICT = "conflict", gettext_lazy("Conflict")
    UNDELIVERED = "undelivered", gettext_lazy("Not yet delivered")
    ALL = "all", gettext_lazy("All")


class Band(TextChoices):
    """Confidence bands; each includes its lower bound and excludes its upper one."""

    NONE = "none", gettext_lazy("No confidence")
    LOW = "low", gettext_lazy("Below 0.5")
    MIDDLE = "middle", gettext_lazy("0.5 to below 0.8")
    HIGH = "high", gettext_lazy("0.8 and above")


class Age(TextChoices):
    """How long ago Mixpeek got the annotation; a result that nobody annotated has no such time."""

    DAY = "day", gettext_lazy("Under a day")
    WEEK = "week", gettext_lazy("1 to 7 days")
    MONTH = "month", gettext_lazy("7 to 30 days")
    OLDER = "older", gettext_lazy("30 days and more")
    UNKNOWN = "unknown", gettext_lazy("Not annotated at Mixpeek")


class Sort(TextChoices):
    """Orders, each with an index. An item may arrive here long after its birth."""

    LEAST_SURE = "least-sure", gettext_lazy("Least sure first")
    MOST_SURE = "most-sure", gettext_lazy("Most sure first")
    NEWEST = "newest", gettext_lazy("Last arrived first")
    OLDEST = "oldest", gettext_lazy("First arrived first")
    SCORE = "score", gettext_lazy("Best score first")
    DECIDED = "decided", gettext_lazy("Last decided first")


ORDERS: dict[Sort, tuple[str, ...]] = {
    Sort.LEAST_SURE: ("sureness", "id"),
    Sort.MOST_SURE: ("-sureness", "-id"),
    Sort.NEWEST: ("-id",),
    Sort.OLDEST: ("id",),
    Sort.SCORE: ("-relevance", "-id"),
    Sort.DECIDED: ("-settled_at", "-id"),
}
# Only in these does every row have a time of decision to sort by.
SHOWS_WITH_DECISIONS = frozenset({Show.MINE, Show.DECIDED})


def _default_sort(show: Show) -> Sort:
    return Sort.DECIDED if show in SHOWS_WITH_DECISIONS else Sort.LEAST_SURE


class QueueFilterForm(FilterForm):
    """The filters of a query string."""

    show = forms.ChoiceField(
        label=gettext_lazy("Part of the queue"),
        choices=Show.choices,
        required=False,
        error_messages=_CHOICE_ERRORS,
    )
    q = forms.CharField(label=gettext_lazy("Search"), max_length=200, required=False)
    retriever = forms.IntegerField(min_value=1, max_value=_MAX_KEY, required=False)
    # To the letter: Mixpeek's labels may end in a space.
    label = forms.CharField(max_length=100, required=False, strip=False)
    status = forms.ChoiceField(
        choices=Annotation.Status.choices,
        required=False,
        error_messages=_CHOICE_ERRORS,
    )
    reviewer = forms.IntegerField(min_value=1, max_value=_MAX_KEY, required=False)
    band = forms.ChoiceField(
        label=gettext_lazy("Confidence"),
        choices=Band.choices,
        required=False,
        error_messages=_CHOICE_ERRORS,
    )
    age = forms.ChoiceField(
        label=gettext_lazy("Age"),
        choices=Age.choices,
        required=False,
        error_messages=_CHOICE_ERRORS,
    )
    sort = forms.ChoiceField(
        label=gettext_lazy("Order"),
        choices=Sort.choices,
        required=False,
        error_messages=_CHOICE_ERRORS,
    )

    def clean(self) -> dict[str, Any]:
        """Reject the order by decision where there are no decisions."""
        cleaned = self.cleaned_data
        has_decisions = cleaned.get("show") in SHOWS_WITH_DECISIONS
        if cleaned.get("sort") == Sort.DECIDED and not has_decisions:
            self.add_error("sort", _("Only Mine and Decided can be sorted by decision."))
        return cleaned


@dataclass(frozen=True, kw_only=True)
class QueueFilter(Filter):
    """Filters of the queue; `problems` are messages about values that were ignored."""

    show: Show = Show.WAITING
    q: str = ""
    retriever: int | None = None
    label: str = ""
    status: str = ""
    reviewer: int | None = None
    band: str = ""
    age: str = ""
    sort: str = ""
    problems: tuple[str, ...] = field(default=(), metadata=NOT_A_PARAMETER)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> QueueFilter:
        """Parse filters from `request.GET`; bad values are left out and named in `problems`."""
        values = [(name, str(data.get(name) or "")) for name in QueueFilterForm.base_fields]
        return _parse(tuple(values))

    @property
    def active_sort(self) -> Sort:
        """The sort in force: the requested one, else the default."""
        return Sort(self.sort) if self.sort else self.default_sort

    @property
    def default_sort(self) -> Sort:
        """The sort of this part of the queue if no other is requested."""
        return _default_sort(self.show)

    @property
    def available_sorts(self) -> list[Sort]:
        """The sorts that this part of the queue can have."""
        if self.show in SHOWS_WITH_DECISIONS:
            return list(Sort)
        return [sort for sort in Sort if sort != Sort.DECIDED]

    @property
    def order(self) -> tuple[str, ...]:
        """The ordering columns: none of them is null, and the last one is unique."""
        if self.show == Show.MINE and self.active_sort == Sort.DECIDED:
            return ("-decided_at", "-id")
        return ORDERS[self.active_sort]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the chip leaves rows out."""
        return self != QueueFilter(show=self.show, sort=self.sort, problems=self.problems)

    def showing(self, show: Show) -> QueueFilter:
        """Return the same filters for another chip, without a sort that it cannot have."""
        sort = self.sort
        if sort == Sort.DECIDED and show not in SHOWS_WITH_DECISIONS:
            sort = ""
        return replace(self, show=show, sort=sort, problems=())


# Every page of the queue calls this, mostly with the same few filters.
@bounded_cache(most_bytes=4 * MIB)
def _parse(data: tuple[tuple[str, str], ...]) -> QueueFilter:
    form = QueueFilterForm(dict(data))
    values = form.values()
    show = Show(values.pop("show", Show.WAITING))
    if values.get("sort") == _default_sort(show):
        del values["sort"]

    problems = []
    for label, error in form.errors_by_label().items():
        problems.append(
            _("The filter “%(label)s” was ignored: %(error)s") % {"label": label, "error": error}
        )
    return QueueFilter(**values, show=show, problems=tuple(problems))
