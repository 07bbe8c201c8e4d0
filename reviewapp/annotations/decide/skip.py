"""Set an item aside without deciding it: skip (for somebody else), defer (for later), resume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils import timezone

from reviewapp.annotations.decide.services import require_decide_permission
from reviewapp.annotations.models import Annotation, SetAside
from reviewapp.annotations.queue import leases
from reviewapp.audit.context import acting

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


def put_aside(
    annotation: Annotation,
    kind: SetAside.Kind,
    *,
    actor: User,
    reason: str = "",
) -> SetAside:
    """Skip or defer `annotation` for `actor`, and release the actor's lease on it.

    A second call replaces kind and reason. Raises `PermissionDenied`.
    """
    require_decide_permission(actor)
    with acting(actor, note=reason):
        # The same lock order as a decision: the item, its lease, its skips.
        Annotation.objects.select_for_update().only("pk").get(pk=annotation.pk)
        leases.release_lease(annotation.pk, actor)
        aside, _ = SetAside.objects.update_or_create(
            annotation=annotation,
            person=actor,
            defaults={"kind": kind, "reason": reason, "created_at": timezone.now()},
        )
    return aside


def restore_set_aside(annotation: Annotation, aside: Mapping[str, str], person: User) -> None:
    """Set aside again what a decision took up (`aside` of `Decision.cleared`)."""
    SetAside.objects.get_or_create(annotation=annotation, person=person, defaults=dict(aside))


def resume_set_aside(annotation: Annotation, *, actor: User) -> bool:
    """Take up what `actor` had set aside; returns False if nothing was.

    Raises `PermissionDenied`.
    """
    require_decide_permission(actor)
    with acting(actor):
        deleted, _ = SetAside.objects.filter(annotation=annotation, person=actor).delete()
    return bool(deleted)
