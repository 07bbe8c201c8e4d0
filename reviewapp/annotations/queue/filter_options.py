"""The options of the queue's filters: read with one query, rendered once for each result."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.filters import Age, Band, QueueFilter, Show
from reviewapp.bounded_cache import MIB, bounded_cache
from reviewapp.naming import same_key
from reviewapp.postgres.statement import sql_file
from reviewapp.retrievers.filters import retriever_choices
from reviewapp.retrievers.models import Retriever
from reviewapp.web.filters import MAX_CHOICES, MAX_COMPLETIONS, find_person, with_chosen

_MAX_LABELS = 200
_MAX_SEARCHED_LABELS = 5_000


@dataclass(frozen=True)
class FilterOptions:
    """Retrievers, active people and labels, each list as JSON.

    A retriever is [key, name, retriever_id, gone_at], a person [key, username].
    """

    retrievers: str
    people: str
    labels: str


_OPTIONS = sql_file(__file__, "filter_options.sql", FilterOptions)


def render_filter_fields(filters: QueueFilter) -> SafeString:
    """Render the filter fields with the values of `filters`. One query; the options are current."""
    # The other filters have no field here, and must not create another cache entry.
    relevant = replace(filters, show=Show.WAITING, q="", sort="", problems=())
    return _render(read_options(), relevant)


def labels_like(text: str) -> list[str]:
    """Return the labels that people may mean by `text`: the label itself, if there is one.

    Else those that differ in capitals, spelling or white space only, else those that hold the text,
    of the first `_MAX_SEARCHED_LABELS`. One query.
    """
    options = read_options(max_labels=_MAX_SEARCHED_LABELS)
    labels: list[str] = json.loads(options.labels)
    if text in labels:
        return [text]

    key = same_key(text)
    same = [label for label in labels if same_key(label) == key]
    if same:
        return same
    return [label for label in labels if key in same_key(label)]


def complete_label(text: str) -> list[tuple[str, str]]:
    """Return the choices of the first labels that hold `text` as people type it. One query.

    Those that begin with it come first. They are among the first `_MAX_SEARCHED_LABELS`.
    """
    options = read_options(max_labels=_MAX_SEARCHED_LABELS)
    key = same_key(text)
    labels = [label for label in json.loads(options.labels) if key in same_key(label)]
    labels.sort(key=lambda label: same_key(label).find(key))
    return [(label, label) for label in labels[:MAX_COMPLETIONS]]


def read_options(*, max_labels: int = _MAX_LABELS) -> FilterOptions:
    """Return the options, at most so many labels."""
    (options,) = _OPTIONS.rows(most=MAX_CHOICES, labels=max_labels)
    return options


def _find_retriever(key: str) -> tuple[int, str] | None:
    return Retriever.objects.filter(pk=key).values_list("pk", "name").first()


@bounded_cache(most_bytes=8 * MIB)
def _render(options: FilterOptions, filters: QueueFilter) -> SafeString:
    labels = json.loads(options.labels)
    context = {
        "retrievers": with_chosen(
            retriever_choices(json.loads(options.retrievers)),
            str(filters.retriever or ""),
            _find_retriever,
        ),
        "people": with_chosen(json.loads(options.people), str(filters.reviewer or ""), find_person),
        "labels": labels,
        "has_more_labels": len(labels) >= _MAX_LABELS,
        "bands": Band.choices,
        "ages": Age.choices,
        "statuses": Annotation.Status.choices,
        "chosen": filters,
    }
    html = get_template("annotations/_facets.html").render(context)
    return mark_safe(html)  # noqa: S308 - Jinja2's escaped output
