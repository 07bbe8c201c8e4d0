"""Receive webhooks: verify, store, and leave the annotation they name for a worker to read."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from reviewapp.sync.listen import event_parser, hints
from reviewapp.sync.listen.signature import Verdict, equals_in_constant_time, verify_signature
from reviewapp.sync.models import Hint, Notification

MAX_BYTES = 1024 * 1024
_DELETED_AT_ONCE = 5000


def verify_webhook(body: bytes, *, signature: str, static: str, now: float) -> Verdict:
    """Verify a delivery by its headers and our settings; without a secret nothing is genuine.

    The older header with the secret itself (`static`) counts only if the setting says so, and never
    in place of a signature.
    """
    secret = settings.MIXPEEK_WEBHOOK_SECRET
    if settings.MIXPEEK_WEBHOOK_STATIC and secret and not signature:
        if equals_in_constant_time(static, secret):
            return Verdict.GENUINE
        return Verdict.FORGED
    return verify_signature(body, signature, secret=secret, now=now)


@transaction.atomic
def receive(body: bytes) -> bool:
    """Store a genuine delivery and a hint for its annotation; returns False for a repetition."""
    event = event_parser.parse_webhook_body(body)
    notification, is_new = Notification.objects.get_or_create(
        key=event.key,
        defaults={
            "event_type": event.event_type,
            "annotation_id": event.annotation_id,
            "ignored": not event.annotation_id,
            "body": body,
        },
    )
    if is_new and notification.annotation_id:
        hints.enqueue_hints([notification.annotation_id], Hint.Source.WEBHOOK)
    return is_new


def delete_expired_notifications() -> int:
    """Delete a batch of deliveries older than `WEBHOOK_DAYS`; returns how many."""
    oldest_kept = timezone.now() - timedelta(days=settings.WEBHOOK_DAYS)
    expired = Notification.objects.filter(received_at__lt=oldest_kept)
    batch = expired.order_by("received_at").values("pk")[:_DELETED_AT_ONCE]
    deleted, _ = Notification.objects.filter(pk__in=batch).delete()
    return deleted
