"""Where an unfinished pull stands, and what we have heard from Mixpeek but not looked at yet."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone


class PullPass(models.Model):
    """The one walk through upstream's lists that is under way, or was when its process died.

    `skip` is how far into the list of annotations it got in this round; whatever the mirror has not seen since
    `started_at` when the walk is complete is asked for by itself.
    """

    class Phase(models.TextChoices):
        RETRIEVERS = "retrievers", "retrievers"
        EXECUTIONS = "executions", "executions"
        ANNOTATIONS = "annotations", "annotations"
        MISSING = "missing", "annotations that did not show up"
        DOCUMENTS = "documents", "documents"

    id = models.SmallIntegerField(primary_key=True, default=1)
    started_at = models.DateTimeField()
    phase = models.CharField(max_length=12, choices=Phase.choices, default=Phase.RETRIEVERS)
    skip = models.IntegerField(default=0)
    round = models.SmallIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(name="only_one_pull_pass", condition=Q(id=1))]


class Notification(models.Model):
    """A webhook's delivery, as it came; kept for some days, so that the same one again is known.

    `key` is the event's own id or, without one, the digest of the body. What asks us to look at nothing is `ignored`.
    """

    key = models.CharField(max_length=210, unique=True)
    event_type = models.CharField(max_length=100, default="")
    annotation_id = models.CharField(max_length=200, default="")
    ignored = models.BooleanField(default=False)
    body = models.BinaryField()
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        # forget(): what is older than so many days
        indexes = [models.Index(fields=["received_at"], name="notification_age")]


class Hint(models.Model):
    """An annotation that is said to have changed upstream and is to be read again; one row, however often it is said.

    Claiming moves `due` forward; the row goes when the annotation was read and nobody spoke of it meanwhile
    (`heard` counts how often somebody did).
    """

    class Source(models.TextChoices):
        WEBHOOK = "webhook", "Webhook"
        FEED = "feed", "Change feed"

    annotation_id = models.CharField(max_length=200, unique=True)
    source = models.CharField(max_length=10, choices=Source.choices)
    heard = models.IntegerField(default=1)
    attempts = models.IntegerField(default=0)
    due = models.DateTimeField(default=timezone.now)

    class Meta:
        # claim(): what is due, the oldest first
        indexes = [models.Index(fields=["due", "id"], name="hint_due")]


class FeedCursor(models.Model):
    """How far we have read the change feed of one event type, and when to ask again.

    Events from before `since`, when we began to listen, are passed over: a pull has seen what they tell of.
    """

    event_type = models.CharField(max_length=100, primary_key=True)
    cursor = models.TextField(null=True)
    since = models.DateTimeField(default=timezone.now)
    due = models.DateTimeField(default=timezone.now)


class Quiet(models.Model):
    """Until when we ask Mixpeek for nothing that can wait; there is no row while all is well."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    until = models.DateTimeField()
    attempts = models.IntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(name="only_one_quiet", condition=Q(id=1))]


class NullSupport(models.Model):
    """What one Mixpeek server does with a null in a PATCH, as far as it was seen."""

    class Mode(models.TextChoices):
        CLEARS = "clears", "clears the field"
        IGNORES = "ignores", "keeps the value"
        REFUSES = "refuses", "refuses the null"

    server = models.CharField(max_length=500, unique=True)
    mode = models.CharField(max_length=10, choices=Mode.choices)
    learnt_at = models.DateTimeField()
