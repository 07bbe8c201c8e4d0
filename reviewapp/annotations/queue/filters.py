"""What a person asked the queue for, read from the address of the page and written back into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils.http import urlencode

from reviewapp.annotations.models import Annotation
from reviewapp.bounded_cache import MIB, bounded_cache

_MOST_KEY = 2**63 - 1
_UNKNOWN = {"invalid_choice": "There is no “%(value)s”."}


class Show(TextChoices):
    """Which part of the queue; one chip each."""

    WAITING = "waiting", "Waiting"
    MINE = "mine", "Mine"
    DEFERRED = "deferred", "Deferred"
    DRAFTS = "drafts", "Drafts"
    DECIDED = "decided", "Decided"
    CONFLICT = "conflict", "Conflict"
    UNDELIVERED = "undelivered", "Not yet delivered"
    ALL = "all", "All"


class Band(TextChoices):
    """Confidence bands: from the first bound up to, and without, the next."""

    NONE = "none", "No confidence"
    LOW = "low", "Below 0.5"
    MIDDLE = "middle", "0.5 to below 0.8"
    HIGH = "high", "0.8 and above"


class Sort(TextChoices):
    """Orders, each with an index."""

    LEAST_SURE = "least-sure", "Least sure first"
    MOST_SURE = "most-sure", "Most sure first"
    NEWEST = "newest", "Newest first"
    OLDEST = "oldest", "Oldest first"
    SCORE = "score", "Best score first"
    DECIDED = "decided", "Last decided first"


ORDERS: dict[Sort, tuple[str, ...]] = {
    Sort.LEAST_SURE: ("sureness", "id"),
    Sort.MOST_SURE: ("-sureness", "-id"),
    Sort.NEWEST: ("-id",),
    Sort.OLDEST: ("id",),
    Sort.SCORE: ("-relevance", "-id"),
    Sort.DECIDED: ("-settled_at", "-id"),
}
# Only here does every row have a time of decision to sort by.
HAVE_A_DECISION = frozenset({Show.MINE, Show.DECIDED})


def _natural(show: Show) -> Sort:
    return Sort.DECIDED if show in HAVE_A_DECISION else Sort.LEAST_SURE


class FilterForm(forms.Form):
    """The filters as they arrive; each is judged alone, so that one bad value spoils no other."""

    show = forms.ChoiceField(label="Part of the queue", choices=Show.choices, required=False, error_messages=_UNKNOWN)
    q = forms.CharField(label="Search", max_length=200, required=False)
    retriever = forms.IntegerField(min_value=1, max_value=_MOST_KEY, required=False)
    label = forms.CharField(max_length=100, required=False)
    status = forms.ChoiceField(choices=Annotation.Status.choices, required=False, error_messages=_UNKNOWN)
    reviewer = forms.IntegerField(min_value=1, max_value=_MOST_KEY, required=False)
    band = forms.ChoiceField(label="Confidence", choices=Band.choices, required=False, error_messages=_UNKNOWN)
    sort = forms.ChoiceField(label="Order", choices=Sort.choices, required=False, error_messages=_UNKNOWN)

    def clean(self) -> dict[str, Any]:
        """Refuse an order by decision where there are none."""
        cleaned = self.cleaned_data
        if cleaned.get("sort") == Sort.DECIDED and cleaned.get("show") not in HAVE_A_DECISION:
            self.add_error("sort", "Only Mine and Decided can be ordered by decision.")
        return cleaned


@dataclass(frozen=True, kw_only=True)
class QueueFilter:
    """Filters of the queue page; `problems` says, for a person, which values of the address were ignored."""

    show: Show = Show.WAITING
    q: str = ""
    retriever: int | None = None
    label: str = ""
    status: str = ""
    reviewer: int | None = None
    band: str = ""
    sort: str = ""
    problems: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> QueueFilter:
        """Read filters from `request.GET`; bad values are left out and named in `problems`."""
        return _read(tuple((name, str(data.get(name) or "")) for name in FilterForm.base_fields))

    @property
    def sorting(self) -> Sort:
        """Return the order in force: the one asked for, else the natural one of what is shown."""
        return Sort(self.sort) if self.sort else self.natural

    @property
    def natural(self) -> Sort:
        """Return the order of what is shown when nobody asks for another."""
        return _natural(self.show)

    @property
    def sortings(self) -> list[Sort]:
        """Return the orders that what is shown can have."""
        return [sort for sort in Sort if sort != Sort.DECIDED or self.show in HAVE_A_DECISION]

    @property
    def order(self) -> tuple[str, ...]:
        """Return the ordering columns, none of them null, the last one unique."""
        if self.show == Show.MINE and self.sorting == Sort.DECIDED:
            return ("-decided_at", "-id")
        return ORDERS[self.sorting]

    @property
    def narrowed(self) -> bool:
        """Return whether anything but the chip and the order leaves rows out."""
        return self != QueueFilter(show=self.show, sort=self.sort, problems=self.problems)

    def querystring(self, **changes: Any) -> str:
        """Return `?...` for these filters with `changes`, or "" when there is nothing to say."""
        said = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "problems"} | changes
        if said["show"] == Show.WAITING:
            del said["show"]
        pairs = {name: str(value) for name, value in said.items() if value}
        return f"?{urlencode(pairs)}" if pairs else ""

    def showing(self, show: Show) -> QueueFilter:
        """Return the same filters for another chip; an order that it cannot have is dropped."""
        keeps = self.sort != Sort.DECIDED or show in HAVE_A_DECISION
        return replace(self, show=show, sort=self.sort if keeps else "", problems=())


# Asked by every page of the queue, mostly for the same few filters.
@bounded_cache(most_bytes=4 * MIB)
def _read(said: tuple[tuple[str, str], ...]) -> QueueFilter:
    form = FilterForm(dict(said))
    form.is_valid()
    found = {name: value for name, value in form.cleaned_data.items() if value not in {"", None}}
    problems = tuple(
        f"{form[name].label} was ignored: {' '.join(map(str, errors))}" for name, errors in form.errors.items()
    )
    show = Show(found.pop("show", Show.WAITING))
    if found.get("sort") == _natural(show):
        del found["sort"]
    return QueueFilter(**found, show=show, problems=problems)
