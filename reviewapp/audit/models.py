"""One table of events, written by the database and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Func, Q

from reviewapp.audit.actions import OF_PEOPLE, Origin
from reviewapp.audit.querysets import EventQuerySet
from reviewapp.audit.triggers import Immutable, NeverTruncated

# The search covers what people wrote, but not what machines pass to each other (whole payloads,
# pipelines, the three sides of a conflict). A search vector holds 1 MB at most, and no event may
# fail to be written because of its size.
_UNSEARCHED = "{payload,fields,theirs,merged,raced,stages,input_schema,inputs}"
_WORDS = (
    "(to_tsvector('simple', left(note, 20000) || ' ' || actor_name || ' '"
    " || translate(ref, '/', ' '))"
    f" || CASE WHEN octet_length((changes - '{_UNSEARCHED}'::text[])::text) < 200000"
    f" THEN to_tsvector('simple', changes - '{_UNSEARCHED}'::text[]) ELSE '' END)"
)


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as the `.sql` files of the history select it; `changes` is a Python value."""

    id: int
    at: datetime
    actor_id: int | None
    actor_name: str
    action: str
    ref: str
    retriever_id: str
    origin: str
    request_id: str
    changes: Any
    note: str


class Event(models.Model):
    """One thing that happened to one ref.

    It holds names as they were then and no foreign keys, so it outlives the actor and the ref.
    `changes` is `{field: [old, new]}`. Newest first is by `at`, then by `id`, which orders what one
    transaction did within the same microsecond.
    """

    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150)
    # One of `Action`, whose sentences are no part of the database.
    action = models.CharField(max_length=40)
    ref = models.CharField(max_length=300)
    retriever_id = models.CharField(max_length=200, default="")
    origin = models.CharField(max_length=10, choices=Origin.choices)
    request_id = models.CharField(max_length=64, default="")
    changes = models.JSONField(default=dict)
    note = models.TextField(default="")

    label_from = models.GeneratedField(
        expression=Func(template="(changes #>> '{label,0}')", output_field=models.TextField()),
        output_field=models.TextField(),
        db_persist=True,
        null=True,
    )
    label_to = models.GeneratedField(
        expression=Func(template="(changes #>> '{label,1}')", output_field=models.TextField()),
        output_field=models.TextField(),
        db_persist=True,
        null=True,
    )
    words = models.GeneratedField(
        expression=Func(template=_WORDS, output_field=SearchVectorField()),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            # newest(), between(since, until): the history page without and with a span of time
            models.Index(fields=["-at", "-id"], name="event_newest"),
            # newest_page(people): the history page as it opens
            models.Index(
                fields=["-at", "-id"],
                name="event_by_people",
                condition=Q(origin__in=OF_PEOPLE),
            ),
            # about(refs), by(person), doing(action), around(retriever), each newest first
            models.Index(fields=["ref", "-at", "-id"], name="event_about"),
            models.Index(fields=["actor_id", "-at", "-id"], name="event_by"),
            models.Index(fields=["action", "-at", "-id"], name="event_doing"),
            models.Index(fields=["retriever_id", "-at", "-id"], name="event_around"),
            # relabelled(old, new)
            models.Index(
                fields=["label_from", "-at", "-id"],
                name="event_label_from",
                condition=Q(label_from__isnull=False),
            ),
            models.Index(
                fields=["label_to", "-at", "-id"],
                name="event_label_to",
                condition=Q(label_to__isnull=False),
            ),
            # mentioning(words)
            models.Index(fields=["request_id"], name="event_request"),
            GinIndex(fields=["words"], name="event_words"),
        ]
        triggers = [Immutable(name="append_only"), NeverTruncated()]
