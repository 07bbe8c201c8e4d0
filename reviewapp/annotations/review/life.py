"""The life of one annotation: the run that found it, its events, and any two of its versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from reviewapp.annotations.fields import FIELDS, STORED_FIELDS
from reviewapp.annotations.mirror import versions
from reviewapp.annotations.mirror.version_authors import versions_with_authors
from reviewapp.annotations.mirror.versions import State
from reviewapp.annotations.models import Annotation
from reviewapp.json_values import is_same_json
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.presenters import format_value
from reviewapp.retrievers.models import Execution

# The oldest ones are left out of an annotation with more versions.
_MAX_VERSIONS = 200


@dataclass(frozen=True, kw_only=True)
class VersionName:
    """A version that can be compared: its number, who made it and when.

    `is_delivered` is false for a change that Mixpeek does not have yet.
    """

    number: int
    who: str
    at: datetime | None
    is_delivered: bool


@dataclass(frozen=True, kw_only=True)
class ComparedField:
    """One field in two versions, as text."""

    title: str
    left: str
    right: str
    is_same: bool


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two versions side by side."""

    left: int
    right: int
    fields: list[ComparedField]


def load_execution(annotation: Annotation) -> Execution | None:
    """Return the run that found the annotation, None if it is not known here."""
    if annotation.execution_id:
        return Execution.objects.filter(execution_id=annotation.execution_id).first()
    return annotation.result.execution if annotation.result else None


def list_versions(annotation: Annotation, changes: Sequence[Change]) -> list[VersionName]:
    """Return the versions that can be compared, newest first; `changes` are the annotation's."""
    state = _latest(annotation, changes)
    authors = {version.version: version for version in versions_with_authors(annotation, changes)}
    pending = {edit.version + 1: edit for edit in state.edits}

    names = []
    oldest = max(0, state.version - _MAX_VERSIONS)
    for number in range(state.version, oldest, -1):
        if versions.at_version(state, number) is None:
            break
        author = authors.get(number)
        if author is not None:
            name = VersionName(number=number, who=author.who, at=author.at, is_delivered=True)
        else:
            edit = pending.get(number)
            name = VersionName(
                number=number,
                who=edit.by if edit else "",
                at=edit.at if edit else state.created_at,
                is_delivered=False,
            )
        names.append(name)
    return names


def compare(
    annotation: Annotation,
    changes: Sequence[Change],
    *,
    left: int,
    right: int,
) -> Comparison | None:
    """Return two versions side by side, None if one of them is not known."""
    latest = _latest(annotation, changes)
    one = versions.at_version(latest, left)
    other = versions.at_version(latest, right)
    if one is None or other is None:
        return None

    fields = []
    for name in STORED_FIELDS:
        values = (one.values.get(name), other.values.get(name))
        title = _("Metadata")
        if name in FIELDS:
            title = str(FIELDS[name].title)
        compared = ComparedField(
            title=title,
            left=format_value(values[0]),
            right=format_value(values[1]),
            is_same=is_same_json(*values),
        )
        fields.append(compared)
    return Comparison(left=left, right=right, fields=fields)


def _latest(annotation: Annotation, changes: Sequence[Change]) -> State:
    """Return the current version, with the undelivered changes counted as versions."""
    queued = [change for change in changes if change.is_open]
    return versions.latest(annotation, queued[::-1])
