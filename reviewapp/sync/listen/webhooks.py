"""Take in a webhook: is it genuine, do we have it, what does it speak of. Looking into it is a worker's work."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from reviewapp.sync.listen import event_parser, hints
from reviewapp.sync.listen.signature import Verdict, judge, matches
from reviewapp.sync.models import Hint, Notification

MOST_BYTES = 1024 * 1024
_AT_ONCE = 5000


def verdict(body: bytes, *, signature: str, static: str, now: float) -> Verdict:
    """Judge a delivery by its headers and our settings; without a secret of ours nothing is genuine.

    The older header with the secret itself counts only where the setting says so, and never in place of a signature.
    """
    secret = settings.MIXPEEK_WEBHOOK_SECRET
    if settings.MIXPEEK_WEBHOOK_STATIC and secret and not signature:
        return Verdict.GENUINE if matches(static, secret) else Verdict.FORGED
    return judge(body, signature, secret=secret, now=now)


@transaction.atomic
def take_in(body: bytes) -> bool:
    """Keep a genuine delivery and note what is to be read again; returns False for one that we have already."""
    said = event_parser.read(body)
    kept, is_new = Notification.objects.get_or_create(
        key=said.key,
        defaults={
            "event_type": said.event_type,
            "annotation_id": said.annotation_id,
            "ignored": not said.annotation_id,
            "body": body,
        },
    )
    if is_new and kept.annotation_id:
        hints.hear([kept.annotation_id], Hint.Source.WEBHOOK)
    return is_new


def forget() -> int:
    """Remove what was received too many days ago, some thousands at a time; returns how many."""
    old = Notification.objects.filter(received_at__lt=timezone.now() - timedelta(days=settings.WEBHOOK_DAYS))
    gone, _ = Notification.objects.filter(pk__in=old.order_by("received_at").values("pk")[:_AT_ONCE]).delete()
    return gone
