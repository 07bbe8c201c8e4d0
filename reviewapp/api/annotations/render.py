"""An annotation as Mixpeek would show it, from our mirror."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from reviewapp.annotations.mirror.versions import Edit, State, latest
from reviewapp.annotations.models import Annotation
from reviewapp.asked import asked
from reviewapp.json_values import canonical
from reviewapp.outbox.models import Change

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An annotation's row and the state of it that is shown."""

    row: Annotation
    state: State

    @property
    def annotation_id(self) -> str:
        """Mixpeek's id, or the last part of our ref while Mixpeek has none."""
        return self.row.annotation_id or self.row.ref.removeprefix("annotations/")

    @property
    def etag(self) -> str:
        """What `If-Match` compares: the version, the decision in force, and the values themselves."""
        values = json.dumps(canonical(self.state.values), sort_keys=True, ensure_ascii=True)
        digest = hashlib.sha256(values.encode()).hexdigest()[:12]
        return f'"{self.state.version}-{self.row.decision_id or 0}-{digest}"'

    def json(self) -> Json:
        """Return Mixpeek's annotation object."""
        row, state = self.row, self.state
        ours = row.annotation_id is None and row.reviewer is not None
        return {
            "annotation_id": self.annotation_id,
            "document_id": row.document_id,
            "namespace_id": settings.MIXPEEK_NAMESPACE,
            "collection_id": row.collection_id or None,
            **values(state.values),
            "retriever_id": row.retriever.retriever_id if row.retriever else None,
            "execution_id": row.execution_id or None,
            "stage_name": row.stage_name or None,
            "actor_id": row.reviewer.get_username() if ours and row.reviewer else row.actor_id or "system",
            "actor_type": "user" if ours else row.actor_type or "system",
            "created_at": instant(state.created_at),
            "updated_at": instant(state.updated_at),
            "version": state.version,
            "revisions": [revision(edit) for edit in state.edits],
        }


def show(rows: Iterable[Annotation]) -> list[Shown]:
    """Return the rows with what is still to be delivered on top. One query; none if the rows say there is nothing."""
    rows = list(rows)
    queued: dict[str, list[Change]] = defaultdict(list)
    for change in _queued([row.ref for row in rows if getattr(row, "has_queued", True)]):
        queued[change.ref].append(change)
    return [Shown(row=row, state=latest(row, queued[row.ref])) for row in rows]


def _queued(refs: list[str]) -> list[Change]:
    if len(refs) == 1:
        return _queued_on(ref=refs[0])
    return list(Change.objects.filter(ref__in=refs, state=Change.State.QUEUED).order_by("id")) if refs else []


@asked
def _queued_on(ref: str) -> QuerySet[Change]:
    return Change.objects.open_on(ref)


def values(state: Json) -> Json:
    """Return the values as Mixpeek spells them: blank reasoning is null."""
    return {**state, "reasoning": state.get("reasoning") or None, "metadata": state.get("metadata")}


def revision(edit: Edit) -> Json:
    """Return one revision; its keys are all required, so what upstream left out is filled in."""
    return {
        "version": edit.version,
        "prior": edit.prior,
        "edited_at": instant(edit.at) or "1970-01-01T00:00:00Z",
        "edited_by": edit.by or "unknown",
        "edited_by_type": edit.by_type or "system",
    }


def history(shown: Shown) -> Json:
    """Return the `/versions` answer: the versions we know of, oldest first."""
    state = shown.state
    made_by = {edit.version + 1: edit for edit in state.edits}
    numbers = sorted({*(edit.version for edit in state.edits), state.version})
    return {
        "annotation_id": shown.annotation_id,
        "current_version": state.version,
        "versions": [_line(number, made_by.get(number), state.version) for number in numbers],
    }


def _line(number: int, edit: Edit | None, current: int) -> Json:
    return {
        "version": number,
        "current": number == current,
        "edited_at": instant(edit.at) if edit else None,
        "edited_by": edit.by if edit else None,
        "edited_by_type": edit.by_type if edit else None,
        "changed_fields": sorted(edit.prior) if edit else None,
    }


def instant(at: datetime | None) -> str | None:
    """Return ISO 8601 in UTC, as Mixpeek writes it."""
    return at.isoformat().replace("+00:00", "Z") if at else None


def matching(etag: str, header: str) -> bool:
    """Return whether an `If-Match` header names this tag; a proxy may have made it a weak one."""
    names = [name.strip().removeprefix("W/") for name in header.split(",")]
    return header.strip() == "*" or etag in names


def version_of(header: str) -> int | None:
    """Return the version that the first tag of an `If-Match` header was given for, None when it is not one of ours."""
    number = header.split(",", maxsplit=1)[0].strip().removeprefix("W/").strip('"').partition("-")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
