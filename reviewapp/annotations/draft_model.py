"""What somebody is typing and has not submitted: a row that is overwritten, and gone once it is decided."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from reviewapp.annotations.queries import DraftQuerySet


class Draft(models.Model):
    """One person's unsubmitted form about one annotation, private to that person.

    `typed` is the form's own texts, well formed or not; `base` is what the person saw when they began, and stays that
    until they submit; `decision_id` is the decision it would become; `edition` changes with every save, so that two
    browsers of one person notice each other.

    It is no history, and no trigger watches it: nothing is decided here, nobody else may read it, and a history of
    every keystroke would keep for ever what its writer took back. What comes of it is the decision.
    """

    annotation = models.ForeignKey("annotations.Annotation", on_delete=models.CASCADE, related_name="drafts")
    # The constraint below begins with the person, and serves as that index too.
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    decision_id = models.UUIDField()
    base = models.JSONField()
    typed = models.JSONField()
    edition = models.UUIDField(default=uuid.uuid4)
    saved_at = models.DateTimeField()

    objects = DraftQuerySet.as_manager()

    class Meta:
        constraints = [
            # of(person), about(annotation): the draft behind a review page; drafted_by(person)
            models.UniqueConstraint(fields=["person", "annotation"], name="draft_once_each"),
        ]
