"""Drafts: keep what somebody types until they submit or discard it, or leave it alone for `DRAFT_DAYS`.

A browser keeps its own copy as well (`static/drafts/`); this one survives the browser.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from reviewapp.annotations.decide.services import may_decide
from reviewapp.annotations.models import Annotation, Decision, Draft
from reviewapp.asked import asked

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

MOST = 500
# Of what is typed, this is what a person would miss; the rest says where it belongs.
_WORDS = ("choice", "label", "confidence", "reasoning", "payload", "outcome")


class AlreadyDecided(Exception):
    """This person has submitted the decision that this draft would become: there is nothing left to keep."""


class Overtaken(Exception):
    """Another browser of the same person has saved other words since: show both (`draft` is the other), keep both."""

    def __init__(self, draft: Draft) -> None:
        super().__init__("Another of your browsers has saved a draft of this meanwhile, and it says something else.")
        self.draft = draft


class TooMany(Exception):
    """The person has `MOST` drafts: submit or discard some before another can be kept."""

    def __init__(self) -> None:
        super().__init__(f"You have {MOST} drafts, which is as many as are kept. Submit or discard some first.")


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What a form holds just now: its texts, what they are based on, the decision it would become.

    `seen` is the edition of the draft that the browser knows, None for none.
    """

    texts: dict[str, str]
    base: dict[str, Any]
    decision_id: uuid.UUID
    seen: uuid.UUID | None


def save(annotation_id: int, typed: Typed, *, actor: User) -> Draft:
    """Keep what is typed as the person's draft of this annotation, and return it with its new edition.

    Raises `PermissionDenied`, `Annotation.DoesNotExist`, `AlreadyDecided`, `Overtaken`, `TooMany`.
    """
    may_decide(actor)
    with transaction.atomic():
        # A decision locks its annotation too: a draft that arrives late never outlives what became of it.
        Annotation.objects.select_for_update(no_key=True).only("pk").get(pk=annotation_id)
        # Of this person only: nobody else may learn which decision ids exist.
        if Decision.objects.filter(decision_id=typed.decision_id, reviewer=actor).exists():
            raise AlreadyDecided
        draft = own(annotation_id, actor) or _first(annotation_id, actor)
        if draft.pk and draft.edition != typed.seen and words(draft.typed) != words(typed.texts):
            raise Overtaken(draft)
        draft.typed, draft.base, draft.decision_id = typed.texts, typed.base, typed.decision_id
        draft.edition, draft.saved_at = uuid.uuid4(), timezone.now()
        draft.save()
    return draft


def own(annotation_id: int, person: User) -> Draft | None:
    """Return the person's draft of this annotation, None when there is none."""
    return next(iter(_own(annotation_id=annotation_id, person_id=person.pk)), None)


@asked
def _own(annotation_id: int, person_id: int) -> QuerySet[Draft]:
    return Draft.objects.filter(person_id=person_id).about(annotation_id)


def discard(annotation_id: int, *, actor: User) -> bool:
    """Forget the person's draft of this annotation; returns whether there was one."""
    may_decide(actor)
    deleted, _ = Draft.objects.of(actor).about(annotation_id).delete()
    return bool(deleted)


def forget_old(*, now: datetime) -> int:
    """Delete drafts that nobody has touched for `DRAFT_DAYS`; returns how many."""
    deleted, _ = Draft.objects.older_than(now - timedelta(days=settings.DRAFT_DAYS)).delete()
    return deleted


def words(texts: Mapping[str, str]) -> dict[str, str]:
    """Return what a person would miss of a form's texts, with one kind of line ends."""
    return {name: texts.get(name, "").replace("\r\n", "\n") for name in _WORDS if texts.get(name)}


def _first(annotation_id: int, actor: User) -> Draft:
    if Draft.objects.of(actor).count() >= MOST:
        raise TooMany
    return Draft(annotation_id=annotation_id, person=actor)
