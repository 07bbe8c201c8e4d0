"""What the queue's filters can be set to, drawn: asked with one question each time, rendered once for each answer."""

from __future__ import annotations

import json
from dataclasses import replace

from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.filters import Band, QueueFilter, Show
from reviewapp.asked import rows
from reviewapp.bounded_cache import MIB, bounded_cache

_MOST, _MOST_LABELS = 500, 200

# Labels by jumping from one to the next along the index `annotation_label`: the cost is that of the labels.
_OFFERED = """
WITH RECURSIVE one AS (
    (SELECT label FROM annotations_annotation WHERE label > '' ORDER BY label LIMIT 1)
    UNION ALL
    SELECT (SELECT a.label FROM annotations_annotation a WHERE a.label > one.label ORDER BY a.label LIMIT 1)
    FROM one WHERE one.label IS NOT NULL
)
SELECT
    (SELECT coalesce(json_agg(json_build_array(id, name)), '[]')::text
     FROM (SELECT id, name FROM retrievers_retriever ORDER BY name, id LIMIT %(most)s) retriever),
    (SELECT coalesce(json_agg(json_build_array(id, username)), '[]')::text
     FROM (SELECT id, username FROM accounts_user WHERE is_active ORDER BY username LIMIT %(most)s) person),
    (SELECT coalesce(json_agg(label), '[]')::text
     FROM (SELECT label FROM one WHERE label IS NOT NULL LIMIT %(labels)s) label)
"""


def facets(chosen: QueueFilter) -> SafeString:
    """Return the fields that narrow the queue, set as `chosen` is. One query; nothing in them is ever stale."""
    # The rest of the filter shows elsewhere, and must not make another drawing of the same fields.
    return _drawn(offered(), replace(chosen, show=Show.WAITING, q="", sort="", problems=()))


def offered(*, most_labels: int = _MOST_LABELS) -> tuple[str, str, str]:
    """Return the retrievers, the people who may sign in (pairs of key and name) and the labels in use, each as JSON."""
    ((retrievers, people, labels),) = rows(_OFFERED, {"most": _MOST, "labels": most_labels})
    return retrievers, people, labels


@bounded_cache(most_bytes=8 * MIB)
def _drawn(found: tuple[str, str, str], chosen: QueueFilter) -> SafeString:
    retrievers, people, labels = map(json.loads, found)
    seen = {
        "retrievers": retrievers,
        "people": people,
        "labels": labels,
        "bands": Band.choices,
        "statuses": Annotation.Status.choices,
        "chosen": chosen,
    }
    return mark_safe(get_template("annotations/_facets.html").render(seen))  # noqa: S308 - Django's escaped output
