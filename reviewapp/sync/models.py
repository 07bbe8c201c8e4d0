"""The state of pulls and of listening: positions, hints, and what Mixpeek is known to do."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone


class PullPass(models.Model):
    """The position of the pull that is running, or was interrupted.

    `skip` is the position in the list of annotations in this `round`. When the list is complete,
    annotations not seen since `started_at` are requested by themselves.
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
    """A webhook delivery as received; stored for some days, to recognize repetitions.

    `key` is the event's own id or, without one, the digest of the body. A delivery that names no
    annotation is `ignored`.
    """

    key = models.CharField(max_length=210, unique=True)
    event_type = models.CharField(max_length=100, default="")
    annotation_id = models.CharField(max_length=200, default="")
    ignored = models.BooleanField(default=False)
    body = models.BinaryField()
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        # delete_expired(): the oldest
        indexes = [models.Index(fields=["received_at"], name="notification_age")]


class Hint(models.Model):
    """An annotation that may have changed upstream and is to be read again; one row for each.

    Claiming moves `due` forward. The row is deleted when the annotation was read, unless another
    hint came meanwhile (`heard` counts them).
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
        # claim(): due hints, the oldest first
        indexes = [models.Index(fields=["due", "id"], name="hint_due")]


class FeedCursor(models.Model):
    """The position in the change feed of one event type, and when to poll it again.

    Events from before `since`, when polling began, are ignored: a pull has seen those changes.
    """

    event_type = models.CharField(max_length=100, primary_key=True)
    cursor = models.TextField(null=True)
    since = models.DateTimeField(default=timezone.now)
    due = models.DateTimeField(default=timezone.now)


class Quiet(models.Model):
    """Until when no request that can wait is sent; there is no row while Mixpeek answers."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    until = models.DateTimeField()
    attempts = models.IntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(name="only_one_quiet", condition=Q(id=1))]


class NullSupport(models.Model):
    """What a Mixpeek server was seen to do with a null in a PATCH."""

    class Mode(models.TextChoices):
        CLEARS = "clears", "clears the field"
        IGNORES = "ignores", "keeps the value"
        REFUSES = "refuses", "refuses the null"

    server = models.CharField(max_length=500, unique=True)
    mode = models.CharField(max_length=10, choices=Mode.choices)
    learnt_at = models.DateTimeField()
