"""What has changed on an item since somebody opened it, and who changed it.

Compares the form's base with the annotation. The author may be a colleague who decided or took a
decision back, another key at Mixpeek, or the same person in another tab.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from reviewapp.annotations.decide.form_base import without_long_values
from reviewapp.annotations.fields import FIELDS
from reviewapp.annotations.mirror import version_authors
from reviewapp.annotations.mirror.authorship import AuthorKind
from reviewapp.annotations.models import Annotation, Undo
from reviewapp.audit.presenters.diffs import FieldDiff, field_diffs
from reviewapp.json_values import canonical, is_same_json


@dataclass(frozen=True, kw_only=True)
class ChangeAuthor:
    """Who made an item what it is now: `name` as it reads inside a sentence, "" if unknown.

    `decided`: by a decision here; `taken_back`: by undoing a decision; `own`: it was the reader, in
    another tab or browser.
    """

    name: str
    decided: bool = False
    taken_back: bool = False
    own: bool = False

    @property
    def subject(self) -> str:
        """Return the name as it begins a sentence about another person."""
        if not self.name:
            return _("Somebody")
        # A person's name stays as it is written.
        if " " in self.name:
            return self.name[0].upper() + self.name[1:]
        return self.name

    @property
    def title(self) -> str:
        """Return what happened, without a full stop."""
        if self.own and self.taken_back:
            return _("You undid your decision in another tab or browser")
        if self.own and self.decided:
            return _("You decided this in another tab or browser")
        if self.own:
            return _("You changed this in another tab or browser")
        if self.taken_back:
            return _("%(name)s undid the decision you had seen") % {"name": self.subject}
        return _("%(name)s submitted first") % {"name": self.subject}

    @property
    def keep_caption(self) -> str:
        """Return the caption of the choice to keep the current value."""
        if self.own or self.taken_back:
            return _("Take the current value")
        return _("Take theirs")

    @property
    def value_caption(self) -> str:
        """Return the caption of a current value."""
        if self.taken_back:
            return _("Now")
        if self.own:
            return _("Now, by you")
        return _("Now, by %(name)s") % {"name": self.name or _("somebody else")}

    def took_over(self, fields: str) -> str:
        """Return the sentence for fields that only this author changed."""
        values = {"fields": fields, "name": self.name or _("somebody else")}
        if self.taken_back:
            return _("Back to the value before that decision: %(fields)s.") % values
        if self.own:
            return _("You changed the %(fields)s only there; the new value is kept.") % values
        return _("Only %(name)s changed the %(fields)s; the new value is kept.") % values

    def just_decided(self, *, was_proposal: bool) -> str:
        """Return the sentence for a decision that changed no value.

        `was_proposal`: nobody had decided before.
        """
        values = {"name": self.subject}
        if self.own and was_proposal:
            return _("You have just confirmed the machine's values in another tab or browser.")
        if self.own:
            return _("You have just confirmed the same values in another tab or browser.")
        if was_proposal:
            return _("%(name)s has just confirmed the machine's values.") % values
        return _("%(name)s has just confirmed the same values.") % values

    def just_changed(self, fields: str) -> str:
        """Return the sentence for fields that have changed."""
        values = {"name": self.subject, "fields": fields}
        if self.own and self.taken_back:
            sentence = _(
                "You have just undone a decision, which changed the %(fields)s in another tab or "
                "browser."
            )
        elif self.taken_back:
            sentence = _("%(name)s has just undone a decision, which changed the %(fields)s.")
        elif self.own:
            sentence = _("You have just changed the %(fields)s in another tab or browser.")
        else:
            sentence = _("%(name)s has just changed the %(fields)s.")
        return sentence % values

    def just_undone(self) -> str:
        """Return the sentence for a decision that was undone and had changed no value."""
        if self.own:
            return _(
                "You have just undone a decision in another tab or browser. The values are the "
                "same."
            )
        values = {"name": self.subject}
        return _("%(name)s has just undone a decision. The values are the same.") % values


def change_author(annotation: Annotation, base: Mapping[str, Any], *, viewer: str) -> ChangeAuthor:
    """Return who changed `annotation` since `base` was seen; `viewer` is the reader's user name."""
    seen_decision = base.get("decision")
    if seen_decision == annotation.decision_id:
        return _upstream_author(annotation, viewer)

    undo = None
    if seen_decision:
        undo = Undo.objects.select_related("actor").filter(decision_id=seen_decision).first()
    if undo and (annotation.decision_id or 0) < undo.decision_id:
        name = undo.actor.get_username()
        return ChangeAuthor(name=name, taken_back=True, own=name == viewer)

    if annotation.reviewer is None:
        return _upstream_author(annotation, viewer)
    name = annotation.reviewer.get_username()
    return ChangeAuthor(name=name, decided=True, own=name == viewer)


