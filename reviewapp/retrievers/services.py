"""What people do with retrievers: change their name, description and tags, and ask for a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid5

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from reviewapp.audit.context import acting
from reviewapp.outbox import rebase as outbox_rebase
from reviewapp.outbox import services as outbox
from reviewapp.outbox import wake_worker
from reviewapp.outbox.models import Change
from reviewapp.retrievers.editing.edit import (
    FIELDS,
    Edit,
    NameTaken,
    Stale,
    Unacceptable,
    applied,
    check,
    merge,
    wanted,
)
from reviewapp.retrievers.mirror import rebase
from reviewapp.retrievers.models import Execution, Retriever

__all__ = [
    "Edit",
    "EditIdTaken",
    "NameTaken",
    "RetrieverGone",
    "Stale",
    "Unacceptable",
    "edit",
    "may_change",
    "request_execution",
    "requested",
    "take_theirs",
    "wake",
    "withdraw",
]

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


class RetrieverGone(Exception):
    """The retriever is not upstream any more, so it can neither be run nor changed."""


class EditIdTaken(Exception):
    """This edit id was used for something else: render the form anew, which makes a fresh one."""


def edit(retriever_pk: int, wish: Edit, *, actor: User) -> Change | None:
    """Change a retriever here and promise the difference to Mixpeek; all or nothing. None when nothing differs.

    The change's ref is `retrievers/<retriever_id>`; its fields hold `name` and `description` as they are to be, and
    `tags` as `{"add": [...], "remove": [...]}`. Raises `PermissionDenied`, `Unacceptable` (`NameTaken` among it),
    `Retriever.DoesNotExist`, `RetrieverGone`, `EditIdTaken`, and `Stale`. The same edit id again returns the change it
    made.
    """
    may_change(actor)
    check(wish)
    with acting(actor):
        retriever = Retriever.objects.select_for_update().get(pk=retriever_pk)
        seen = Change.objects.filter(cause=wish.edit_id).first()
        if seen is not None and seen.actor_id != actor.pk:
            # Counts as an unused id, so that no answer tells that another person's change has it.
            wish = replace(wish, edit_id=uuid5(wish.edit_id, f"person {actor.pk}"))
            seen = Change.objects.filter(cause=wish.edit_id).first()
        if seen is not None:
            return _replayed(seen, retriever, wish)
        if retriever.gone_at is not None:
            raise RetrieverGone(f"{retriever.name} is not at Mixpeek any more.")
        before = retriever.values()
        _raise_if_stale(retriever, wish)
        fields = wanted(wish, before)
        _raise_if_taken(retriever, fields)
        _withdraw_answered(retriever, wish, fields, actor)
        return _promise(retriever, wish, before, fields, actor) if fields else None


def take_theirs(change: Change, *, actor: User) -> bool:
    """Give up what conflicted or was refused: upstream's values stand. Returns False when it was settled before."""
    may_change(actor)
    with acting(actor, note="took Mixpeek's values"):
        Retriever.objects.select_for_update().get(retriever_id=change.ref.partition("/")[2])
        withdrawn = outbox.withdraw(change, reason=f"{actor.get_username()} took Mixpeek's values")
        if withdrawn:
            rebase(change.ref)
    return withdrawn


def withdraw(change: Change, *, reason: str, actor: User) -> bool:
    """Take back a change that cannot be on the wire; False when it was too late. Raises `PermissionDenied`."""
    may_change(actor)
    with acting(actor, note="withdrawn under Deliveries"):
        Retriever.objects.select_for_update().get(retriever_id=change.ref.partition("/")[2])
        unsent = Change.objects.select_for_update().get(pk=change.pk).is_open
        withdrawn = outbox.withdraw_unsent(change, reason=reason)
        if withdrawn:
            if unsent:
                outbox_rebase.fall_away(change)
            rebase(change.ref)
    return withdrawn


def may_change(actor: User) -> None:
    """Raise `PermissionDenied` unless this person may change retrievers."""
    if not actor.has_perm("retrievers.change_retriever"):
        raise PermissionDenied("Changing a retriever needs the role admin.")


def _raise_if_stale(retriever: Retriever, wish: Edit) -> None:
    now = retriever.values()
    merged = merge(wish, now)
    if merged.conflicts:
        seen = {**now, **{name: wish.base[name] for name in FIELDS if name in wish.base}}
        raise Stale(retriever.ref, base=seen, mine=seen | wish.texts(), theirs=now, merge=merged)


def _raise_if_taken(retriever: Retriever, fields: Mapping[str, Any]) -> None:
    """Raise `NameTaken` at once where we know better than to ask upstream, which has the last word."""
    if "name" in fields and Retriever.objects.present().exclude(pk=retriever.pk).filter(name=fields["name"]).exists():
        raise NameTaken({"name": f"Another retriever is called “{fields['name']}” already."})


def _replayed(seen: Change, retriever: Retriever, wish: Edit) -> Change:
    """Return the change this edit made, unless an old form came back with something else in it."""
    if seen.ref != retriever.ref or wanted(wish, seen.base) != seen.fields:
        raise EditIdTaken(str(wish.edit_id))
    return seen


def _withdraw_answered(retriever: Retriever, wish: Edit, fields: Mapping[str, Any], actor: User) -> None:
    """Take back what waited for a person and is dealt with now: what was answered, and texts that are set anew.

    Tags that could not be delivered are nobody else's to give up.
    """
    for waiting in Change.objects.attention().filter(ref=retriever.ref):
        set_anew = "tags" not in waiting.fields and waiting.fields.keys() <= fields.keys()
        if waiting.pk == wish.answers or set_anew:
            outbox.withdraw(waiting, reason=f"replaced by a new edit of {actor.get_username()}")


def _promise(
    retriever: Retriever, wish: Edit, before: Mapping[str, Any], fields: Mapping[str, Any], actor: User
) -> Change:
    for name, value in applied(fields, before).items():
        setattr(retriever, name, value)
    retriever.save(update_fields=FIELDS)
    return outbox.enqueue(
        retriever.ref,
        fields=fields,
        base=before,
        base_version=retriever.version,
        cause=wish.edit_id,
        actor=actor,
        retriever_id=retriever.retriever_id,
    )


def request_execution(retriever: Retriever, inputs: Mapping[str, Any], *, actor: User) -> Execution:
    """Ask for one run of `retriever`; a worker makes it once the transaction commits.

    `inputs` are by the names in its input_schema, as `forms.RunForm` gives them. Raises `PermissionDenied` unless
    `actor` may run retrievers, and `RetrieverGone`.
    """
    if not actor.has_perm("retrievers.run_retriever"):
        raise PermissionDenied("Only leads and admins run retrievers.")
    if retriever.gone_at is not None:
        raise RetrieverGone(f"{retriever.name} is not at Mixpeek any more.")
    with acting(actor):
        execution = requested(retriever, inputs, by=actor.get_username())
        transaction.on_commit(wake)
    return execution


def requested(
    retriever: Retriever, inputs: Mapping[str, Any], *, by: str, claimed_at: datetime | None = None
) -> Execution:
    """Record a run that is to be made, inside the caller's transaction, and wake nobody.

    Who gives `claimed_at` makes the run itself: no worker will.
    """
    return Execution.objects.create(
        retriever=retriever,
        inputs=dict(inputs),
        requested_by=by,
        retriever_version=retriever.version,
        created_at=timezone.now(),
        claimed_at=claimed_at,
    )


def wake() -> None:
    """Have a worker make the requested runs; one waiting wake-up is enough for all."""
    wake_worker.wake("sync.run_requested")
