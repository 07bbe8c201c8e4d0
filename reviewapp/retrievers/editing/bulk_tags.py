"""Tags of many retrievers at once: a preview of each change, then one edit for each, with a result of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.priority import in_bulk
from reviewapp.retrievers import services
from reviewapp.retrievers.editing import tags
from reviewapp.retrievers.editing.edit import Edit, Unacceptable, wrong_tags
from reviewapp.retrievers.models import Retriever

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

MOST = 200


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What would become of one retriever's tags; `why_not` says why nothing would."""

    retriever: Retriever
    add: list[str]
    remove: list[str]
    after: list[str]
    why_not: str = ""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of one retriever: the change on its way to Mixpeek, or in one sentence why there is none."""

    retriever: Retriever
    change: Change | None
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Sum:
    """How many of some retrievers were changed, how many of these Mixpeek has by now or is to get, and how
    many stayed as they were."""

    changed: int
    delivered: int
    on_the_way: int
    unchanged: int


def summed(done: Sequence[Done]) -> Sum:
    """Return what became of all together. Pure."""
    changes = [one.change for one in done if one.change]
    return Sum(
        changed=len(changes),
        delivered=sum(1 for change in changes if change.state == Change.State.DELIVERED),
        on_the_way=sum(1 for change in changes if change.is_open),
        unchanged=len(done) - len(changes),
    )


def check(add: Sequence[str], remove: Sequence[str]) -> None:
    """Raise `Unacceptable` for tags that nobody can have, for none, and for one that is to come and to go."""
    said = wrong_tags([*add, *remove])
    if not add and not remove:
        said = "Name a tag to add or to remove."
    elif both := [tag for tag in add if tag in remove]:
        said = f"“{both[0]}” cannot be added and removed at once."
    if said:
        raise Unacceptable({"tags": said})


def plan(retrievers: Sequence[Retriever], *, add: Sequence[str], remove: Sequence[str]) -> list[Planned]:
    """Return what would be different about each of `retrievers`. Pure."""
    return [_planned(one, add, remove) for one in retrievers]


def retag(
    retrievers: Sequence[Retriever], *, add: Sequence[str], remove: Sequence[str], bulk_id: UUID, actor: User
) -> list[Done]:
    """Edit each of `retrievers`, independently of the others; the same `bulk_id` again does nothing twice.

    Raises `PermissionDenied` and `Unacceptable` before the first.
    """
    services.may_change(actor)
    check(add, remove)
    with in_bulk():
        return [_done(one, add, remove, uuid5(bulk_id, one.ref), actor) for one in retrievers]


def done_before(retrievers: Sequence[Retriever], *, bulk_id: UUID) -> list[Done]:
    """Return what became of each of `retrievers` when they were retagged under this `bulk_id`, as it stands now."""
    causes = {one.pk: uuid5(bulk_id, one.ref) for one in retrievers}
    made = {change.cause: change for change in Change.objects.filter(cause__in=causes.values())}
    return [_as_it_stands(one, made.get(causes[one.pk])) for one in retrievers]


def _as_it_stands(retriever: Retriever, change: Change | None) -> Done:
    gone = "It is not at Mixpeek any more." if retriever.gone_at is not None else ""
    return Done(retriever=retriever, change=change, said="" if change else gone or "Nothing was changed.")


def _planned(retriever: Retriever, add: Sequence[str], remove: Sequence[str]) -> Planned:
    made = tags.delta(retriever.tags, add=add, remove=remove)
    why_not = "It has these tags already." if not made else ""
    if retriever.gone_at is not None:
        made, why_not = {}, "It is not at Mixpeek any more."
    shown = made or {tags.ADD: [], tags.REMOVE: []}
    return Planned(
        retriever=retriever,
        add=shown[tags.ADD],
        remove=shown[tags.REMOVE],
        after=tags.merged(retriever.tags, shown),
        why_not=why_not,
    )


def _done(retriever: Retriever, add: Sequence[str], remove: Sequence[str], edit_id: UUID, actor: User) -> Done:
    wish = Edit(edit_id=edit_id, tags_add=tuple(add), tags_remove=tuple(remove))
    try:
        change = services.edit(retriever.pk, wish, actor=actor)
    except services.RetrieverGone:
        return Done(retriever=retriever, change=None, said="It is not at Mixpeek any more.")
    except services.EditIdTaken:
        return Done(retriever=retriever, change=None, said="This was done before with other tags; start again.")
    return Done(retriever=retriever, change=change, said="" if change else "It had these tags already.")