def _upstream_author(annotation: Annotation, viewer: str) -> ChangeAuthor:
    versions = version_authors.versions_with_authors(annotation)
    if not versions:
        return ChangeAuthor(name="")
    newest = versions[0]
    is_own = newest.whose is AuthorKind.OURS and newest.name == viewer
    return ChangeAuthor(name=newest.who, own=is_own)


@dataclass(frozen=True, kw_only=True)
class ChangesSince:
    """What has changed on an item, and by whom; false if nothing has.

    `changes` are `{field: [then, now]}`. `decided`: the standing decision is another one.
    `was_proposal`: nobody had decided before.
    """

    gone: bool
    by: ChangeAuthor
    changes: Mapping[str, Any]
    decided: bool
    was_proposal: bool

    @property
    def load_caption(self) -> str:
        """Return the caption of the button that loads the current values into the form."""
        if self.by.decided and not self.by.own:
            return _("Load %(name)s's values") % {"name": self.by.name}
        return _("Load the current values")

    def __bool__(self) -> bool:
        return self.gone or self.decided or bool(self.changes)

    @property
    def diffs(self) -> tuple[FieldDiff, ...]:
        """Return the changes as they are shown."""
        return field_diffs(self.changes)

    def sentence(self) -> str:
        """Return the changes as a sentence, as it is announced."""
        if self.gone:
            return _("Mixpeek no longer has this annotation, so it can no longer be decided.")
        if self.changes:
            fields = get_text_list(list(self.changes), _("and"))
            return f"{self.by.just_changed(fields)} {_('What you typed is still here.')}"
        if self.by.taken_back:
            return self.by.just_undone()
        return self.by.just_decided(was_proposal=self.was_proposal)


def changes_since(annotation: Annotation, base: Mapping[str, Any], *, viewer: str) -> ChangesSince:
    """Return what has changed since `viewer` (a user name) saw `base` (see `Annotation.seen`)."""
    changes = {}
    for name, now in annotation.values().items():
        then = base.get(name)
        if not is_same_json(then, now):
            changes[name] = [then, now]

    decided = annotation.decision_id != base.get("decision")
    by = ChangeAuthor(name="")
    if decided or changes:
        by = change_author(annotation, base, viewer=viewer)

    is_gone = annotation.status == Annotation.Status.GONE
    return ChangesSince(
        gone=is_gone,
        by=by,
        changes=changes,
        decided=decided,
        was_proposal=base.get("decision") is None,
    )


def base_digest(seen: Mapping[str, Any]) -> str:
    """Return a digest of a form's base: 24 hex digits that differ when the base does. Pure."""
    short = without_long_values(seen)
    base = {name: short.get(name) for name in (*FIELDS, "decision")}
    base |= short.get("digests", {})
    text = json.dumps(canonical(base), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def digest_of(base: object) -> str:
    """Return the digest of a form's base as it was sent; "" if it is damaged."""
    try:
        seen = json.loads(str(base))
        if not isinstance(seen, dict):
            return ""
        return base_digest(seen)
    except (ValueError, RecursionError):
        return ""
