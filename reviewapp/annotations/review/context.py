"""The review page's context: the form, what surrounds the item, and the person's own settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings

from reviewapp.annotations.decide.changed_since import digest_of
from reviewapp.annotations.decide.form_base import long_fields
from reviewapp.annotations.decide.forms import HIDDEN_FIELDS
from reviewapp.annotations.drafts.resume import draft_as_json
from reviewapp.annotations.fields import FIELDS
from reviewapp.annotations.models import Annotation, Decision, Draft
from reviewapp.annotations.parsing import MAX_REASONING_LENGTH
from reviewapp.annotations.payload import MAX_PAYLOAD_BYTES
from reviewapp.annotations.queue.leases import LEASE_DURATION
from reviewapp.annotations.review import label_buttons, shortcuts
from reviewapp.annotations.review.last_actions import newest_standing, undo_context
from reviewapp.annotations.review.surroundings import Surroundings
from reviewapp.retrievers.guidance.form_settings import DEFAULT
from reviewapp.retrievers.guidance.markdown import render_markdown

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

# The form shows the errors of these fields beside the field, all others above the form.
_VISIBLE_FIELDS = {*FIELDS, "choice"}
_CONFIDENCE_PRESETS = ("0", "0.25", "0.5", "0.75", "1")


def form_context(
    annotation: Annotation,
    data: Mapping[str, Any],
    errors: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the form shows; `problems` are the errors that belong to no visible field.

    The inputs of `unsent` fields hold long values that nobody has touched; a browser does not send
    them back before somebody does.
    """
    unsent = _untouched_long_texts(annotation, data)
    choice = str(data.get("choice") or "")
    chosen_button = "" if data.get("label") else choice
    proposed_label = str(annotation.proposed.get("label") or "")
    offered = label_buttons.offer(annotation.retriever)
    buttons = label_buttons.buttons(offered, proposed_label, choice, chosen=chosen_button)

    hidden = []
    for name in HIDDEN_FIELDS:
        value = data.get(name)
        hidden.append((name, "" if value is None else value))

    problems: list[str] = []
    for name, sentences in errors.items():
        if name not in _VISIBLE_FIELDS:
            problems.extend(sentences)

    form_settings = DEFAULT
    if annotation.label_set is not None:
        form_settings = annotation.label_set.settings

    return {
        "data": data,
        "seen": digest_of(data.get("base")),
        "unsent": unsent,
        "most_payload": MAX_PAYLOAD_BYTES,
        "payload_bytes": len(json.dumps(annotation.payload, ensure_ascii=False).encode()),
        # The label has buttons, which the scripts know.
        "field_names": " ".join(name for name in FIELDS if name != "label"),
        "cannot_tell": data.get("outcome") == Decision.Outcome.UNDECIDABLE,
        "hidden": hidden,
        "buttons": buttons,
        "other_allowed": offered.other_allowed,
        "required": form_settings.notes(),
        "guidelines": guidelines_context(annotation),
        "problems": problems,
        "presets": _CONFIDENCE_PRESETS,
        "most_reasoning": MAX_REASONING_LENGTH,
    }


def _untouched_long_texts(annotation: Annotation, data: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of fields that hold a long value which `data` has not changed, by field."""
    texts = {}
    for name in long_fields(str(data.get("base") or "")):
        current = FIELDS[name].render(getattr(annotation, name))
        if data.get(name, current) == current:
            texts[name] = current
    return texts


def guidelines_context(annotation: Annotation) -> dict[str, Any] | None:
    """Return the guidelines in force as HTML with their version, None where there are none."""
    guidelines = annotation.retriever.guidelines if annotation.retriever else None
    if guidelines is None or not guidelines.text.strip():
        return None
    return {"html": render_markdown(guidelines.text), "version": guidelines.version}


def person_context(person: User, surroundings: Surroundings) -> dict[str, Any]:
    """Return the person's last decisions, what their Undo button is about, and their keys."""
    standing = newest_standing(surroundings.recent)
    keys = shortcuts.for_person(person.key_map)
    if not person.single_keys:
        keys = shortcuts.without_single_keys(keys)
    return {
        "recent": surroundings.recent,
        **undo_context(standing, surroundings.last_aside),
        "key_groups": shortcuts.by_group(keys),
        "key_table": shortcuts.shortcuts_as_json(keys),
    }


def draft_context(other_draft: Draft | None, *, now: datetime) -> dict[str, Any]:
    """Return what the script needs to save drafts: the time, their days, a draft to offer."""
    offered_draft = ""
    if other_draft is not None:
        offered_draft = json.dumps(draft_as_json(other_draft))
    return {"now": now, "draft_days": settings.DRAFT_DAYS, "offered_draft": offered_draft}


def lease_minutes() -> int:
    """Return how long a lease lasts, in minutes."""
    return int(LEASE_DURATION.total_seconds() // 60)
