"""Save, return and delete drafts: what somebody typed and has not submitted.

A draft is deleted when it is submitted, discarded, or untouched for `DRAFT_DAYS`. A browser keeps
its own copy as well (`static/drafts.js`); this one survives the browser.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from reviewapp.annotations.decide.services import require_decide_permission
from reviewapp.annotations.fields import FIELDS
from reviewapp.annotations.models import Annotation, Decision, Draft

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

MAX_DRAFTS = 500
# What a person would miss of a form; its other fields are technical.
_WORD_FIELDS = ("choice", *FIELDS, "outcome")


class AlreadyDecided(Exception):
    """The person has already submitted this draft's decision: there is nothing left to save."""


class Overtaken(Exception):
    """Another browser of the same person has saved other words since: show both.

    `draft` is the one that is saved.
    """

    def __init__(self, draft: Draft) -> None:
        problem = _("Another browser of yours has saved a different draft of this item")
        super().__init__(f"{problem}.")
        self.draft = draft


class TooMany(Exception):
    """The person has `MAX_DRAFTS` drafts: submit or discard some before saving another."""

    def __init__(self) -> None:
        problem = _("You have %(max_drafts)s drafts, which is the limit.") % {
            "max_drafts": MAX_DRAFTS
        }
        super().__init__(_("%(problem)s Submit or discard some first.") % {"problem": problem})


@dataclass(frozen=True, kw_only=True)
class DraftInput:
    """An unsubmitted form: its texts, their base, and the id of the decision it would become.

    `known_edition` is the edition of the draft that the browser knows, None for none.
    """

    texts: dict[str, str]
    base: dict[str, Any]
    decision_id: uuid.UUID
    known_edition: uuid.UUID | None


def save(annotation_id: int, draft_input: DraftInput, *, actor: User) -> Draft:
    """Save the actor's draft of this annotation and return it with its new edition.

    Raises `PermissionDenied`, `Annotation.DoesNotExist`, `AlreadyDecided`, `Overtaken`, `TooMany`.
    """
    require_decide_permission(actor)
    with transaction.atomic():
        # A decision locks its annotation too, so a late draft cannot outlive its decision.
        Annotation.objects.select_for_update(no_key=True).only("pk").get(pk=annotation_id)

        # Only this person's decisions: nobody else may learn which decision ids exist.
        decisions = Decision.objects.filter(reviewer=actor)
        if decisions.filter(decision_id=draft_input.decision_id).exists():
            raise AlreadyDecided

        draft = own(annotation_id, actor)
        if draft is None:
            if Draft.objects.of(actor).count() >= MAX_DRAFTS:
                raise TooMany
            draft = Draft(annotation_id=annotation_id, person=actor)
        is_known = not draft.pk or draft.edition == draft_input.known_edition
        if not is_known and words(draft.typed) != words(draft_input.texts):
            raise Overtaken(draft)

        draft.typed = draft_input.texts
        draft.base = draft_input.base
        draft.decision_id = draft_input.decision_id
        draft.edition = uuid.uuid4()
        draft.saved_at = timezone.now()
        draft.save()
    return draft


def own(annotation_id: int, person: User) -> Draft | None:
    """Return the person's draft of this annotation, None when there is none."""
    return Draft.objects.of(person).about(annotation_id).first()


def discard(annotation_id: int, *, actor: User) -> bool:
    """Delete the actor's draft of this annotation; returns whether there was one."""
    require_decide_permission(actor)
    deleted, _ = Draft.objects.of(actor).about(annotation_id).delete()
    return bool(deleted)


def delete_old(*, now: datetime) -> int:
    """Delete drafts that were not saved for `DRAFT_DAYS`; returns how many."""
    oldest = now - timedelta(days=settings.DRAFT_DAYS)
    deleted, _ = Draft.objects.older_than(oldest).delete()
    return deleted


def words(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts that a person would miss, with line ends as LF."""
    return {name: texts[name].replace("\r\n", "\n") for name in _WORD_FIELDS if texts.get(name)}
