"""One table of events, written by the database and never changed."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from reviewapp.audit.actions import Action, Origin
from reviewapp.audit.queries import EventQuerySet
from reviewapp.audit.tracking import NeverTruncated


class Event(models.Model):
    """One thing that happened to one ref: names as they were then, no foreign keys, so it outlives both."""

    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=40, choices=Action.choices)
    ref = models.CharField(max_length=300)
    retriever_id = models.CharField(max_length=200, default="")
    origin = models.CharField(max_length=10, choices=Origin.choices)
    request_id = models.CharField(max_length=64, default="")
    changes = models.JSONField(default=dict)
    note = models.TextField(default="")

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            # about(ref): the timeline of one thing
            models.Index(fields=["ref", "-id"], name="event_about"),
            # by(person), doing(action), around(retriever): one filter of the history page, newest first
            models.Index(fields=["actor_id", "-id"], name="event_by"),
            models.Index(fields=["action", "-id"], name="event_doing"),
            models.Index(fields=["retriever_id", "-id"], name="event_around"),
            # between(since, until): events arrive in order of time, so a BRIN-like range on `at` stays small
            models.Index(fields=["at"], name="event_between"),
            # relabelled(old, new): containment in the diff
            GinIndex(fields=["changes"], name="event_changes", opclasses=["jsonb_path_ops"]),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            NeverTruncated(),
        ]
