"""What reviewers are given besides the evidence: the labels to choose from and the guidelines. Local, versioned, kept.

Each change makes the next version; nothing is ever changed or deleted, so that a decision can name what was in force.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reviewapp.audit.context import acting
from reviewapp.retrievers.documents.snapshot import UNSTORABLE
from reviewapp.retrievers.guidance import labels as rules
from reviewapp.retrievers.guidance.form_settings import DEFAULT, FormSettings
from reviewapp.retrievers.guidance.label_merge import Merged, Offer, merge
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.models import Guidelines, LabelSet, Retriever
from reviewapp.retrievers.services import may_change

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

LONGEST_GUIDELINES = 50_000


class BadLabels(Exception):
    """The labels cannot be kept; `rows` says what is wrong with which of them, counted from 0."""

    def __init__(self, rows: dict[int, str]) -> None:
        super().__init__(" ".join(rows.values()))
        self.rows = rows


class BadGuidelines(Exception):
    """The guidelines cannot be kept; the message says why."""


class Overtaken(Exception):
    """Somebody made a newer version since the form was rendered; `now` is that version.

    Of labels, `merged` is both sides put together, with what is in question.
    """

    def __init__(self, now: LabelSet | Guidelines, merged: Merged | None = None) -> None:
        super().__init__(f"{now.created_by.get_username()} made version {now.version} meanwhile.")
        self.now = now
        self.merged = merged or Merged(offer=Offer())


def set_labels(
    retriever_pk: int,
    labels: Sequence[Label],
    *,
    other_allowed: bool,
    base_version: int,
    actor: User,
    settings: FormSettings = DEFAULT,
) -> LabelSet | None:
    """Make the next version of a retriever's label set; None when it would be the one in force already.

    `base_version` is the version the person saw (0: none). When there is a newer one, both are merged, and `Overtaken`
    is raised when that leaves a question or cannot be kept. No labels at all means that those in use are offered, and
    any other is allowed; the `settings` of the form hold all the same. Raises `PermissionDenied`,
    `Retriever.DoesNotExist`, `BadLabels` and `Overtaken`.
    """
    may_change(actor)
    if wrong := rules.problems(labels):
        raise BadLabels(wrong)
    with acting(actor):
        retriever = _locked(retriever_pk)
        now = retriever.label_set
        mine = Offer(labels=tuple(labels), other_allowed=other_allowed, settings=settings)
        wanted = _wanted(retriever, mine, base_version)
        if wanted == offer_of(now):
            return None
        made = LabelSet.objects.create(
            retriever=retriever,
            version=now.version + 1 if now else 1,
            labels=rules.as_json(wanted.labels),
            other_allowed=wanted.other_allowed,
            **wanted.settings.values(),
            created_by=actor,
        )
        retriever.label_set = made
        retriever.save(update_fields=["label_set"])
    return made


def write_guidelines(retriever_pk: int, text: str, *, base_version: int, actor: User) -> Guidelines | None:
    """Make the next version of a retriever's guidelines (Markdown); None when nothing differs.

    Who left the text as it was in `base_version` changes nothing: what somebody else wrote meanwhile stands. Raises
    `PermissionDenied`, `Retriever.DoesNotExist`, `BadGuidelines` and `Overtaken`.
    """
    may_change(actor)
    if len(text) > LONGEST_GUIDELINES:
        raise BadGuidelines(f"Guidelines have {LONGEST_GUIDELINES:,} characters at most; these have {len(text):,}.")
    if UNSTORABLE.search(text):
        raise BadGuidelines("These hold characters that cannot be stored.")
    with acting(actor):
        retriever = _locked(retriever_pk)
        now = retriever.guidelines
        if text in (now.text if now else "", written(retriever_pk, base_version)):
            return None
        made = Guidelines.objects.create(
            retriever=retriever, version=_next(now, base_version), text=text, created_by=actor
        )
        retriever.guidelines = made
        retriever.save(update_fields=["guidelines"])
    return made


def offer_of(held: LabelSet | None) -> Offer:
    """Return what a version offers."""
    if held is None:
        return Offer()
    labels = tuple(rules.from_json(held.labels))
    return Offer(labels=labels, other_allowed=held.other_allowed, settings=held.settings)


def offered(retriever_pk: int, version: int) -> Offer:
    """Return what a version of a retriever's labels offers; nothing for one that there is not."""
    return offer_of(LabelSet.objects.filter(retriever=retriever_pk, version=version).first())


def written(retriever_pk: int, version: int) -> str:
    """Return the text of a version of a retriever's guidelines; "" for one that there is not."""
    held = Guidelines.objects.filter(retriever=retriever_pk, version=version).first()
    return held.text if held else ""


def _wanted(retriever: Retriever, mine: Offer, base_version: int) -> Offer:
    """Return what is to be in force: mine, or mine and a newer version put together; raises `Overtaken`."""
    now = retriever.label_set
    if now is None or now.version == base_version:
        return mine.whole()
    merged = merge(base=offered(retriever.pk, base_version), mine=mine, theirs=offer_of(now))
    if merged.questions or rules.problems(merged.offer.labels):
        raise Overtaken(now, merged)
    return merged.offer


def _locked(retriever_pk: int) -> Retriever:
    related = ("label_set__created_by", "guidelines__created_by")
    return Retriever.objects.select_for_update(of=["self"]).select_related(*related).get(pk=retriever_pk)


def _next(now: Guidelines | None, base_version: int) -> int:
    """Return the number of the next version; raises `Overtaken` when the person saw another than `now`."""
    if now is not None and now.version != base_version:
        raise Overtaken(now)
    return now.version + 1 if now else 1
