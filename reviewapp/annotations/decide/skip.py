"""Put an item aside without deciding it: skip (somebody else, please), defer (back to me later), take up again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from reviewapp.annotations.models import Annotation, SetAside
from reviewapp.annotations.queue import leases
from reviewapp.audit.context import acting

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


def put_aside(annotation: Annotation, kind: SetAside.Kind, *, actor: User, reason: str = "") -> SetAside:
    """Skip or defer `annotation` for `actor`, who lets go of it; putting it aside again replaces kind and reason.

    Raises `PermissionDenied` when the actor may not decide: one cannot pass on what one was never given.
    """
    _check(actor)
    with acting(actor, note=reason):
        # The order in which a decision takes them: the item, who holds it, who has put it aside.
        Annotation.objects.select_for_update().only("pk").get(pk=annotation.pk)
        leases.release(annotation.pk, actor)
        aside, _ = SetAside.objects.update_or_create(
            annotation=annotation,
            person=actor,
            defaults={"kind": kind, "reason": reason, "created_at": timezone.now()},
        )
    return aside


def put_back(annotation: Annotation, aside: Mapping[str, str], person: User) -> None:
    """Set aside again what a decision took up (`Decision.cleared`)."""
    SetAside.objects.get_or_create(annotation=annotation, person=person, defaults=dict(aside))


def resume(annotation: Annotation, *, actor: User) -> bool:
    """Take up again what `actor` had put aside; returns whether there was anything. Raises `PermissionDenied`."""
    _check(actor)
    with acting(actor):
        deleted, _ = SetAside.objects.filter(annotation=annotation, person=actor).delete()
    return bool(deleted)


def _check(actor: User) -> None:
    if not actor.has_perm("annotations.decide_annotation"):
        raise PermissionDenied
