"""Save the label set and the guidelines of a retriever, which are kept here only, in versions.

Each save makes the next version. No version is changed or deleted, so that a decision can name what
was in force. Saving is optimistic: it names the version that the person has seen, and is refused
when there is a newer one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from reviewapp.audit.context import acting
from reviewapp.retrievers.guidance import labels as rules
from reviewapp.retrievers.guidance.form_settings import DEFAULT, FormSettings
from reviewapp.retrievers.guidance.label_set_content import LabelSetContent
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.models import Guidelines, LabelSet, Retriever
from reviewapp.retrievers.services import require_change_permission
from reviewapp.storable import is_storable

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

MAX_GUIDELINES_LENGTH = 50_000


class BadLabels(Exception):
    """The labels cannot be stored; `rows` holds a sentence for each invalid one, by its index."""

    def __init__(self, rows: dict[int, str]) -> None:
        super().__init__(" ".join(rows.values()))
        self.rows = rows


class BadGuidelines(Exception):
    """The guidelines cannot be stored; the message says why."""


class VersionConflict(Exception):
    """Somebody saved a newer version, `current`: show it, and save on top of it."""

    def __init__(self, current: LabelSet | Guidelines) -> None:
        super().__init__(
            f"{current.created_by.get_username()} saved version {current.version} meanwhile."
        )
        self.current = current


def set_labels(
    retriever_pk: int,
    labels: Sequence[Label],
    *,
    other_allowed: bool,
    base_version: int,
    actor: User,
    settings: FormSettings = DEFAULT,
    restores: int = 0,
) -> LabelSet | None:
    """Save the next version of a retriever's label set; returns None if nothing would change.

    `base_version` is the version that the person has seen (0: none). Without any label, those in
    use are offered and any other may be written; the `settings` of the decision form hold all the
    same. The history says that it `restores` an earlier version if that has the same content.
    Raises `PermissionDenied`, `Retriever.DoesNotExist`, `BadLabels` and `VersionConflict`.
    """
    require_change_permission(actor)
    errors = rules.problems(labels)
    if errors:
        raise BadLabels(errors)

    content = LabelSetContent(
        labels=tuple(labels), other_allowed=other_allowed, settings=settings
    ).normalized()

    earlier = LabelSet.objects.filter(retriever=retriever_pk, version=restores).first()
    note = ""
    if earlier and content_of(earlier) == content:
        note = _restore_note(earlier)

    with acting(actor, note=note):
        retriever = _lock_retriever(retriever_pk)
        current = retriever.label_set

        # Also a form that is submitted twice, or again after an answer that never came.
        if content == content_of(current):
            return None

        label_set = LabelSet.objects.create(
            retriever=retriever,
            version=_next_version(current, base_version),
            labels=rules.labels_as_json(content.labels),
            other_allowed=content.other_allowed,
            **content.settings.values(),
            created_by=actor,
        )
        retriever.label_set = label_set
        retriever.save(update_fields=["label_set"])

    return label_set


def write_guidelines(
    retriever_pk: int, text: str, *, base_version: int, actor: User, restores: int = 0
) -> Guidelines | None:
    """Save the next version of a retriever's guidelines (Markdown).

    Returns None if the current text is the same. `base_version` is the version that the person has
    seen (0: none). The history says that it `restores` an earlier version if that has the same
    text. Raises `PermissionDenied`, `Retriever.DoesNotExist`, `BadGuidelines` and
    `VersionConflict`.
    """
    require_change_permission(actor)
    if len(text) > MAX_GUIDELINES_LENGTH:
        raise BadGuidelines(
            _("Guidelines can have at most %(most)s characters (these have %(length)s).")
            % {"most": f"{MAX_GUIDELINES_LENGTH:,}", "length": f"{len(text):,}"}
        )
    if not is_storable(text):
        raise BadGuidelines(_("Remove the characters that cannot be stored."))

    earlier = Guidelines.objects.filter(retriever=retriever_pk, version=restores).first()
    note = ""
    if earlier and earlier.text == text:
        note = _restore_note(earlier)

    with acting(actor, note=note):
        retriever = _lock_retriever(retriever_pk)
        current = retriever.guidelines

        # Also a form that is submitted twice, or again after an answer that never came.
        if text == text_of(current):
            return None

        guidelines = Guidelines.objects.create(
            retriever=retriever,
            version=_next_version(current, base_version),
            text=text,
            created_by=actor,
        )
        retriever.guidelines = guidelines
        retriever.save(update_fields=["guidelines"])

    return guidelines


def content_of(label_set: LabelSet | None) -> LabelSetContent:
    """Return the content of a version of the label set, or of an empty one where there is none."""
    if label_set is None:
        return LabelSetContent()

    return LabelSetContent(
        labels=tuple(rules.from_json(label_set.labels)),
        other_allowed=label_set.other_allowed,
        settings=label_set.settings,
    )


def text_of(guidelines: Guidelines | None) -> str:
    """Return the text of a version of the guidelines, "" where there is none."""
    if guidelines:
        return guidelines.text
    return ""


def _lock_retriever(retriever_pk: int) -> Retriever:
    # Without joins: after waiting for the lock PostgreSQL reads the locked row anew, but not the
    # rows joined to it, so that `label_set` and `guidelines` would be missing. They are read by
    # statements of their own, as they are now.
    return Retriever.objects.select_for_update().get(pk=retriever_pk)


def _restore_note(earlier: LabelSet | Guidelines) -> str:
    return f"restores version {earlier.version}"


def _next_version(current: LabelSet | Guidelines | None, base_version: int) -> int:
    """Return the next version number; raises `VersionConflict` if the current one is unseen."""
    if current is None:
        return 1
    if current.version != base_version:
        raise VersionConflict(current)
    return current.version + 1
