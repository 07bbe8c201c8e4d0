"""What delivery needs of each kind of ref (`Handler`), and what it returns (`DeliveryOutcome`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from reviewapp.mixpeek.client import Client
from reviewapp.outbox import claims
from reviewapp.outbox.models import Change
from reviewapp.outbox.settle import Settlement


class ClaimLost(Exception):
    """The claim expired during the delivery: another worker may be delivering the change."""


def ensure_claim(change: Change, client: Client) -> None:
    """Raise `ClaimLost` unless the claim outlasts one more call; called right before each write."""
    if not ensure_claims([change], client):
        raise ClaimLost(change.ref)


def ensure_claims(changes: Sequence[Change], client: Client) -> list[Change]:
    """Return those whose claim outlasts one more call, after renewing the claims that do not."""
    needed_until = timezone.now() + timedelta(seconds=client.longest_call)
    expiring = [change for change in changes if change.due <= needed_until]
    if not expiring:
        return list(changes)

    renewed_keys = {change.pk for change in claims.renew(expiring)}
    lost_keys = {change.pk for change in expiring} - renewed_keys
    return [change for change in changes if change.pk not in lost_keys]


@dataclass(frozen=True, kw_only=True)
class DeliveryOutcome:
    """What an attempt came to: how to settle the change, and what to update in the mirror.

    `record` is what upstream returned last; with `rebase` the mirror shows its values again. `gone`
    says that upstream does not have it any more. `concurrent_records` were created by others at the
    same moment. `uncleared` is all that upstream still shows although it was cleared (see
    `Annotation.uncleared`), None when that has not changed.
    """

    settlement: Settlement
    record: Any = None
    concurrent_records: tuple[Any, ...] = ()
    rebase: bool = False
    gone: bool = False
    uncleared: Mapping[str, Any] | None = None

    @property
    def change(self) -> Change:
        """The change that was attempted."""
        return self.settlement.change


def delivered(change: Change, record: Any, **facts: Any) -> DeliveryOutcome:
    """Return the outcome of a change that `record` proves.

    `facts` are other fields of `Settlement`, such as `version`, `merged` and `raced`.
    """
    settlement = Settlement(change=change, state=Change.State.DELIVERED, **facts)
    return DeliveryOutcome(settlement=settlement, record=record)


def conflicting(change: Change, record: Any, names: Sequence[str], **facts: Any) -> DeliveryOutcome:
    """Return the outcome of a change whose fields `names` somebody else has set upstream.

    `facts` are `theirs`, `version` and `raced`.
    """
    fields = " and ".join(names)
    verb = "were"
    if len(names) == 1:
        verb = "was"
    settlement = Settlement(
        change=change,
        state=Change.State.CONFLICT,
        reason=f"The {fields} {verb} changed at Mixpeek before this was sent.",
        **facts,
    )
    return DeliveryOutcome(settlement=settlement, record=record, rebase=True)


def refused(
    change: Change,
    reason: str,
    *,
    record: Any = None,
    gone: bool = False,
    **facts: Any,
) -> DeliveryOutcome:
    """Return the outcome of a change that upstream refuses.

    `facts` are `field_errors` and `upstream_request_id`.
    """
    settlement = Settlement(
        change=change,
        state=Change.State.REFUSED,
        reason=reason,
        **facts,
    )
    return DeliveryOutcome(settlement=settlement, record=record, rebase=not gone, gone=gone)


@dataclass(frozen=True, kw_only=True)
class Handler:
    """How the changes of one kind of ref are delivered and settled.

    - `noun` names the kind in sentences.
    - `load_rows` returns our rows by ref, with the columns that `deliver` needs.
    - `deliver` reads upstream, compares, writes and compares the reply; it raises what the client
      raises.
    - `lock_rows` locks our rows of these refs and records, in the order of their keys.
    - `absorb` lets records into the mirror.
    - `rebase` shows again what upstream returned last for a ref, if the row still exists.
    - `mark_gone` notes that upstream does not have the ref any more.
    - `note_uncleared` notes what upstream still shows although it was cleared.
    """

    noun: str
    load_rows: Callable[[Sequence[str]], Mapping[str, Any]]
    deliver: Callable[[Change, Any, Client], DeliveryOutcome]
    lock_rows: Callable[[Sequence[str], Sequence[Any]], object]
    absorb: Callable[[Sequence[Any]], object]
    rebase: Callable[[str], None]
    mark_gone: Callable[[str], None]
    note_uncleared: Callable[[str, Mapping[str, Any]], None] | None = None
