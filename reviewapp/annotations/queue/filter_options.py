"""The options of the queue's filters: read with one query, rendered once for each result."""

from __future__ import annotations

import json
from dataclasses import replace

from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.filters import Band, QueueFilter, Show
from reviewapp.asked import rows
from reviewapp.bounded_cache import MIB, bounded_cache

_MAX_OPTIONS = 500
_MAX_LABELS = 200

# Jump from one label to the next along the index `annotation_label`: the cost depends on the number
# of labels, not of annotations.
_OPTIONS = """
WITH RECURSIVE one AS (
    (SELECT label FROM annotations_annotation WHERE label > '' ORDER BY label LIMIT 1)
    UNION ALL
    SELECT (SELECT a.label FROM annotations_annotation a WHERE a.label > one.label
            ORDER BY a.label LIMIT 1)
    FROM one WHERE one.label IS NOT NULL
)
SELECT
    (SELECT coalesce(json_agg(json_build_array(id, name)), '[]')::text
     FROM (SELECT id, name FROM retrievers_retriever
           ORDER BY name, id LIMIT %(most)s) retriever),
    (SELECT coalesce(json_agg(json_build_array(id, username)), '[]')::text
     FROM (SELECT id, username FROM accounts_user WHERE is_active
           ORDER BY username LIMIT %(most)s) person),
    (SELECT coalesce(json_agg(label), '[]')::text
     FROM (SELECT label FROM one WHERE label IS NOT NULL LIMIT %(labels)s) label)
"""


def render_filter_fields(filters: QueueFilter) -> SafeString:
    """Render the filter fields with the values of `filters`. One query; the options are current."""
    # The other filters have no field here, and must not create another cache entry.
    relevant = replace(filters, show=Show.WAITING, q="", sort="", problems=())
    return _render(read_options(), relevant)


def read_options(*, max_labels: int = _MAX_LABELS) -> tuple[str, str, str]:
    """Return the retrievers and active people (pairs of key and name) and the labels, as JSON."""
    params = {"most": _MAX_OPTIONS, "labels": max_labels}
    ((retrievers, people, labels),) = rows(_OPTIONS, params)
    return retrievers, people, labels


@bounded_cache(most_bytes=8 * MIB)
def _render(options: tuple[str, str, str], filters: QueueFilter) -> SafeString:
    retrievers, people, labels = options
    context = {
        "retrievers": json.loads(retrievers),
        "people": json.loads(people),
        "labels": json.loads(labels),
        "bands": Band.choices,
        "statuses": Annotation.Status.choices,
        "chosen": filters,
    }
    html = get_template("annotations/_facets.html").render(context)
    return mark_safe(html)  # noqa: S308 - Jinja2's escaped output
