"""Render annotations of our mirror in Mixpeek's JSON shape."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings

from reviewapp.annotations.fields import FIELDS, STORED_FIELDS, Kind
from reviewapp.annotations.mirror.versions import State, latest
from reviewapp.annotations.models import Annotation
from reviewapp.json_values import canonical
from reviewapp.outbox.models import Change
from reviewapp.postgres.jsonb import model_from_json
from reviewapp.postgres.statement import sql_file
from reviewapp.ref import Ref

Json = dict[str, Any]

# What is read of an annotation that is rendered, in the order of the model.
RENDERED_COLUMNS = (
    "id",
    "ref",
    "annotation_id",
    "document_id",
    "collection_id",
    "retriever_id",
    "execution_id",
    "stage_name",
    *STORED_FIELDS,
    "version",
    "upstream",
    "revisions",
    "actor_id",
    "actor_type",
    "created_at",
    "updated_at",
    "decision_id",
    "reviewer_id",
)

_OPEN_CHANGES = sql_file(__file__, "open_changes.sql", partial(model_from_json, Change))


@dataclass(frozen=True, kw_only=True)
class RenderedAnnotation:
    """An annotation's row with one of its states: the current one or that of a version.

    `queued` are the changes that the current state includes, oldest first.
    """

    row: Annotation
    state: State
    queued: Sequence[Change] = ()

    @property
    def annotation_id(self) -> str:
        """Mixpeek's id, or the id of our ref until Mixpeek has assigned one."""
        return self.row.annotation_id or Ref.parse(self.row.ref).id

    @property
    def etag(self) -> str:
        """The tag for `If-Match`: the version, the last decision and a digest of the values."""
        values = json.dumps(canonical(self.state.values), sort_keys=True, ensure_ascii=True)
        digest = hashlib.sha256(values.encode()).hexdigest()[:12]
        return f'"{self.state.version}-{self.row.decision_id or 0}-{digest}"'

    def json(self) -> Json:
        """Return Mixpeek's annotation object."""
        row = self.row
        state = self.state
        retriever_id = row.retriever.retriever_id if row.retriever else None

        actor_id = row.actor_id or "system"
        actor_type = row.actor_type or "system"
        if row.annotation_id is None and row.reviewer is not None:
            # Not created upstream yet, so the author is still known.
            actor_id = row.reviewer.get_username()
            actor_type = "user"

        revisions = []
        for edit in state.edits:
            # All keys are required, so what upstream left out is filled in.
            revision = {
                "version": edit.version,
                "prior": edit.prior,
                "edited_at": iso_utc(edit.at) or "1970-01-01T00:00:00Z",
                "edited_by": edit.by or "unknown",
                "edited_by_type": edit.by_type or "system",
            }
            revisions.append(revision)

        return {
            "annotation_id": self.annotation_id,
            "document_id": row.document_id,
            "namespace_id": settings.MIXPEEK_NAMESPACE,
            "collection_id": row.collection_id or None,
            **render_values(state.values),
            "retriever_id": retriever_id,
            "execution_id": row.execution_id or None,
            "stage_name": row.stage_name or None,
            "actor_id": actor_id,
            "actor_type": actor_type,
            "created_at": iso_utc(state.created_at),
            "updated_at": iso_utc(state.updated_at),
            "version": state.version,
            "revisions": revisions,
        }


def render_annotations(
    rows: Sequence[Annotation],
    *,
    refs: Sequence[str] | None = None,
) -> list[RenderedAnnotation]:
    """Return the rows with their queued changes applied.

    `refs` are those of them that have any, if that is known. One query; none without refs.
    """
    if refs is None:
        refs = [row.ref for row in rows]
    changes_by_ref: dict[str, list[Change]] = defaultdict(list)
    if refs:
        for change in _OPEN_CHANGES.rows(refs=refs):
            changes_by_ref[change.ref].append(change)

    rendered = []
    for row in rows:
        queued = changes_by_ref[row.ref]
        state = latest(row, queued)
        rendered.append(RenderedAnnotation(row=row, state=state, queued=queued))
    return rendered


def render_values(values: Json) -> Json:
    """Return the values as Mixpeek spells them: blank reasoning is null."""
    rendered = {**values, "metadata": values.get("metadata")}
    for name, field in FIELDS.items():
        if field.kind is Kind.TEXT and not field.is_required:
            rendered[name] = values.get(name) or None
    return rendered


def render_versions(annotation: RenderedAnnotation) -> Json:
    """Return the body of `/versions`: the versions we know of, oldest first."""
    state = annotation.state
    edits_by_new_version = {edit.version + 1: edit for edit in state.edits}
    numbers = {edit.version for edit in state.edits}
    numbers.add(state.version)

    versions = []
    for number in sorted(numbers):
        edit = edits_by_new_version.get(number)
        version = {
            "version": number,
            "current": number == state.version,
            "edited_at": iso_utc(edit.at) if edit else None,
            "edited_by": edit.by if edit else None,
            "edited_by_type": edit.by_type if edit else None,
            "changed_fields": sorted(edit.prior) if edit else None,
        }
        versions.append(version)

    return {
        "annotation_id": annotation.annotation_id,
        "current_version": state.version,
        "versions": versions,
    }


def iso_utc(moment: datetime | None) -> str | None:
    """Return ISO 8601 in UTC, as Mixpeek writes it."""
    if moment is None:
        return None
    return moment.isoformat().replace("+00:00", "Z")


def etag_matches(etag: str, header: str) -> bool:
    """Return whether an `If-Match` header names this tag; a proxy may have made it a weak one."""
    if header.strip() == "*":
        return True
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag in tags


def version_from_etag(header: str) -> int | None:
    """Return the version in the first tag of an `If-Match` header, None if the tag is not ours."""
    first_tag = header.split(",", maxsplit=1)[0].strip().removeprefix("W/").strip('"')
    number = first_tag.partition("-")[0]
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return None
    return int(number)
