"""A script's edit of a retriever, made what an admin's is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from reviewapp.api.annotations import render
from reviewapp.api.errors import Problem, invalid, not_found
from reviewapp.api.retrievers.list import Shown, find, show
from reviewapp.audit.context import acting
from reviewapp.outbox.models import Change
from reviewapp.retrievers.editing import tags
from reviewapp.retrievers.models import Retriever
from reviewapp.retrievers.services import Edit, EditIdTaken, RetrieverGone, Stale, Unacceptable, edit

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

_KEYS = {"name": "retriever_name"}


def patch(
    name: str, asked: Mapping[str, Any], *, if_match: str, edit_id: UUID, actor: User
) -> tuple[Shown, int | None]:
    """Edit a retriever; returns it as it stands then, and the id of the change that carries it, if any.

    A null counts as not given, but for `description`, which it clears. Raises 400 when nothing is given, as upstream
    does, 404, 409 when `If-Match` names an older state, and 422.
    """
    given = {key: value for key, value in asked.items() if value is not None or key == "description"}
    if not given:
        raise Problem(400, "No fields provided for update")
    with acting(actor):
        row = Retriever.objects.select_for_update().get(pk=find(name).pk)
        now = show([row])[0]
        is_replay = Change.objects.filter(cause=edit_id, ref=row.ref, actor_id=actor.pk).exists()
        if if_match and not is_replay and not render.matching(now.etag, if_match):
            details = {"base": None, "mine": dict(given), "theirs": now.json(), "etag": now.etag}
            raise Problem(409, "It was changed since you read it.", code="stale", details=details)
        change = _edited(row, given, edit_id, actor)
    return show([Retriever.objects.get(pk=row.pk)])[0], change.pk if change else None


def _edited(row: Retriever, given: Mapping[str, Any], edit_id: UUID, actor: User) -> Change | None:
    sets = tags.between(row.tags, given["tags"]) if "tags" in given else {tags.ADD: [], tags.REMOVE: []}
    wish = Edit(
        edit_id=edit_id,
        name=given.get("retriever_name"),
        description=(given["description"] or "") if "description" in given else None,
        tags_add=tuple(sets[tags.ADD]),
        tags_remove=tuple(sets[tags.REMOVE]),
    )
    if made := Change.objects.filter(cause=edit_id, ref=row.ref, actor_id=actor.pk).first():
        return made
    try:
        return edit(row.pk, wish, actor=actor)
    except Unacceptable as error:
        wrongs = [("value_error", ["body", _KEYS.get(key, key)], said) for key, said in error.fields.items()]
        raise invalid(wrongs) from error
    except RetrieverGone as error:
        raise not_found("retriever", row.retriever_id) from error
    except (EditIdTaken, Stale) as error:
        raise Problem(409, str(error)) from error
