"""Tag many retrievers at once: a preview of each change, then one edit and one result for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.priority import bulk_priority
from reviewapp.retrievers import services
from reviewapp.retrievers.editing import tags
from reviewapp.retrievers.editing.edit import InvalidEdit, RetrieverEdit, tags_error
from reviewapp.retrievers.models import Retriever

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

MAX_RETRIEVERS = 200
_GONE = gettext_lazy("Mixpeek no longer has it.")


@dataclass(frozen=True, kw_only=True)
class PlannedChange:
    """The planned tags of one retriever; `obstacle` says why they would not change, or is ""."""

    retriever: Retriever
    add: list[str]
    remove: list[str]
    after: list[str]
    obstacle: str = ""


@dataclass(frozen=True, kw_only=True)
class RetagResult:
    """The result for one retriever: its change, or the reason why there is none."""

    retriever: Retriever
    change: Change | None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RetagSummary:
    """Counts of changed and unchanged retrievers, and of delivered and open changes."""

    changed: int
    delivered: int
    on_the_way: int
    unchanged: int


def summarize(results: Sequence[RetagResult]) -> RetagSummary:
    """Count the results. Pure."""
    changed = 0
    delivered = 0
    on_the_way = 0
    for result in results:
        change = result.change
        if change is None:
            continue
        changed += 1
        if change.state == Change.State.DELIVERED:
            delivered += 1
        elif change.is_open:
            on_the_way += 1

    return RetagSummary(
        changed=changed,
        delivered=delivered,
        on_the_way=on_the_way,
        unchanged=len(results) - changed,
    )


def check_tags(add: Sequence[str], remove: Sequence[str]) -> None:
    """Raise `InvalidEdit` for invalid tags, for none, and for one that is added and removed."""
    error = tags_error(add, remove)
    added_and_removed = [tag for tag in add if tag in remove]
    if not add and not remove:
        error = _("Enter a tag to add or to remove.")
    elif added_and_removed:
        error = _("“%(tag)s” cannot be both added and removed.") % {"tag": added_and_removed[0]}

    if error:
        raise InvalidEdit({"tags": error})


def plan_bulk_tags(
    retrievers: Sequence[Retriever],
    *,
    add: Sequence[str],
    remove: Sequence[str],
) -> list[PlannedChange]:
    """Return the change that each of `retrievers` would get. Pure."""
    changes = []
    for retriever in retrievers:
        delta = tags.tag_delta(retriever.tags, add=add, remove=remove)
        obstacle = ""
        if retriever.gone_at is not None:
            delta = {}
            obstacle = str(_GONE)
        elif not delta:
            obstacle = _("It already has these tags.")

        planned = delta or {tags.ADD: [], tags.REMOVE: []}
        change = PlannedChange(
            retriever=retriever,
            add=planned[tags.ADD],
            remove=planned[tags.REMOVE],
            after=tags.apply_tag_delta(retriever.tags, planned),
            obstacle=obstacle,
        )
        changes.append(change)
    return changes


def retag(
    retrievers: Sequence[Retriever],
    *,
    add: Sequence[str],
    remove: Sequence[str],
    bulk_id: UUID,
    actor: User,
) -> list[RetagResult]:
    """Edit each of `retrievers` independently; repeating a `bulk_id` changes nothing.

    Raises `PermissionDenied` and `InvalidEdit` before the first edit.
    """
    services.require_change_permission(actor)
    check_tags(add, remove)

    results = []
    with bulk_priority():
        for retriever in retrievers:
            submitted = RetrieverEdit(
                edit_id=uuid5(bulk_id, retriever.ref),
                tags_add=tuple(add),
                tags_remove=tuple(remove),
            )
            change = None
            reason = ""
            try:
                change = services.edit(retriever.pk, submitted, actor=actor)
            except services.RetrieverGone:
                reason = str(_GONE)
            except services.EditIdTaken:
                reason = _("This form was already used with other tags. Start again.")
            else:
                if change is None:
                    reason = _("It already had these tags.")
            results.append(RetagResult(retriever=retriever, change=change, reason=reason))
    return results


def load_results(retrievers: Sequence[Retriever], *, bulk_id: UUID) -> list[RetagResult]:
    """Return the current results of an earlier `retag` of `retrievers` with this `bulk_id`."""
    causes = {retriever.pk: uuid5(bulk_id, retriever.ref) for retriever in retrievers}
    changes = Change.objects.by_cause(causes.values())

    results = []
    for retriever in retrievers:
        change = changes.get(causes[retriever.pk])
        reason = ""
        if change is None:
            reason = _("Nothing was changed.") if retriever.gone_at is None else str(_GONE)
        results.append(RetagResult(retriever=retriever, change=change, reason=reason))
    return results
