"""What the queue and the review page read each time, so that a web process can prepare it."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.utils import timezone

from reviewapp.annotations.decide.statements import get_for_decision
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.counts import count_items
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.pages import load_queue_page
from reviewapp.annotations.review.annotation import load_annotation_and_draft, load_position
from reviewapp.annotations.review.last_actions import last_actions
from reviewapp.annotations.review.progress import get_progress
from reviewapp.annotations.review.surroundings import load_surroundings


def read_for_nobody() -> None:
    """Read the queue and its oldest item, if there is one, for a person who does not exist."""
    nobody = get_user_model()(pk=0)
    filters = QueueFilter()
    load_queue_page(filters, nobody)
    count_items(filters, nobody)
    last_actions(nobody)
    get_progress(filters, nobody, now=timezone.now())

    pk = Annotation.objects.order_by("pk").values_list("pk", flat=True).first()
    if pk is not None:
        load_position(pk)
        load_annotation_and_draft(pk, nobody)
        load_surroundings(pk, nobody)
        get_for_decision(pk, label="")
