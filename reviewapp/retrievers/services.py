"""Change a retriever's name, description and tags, and request runs of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid5

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from reviewapp.audit.context import acting
from reviewapp.naming import same_key
from reviewapp.outbox import rebase as outbox_rebase
from reviewapp.outbox import services as outbox
from reviewapp.outbox import wake_worker
from reviewapp.outbox.models import Change
from reviewapp.ref import Ref
from reviewapp.retrievers.editing.edit import (
    RETRIEVER_FIELDS,
    InvalidEdit,
    NameTaken,
    RetrieverEdit,
    StaleEdit,
    apply_change,
    change_fields,
    check_edit,
    merge,
)
from reviewapp.retrievers.mirror import rebase_retriever
from reviewapp.retrievers.models import Execution, Retriever

__all__ = [
    "EditIdTaken",
    "InvalidEdit",
    "NameTaken",
    "RetrieverEdit",
    "RetrieverGone",
    "StaleEdit",
    "edit",
    "record_requested_run",
    "request_execution",
    "require_change_permission",
    "take_upstream_values",
    "wake_run_worker",
    "withdraw_retriever_change",
]

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


class RetrieverGone(Exception):
    """The retriever is no longer at Mixpeek; it can be neither run nor changed."""


class EditIdTaken(Exception):
    """This edit id belongs to another edit: render the form again, with a new id."""


def edit(
    retriever_pk: int, submitted: RetrieverEdit, *, actor: User, note: str = ""
) -> Change | None:
    """Change a retriever here and enqueue the difference for Mixpeek; None if nothing differs.

    The change's ref is `retrievers/<retriever_id>`. Its fields hold the new `name` and
    `description`, and `tags` as `{"add": [...], "remove": [...]}`. The same edit id again returns
    the change it made. The history shows the `note`. Raises `PermissionDenied`, `InvalidEdit` (and
    its subclass `NameTaken`), `Retriever.DoesNotExist`, `RetrieverGone`, `EditIdTaken`, and
    `StaleEdit`.
    """
    require_change_permission(actor)
    check_edit(submitted)

    with acting(actor, note=note):
        retriever = Retriever.objects.select_for_update().get(pk=retriever_pk)

        earlier = Change.objects.filter(cause=submitted.edit_id).first()
        if earlier is not None and earlier.actor_id != actor.pk:
            # The id of another person's change counts as unused, so that no answer reveals it.
            own_id = uuid5(submitted.edit_id, f"person {actor.pk}")
            submitted = replace(submitted, edit_id=own_id)
            earlier = Change.objects.filter(cause=submitted.edit_id).first()
        if earlier is not None:
            fields_then = change_fields(submitted, earlier.base)
            if earlier.ref != retriever.ref or fields_then != earlier.fields:
                raise EditIdTaken(str(submitted.edit_id))
            return earlier

        if retriever.gone_at is not None:
            raise RetrieverGone(_("Mixpeek no longer has %(name)s.") % {"name": retriever.name})

        before = retriever.values()
        _raise_if_stale(retriever, submitted)
        fields = change_fields(submitted, before)
        _raise_if_name_taken(retriever, fields)
        _withdraw_superseded(retriever, submitted, fields, actor)
        if not fields:
            return None

        for name, value in apply_change(fields, before).items():
            setattr(retriever, name, value)
        retriever.save(update_fields=RETRIEVER_FIELDS)
        return outbox.enqueue(
            retriever.ref,
            fields=fields,
            base=before,
            base_version=retriever.version,
            cause=submitted.edit_id,
            actor=actor,
            retriever_id=retriever.retriever_id,
        )


def take_upstream_values(change: Change, *, actor: User) -> bool:
    """Discard a conflicting or refused change and show upstream's values.

    Returns False if the change was settled before.
    """
    require_change_permission(actor)
    with acting(actor, note="took Mixpeek's values"):
        _lock_retriever(change.ref)
        reason = f"{actor.get_username()} took Mixpeek's values"
        is_withdrawn = outbox.withdraw(change, reason=reason)
        if is_withdrawn:
            rebase_retriever(change.ref)
    return is_withdrawn


def withdraw_retriever_change(change: Change, *, reason: str, actor: User) -> bool:
    """Withdraw an unsent change; return False if it is too late. Raises `PermissionDenied`."""
    require_change_permission(actor)
    with acting(actor, note="withdrawn under Deliveries"):
        _lock_retriever(change.ref)
        was_open = Change.objects.select_for_update().get(pk=change.pk).is_open
        if not outbox.withdraw_unsent(change, reason=reason):
            return False

        if was_open:
            outbox_rebase.rebase_after_withdrawal(change)
        rebase_retriever(change.ref)
    return True


def _lock_retriever(ref: str) -> None:
    list(Retriever.objects.select_for_update().filter(retriever_id=Ref.parse(ref).id))


def require_change_permission(actor: User) -> None:
    """Raise `PermissionDenied` unless this person may change retrievers."""
    if not actor.has_perm("retrievers.change_retriever"):
        raise PermissionDenied(_("Only admins can change retrievers."))


def _raise_if_stale(retriever: Retriever, submitted: RetrieverEdit) -> None:
    theirs = retriever.values()
    merged = merge(submitted, theirs)
    if merged.conflicts:
        base = dict(theirs)
        for name in RETRIEVER_FIELDS:
            if name in submitted.base:
                base[name] = submitted.base[name]
        mine = base | submitted.texts()
        raise StaleEdit(retriever.ref, base=base, mine=mine, theirs=theirs, merge=merged)


def _raise_if_name_taken(retriever: Retriever, fields: Mapping[str, Any]) -> None:
    """Raise `NameTaken` if our mirror shows it already; upstream checks again."""
    if "name" not in fields:
        return
    others = Retriever.objects.present().exclude(pk=retriever.pk)
    key = same_key(fields["name"])
    for name in others.values_list("name", flat=True):
        if same_key(name) == key:
            sentence = _("Another retriever is already named “%(name)s”.") % {"name": name}
            raise NameTaken({"name": sentence})


def _withdraw_superseded(
    retriever: Retriever,
    submitted: RetrieverEdit,
    fields: Mapping[str, Any],
    actor: User,
) -> None:
    """Withdraw the change that this edit answers, and those whose texts it sets again.

    Undelivered tags stay: another person's tags are not discarded.
    """
    reason = f"replaced by a new edit of {actor.get_username()}"
    for change in Change.objects.attention().filter(ref=retriever.ref):
        is_set_again = "tags" not in change.fields and change.fields.keys() <= fields.keys()
        if change.pk == submitted.answers or is_set_again:
            outbox.withdraw(change, reason=reason)


def request_execution(retriever: Retriever, inputs: Mapping[str, Any], *, actor: User) -> Execution:
    """Request one run of `retriever`; a worker makes it once the transaction commits.

    `inputs` are by the names in its input_schema, as `forms.RunForm` returns them. Raises
    `PermissionDenied` unless `actor` may run retrievers, and `RetrieverGone`.
    """
    if not actor.has_perm("retrievers.run_retriever"):
        raise PermissionDenied(_("Only leads and admins can run retrievers."))
    if retriever.gone_at is not None:
        raise RetrieverGone(_("Mixpeek no longer has %(name)s.") % {"name": retriever.name})
    with acting(actor):
        execution = record_requested_run(retriever, inputs, by=actor.get_username())
        transaction.on_commit(wake_run_worker)
    return execution


def record_requested_run(
    retriever: Retriever, inputs: Mapping[str, Any], *, by: str, claimed_at: datetime | None = None
) -> Execution:
    """Record a requested run inside the caller's transaction, without waking a worker.

    A caller that passes `claimed_at` makes the run itself: no worker will.
    """
    return Execution.objects.create(
        retriever=retriever,
        inputs=dict(inputs),
        requested_by=by,
        retriever_version=retriever.version,
        created_at=timezone.now(),
        claimed_at=claimed_at,
    )


def wake_run_worker() -> None:
    """Wake a worker to make the requested runs; one queued job is enough for all."""
    wake_worker.queue_wakeup("sync.run_requested")
