"""A script's edit of a retriever, made what an admin's is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils.translation import gettext as _

from reviewapp.api.annotations import render
from reviewapp.api.errors import Problem, not_found, validation_problem
from reviewapp.api.retrievers.list import RenderedRetriever, get_retriever, render_retrievers
from reviewapp.audit.context import acting
from reviewapp.outbox.models import Change
from reviewapp.retrievers.editing import tags
from reviewapp.retrievers.models import Retriever
from reviewapp.retrievers.services import (
    EditIdTaken,
    InvalidEdit,
    RetrieverEdit,
    RetrieverGone,
    StaleEdit,
    edit,
)

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

_KEYS = {"name": "retriever_name"}


def patch_retriever(
    name: str,
    data: Mapping[str, Any],
    *,
    if_match: str,
    edit_id: UUID,
    actor: User,
) -> tuple[RenderedRetriever, int | None]:
    """Edit a retriever; return it and the id of the change that delivers the edit, if any.

    A null is ignored, except for `description`, which it clears. Raises 400 without any value, as
    upstream does, 404, 409 when `If-Match` names an older state, and 422.
    """
    values = {}
    for key, value in data.items():
        if value is not None or key == "description":
            values[key] = value
    if not values:
        raise Problem(400, "No fields provided for update")
    with acting(actor):
        row = Retriever.objects.select_for_update().get(pk=get_retriever(name).pk)
        current = render_retrievers([row])[0]
        is_replay = Change.objects.filter(cause=edit_id, ref=row.ref, actor_id=actor.pk).exists()
        if if_match and not is_replay and not render.etag_matches(current.etag, if_match):
            details = {
                "base": None,
                "mine": dict(values),
                "theirs": current.json(),
                "etag": current.etag,
            }
            message = _("It was changed after you read it.")
            raise Problem(409, message, code="stale", details=details)
        change = _apply_edit(row, values, edit_id, actor)

    retriever = render_retrievers([Retriever.objects.get(pk=row.pk)])[0]
    return retriever, change.pk if change else None


def _apply_edit(
    row: Retriever,
    values: Mapping[str, Any],
    edit_id: UUID,
    actor: User,
) -> Change | None:
    tag_changes: Mapping[str, Sequence[str]] = {tags.ADD: [], tags.REMOVE: []}
    if "tags" in values:
        tag_changes = tags.tag_delta_between(row.tags, values["tags"])

    description = None
    if "description" in values:
        description = values["description"] or ""

    requested_edit = RetrieverEdit(
        edit_id=edit_id,
        name=values.get("retriever_name"),
        description=description,
        tags_add=tuple(tag_changes[tags.ADD]),
        tags_remove=tuple(tag_changes[tags.REMOVE]),
    )

    earlier = Change.objects.filter(cause=edit_id, ref=row.ref, actor_id=actor.pk).first()
    if earlier is not None:
        return earlier
    try:
        return edit(row.pk, requested_edit, actor=actor)
    except InvalidEdit as error:
        errors = []
        for key, message in error.fields.items():
            errors.append(("value_error", ["body", _KEYS.get(key, key)], message))
        raise validation_problem(errors) from error
    except RetrieverGone as error:
        raise not_found("retriever", row.retriever_id) from error
    except (EditIdTaken, StaleEdit) as error:
        raise Problem(409, str(error)) from error
