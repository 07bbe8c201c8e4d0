"""The options of the queue's filters: read with one query, rendered once for each result."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.filters import Band, QueueFilter, Show
from reviewapp.bounded_cache import MIB, bounded_cache
from reviewapp.postgres.statement import sql_file
from reviewapp.retrievers.filters import retriever_choices

_MAX_OPTIONS = 500
_MAX_LABELS = 200


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


def read_options(*, max_labels: int = _MAX_LABELS) -> FilterOptions:
    """Return the options, at most so many labels."""
    (options,) = _OPTIONS.rows(most=_MAX_OPTIONS, labels=max_labels)
    return options


@bounded_cache(most_bytes=8 * MIB)
def _render(options: FilterOptions, filters: QueueFilter) -> SafeString:
    context = {
        "retrievers": retriever_choices(json.loads(options.retrievers)),
        "people": json.loads(options.people),
        "labels": json.loads(options.labels),
        "bands": Band.choices,
        "statuses": Annotation.Status.choices,
        "chosen": filters,
    }
    html = get_template("annotations/_facets.html").render(context)
    return mark_safe(html)  # noqa: S308 - Jinja2's escaped output
