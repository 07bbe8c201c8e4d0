"""Where an unfinished pull stands, so that the next one goes on from there."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


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
