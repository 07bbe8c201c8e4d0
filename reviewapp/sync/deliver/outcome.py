"""What delivering has to know of a kind of thing; there is one target for each kind of ref."""

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
    """This process was held up for longer than its claim: somebody else may be delivering the change by now."""


def hold_claim(change: Change, client: Client) -> None:
    """Raise `ClaimLost` unless the change is ours for as long as one call may last; asked right before each write."""
    if not held([change], client):
        raise ClaimLost(change.ref)


def held(changes: Sequence[Change], client: Client) -> list[Change]:
    """Return those that are ours for as long as one more call may last, renewing claims that run out before."""
    enough = timezone.now() + timedelta(seconds=client.longest_call)
    short = [change for change in changes if change.due <= enough]
    if not short:
        return list(changes)
    ours = {change.pk for change in claims.renew(short)}
    return [change for change in changes if change.due > enough or change.pk in ours]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What trying a change came to: how it is settled, what upstream said last, and what else that means here.

    With `rebase` the values upstream said last are shown again; `gone` is whether upstream has it no more. `beside`
    are records of others that came to light. `uncleared` is all that upstream still shows although it was cleared
    (see `Annotation.uncleared`), None when that is as it was.
    """

    settlement: Settlement
    record: Any = None
    beside: tuple[Any, ...] = ()
    rebase: bool = False
    gone: bool = False
    uncleared: Mapping[str, Any] | None = None

    @property
    def change(self) -> Change:
        """The change that was tried."""
        return self.settlement.change


def delivered(change: Change, record: Any, **facts: Any) -> Outcome:
    """Upstream is as wanted, and `record` proves it; `facts` are `version`, `merged` and `raced`."""
    return Outcome(settlement=Settlement(change=change, state=Change.State.DELIVERED, **facts), record=record)


def conflicting(change: Change, record: Any, names: Sequence[str], **facts: Any) -> Outcome:
    """Somebody else set the same fields upstream; `facts` are `theirs`, `version`, `raced`."""
    fields = " and ".join(names)
    verb = "was" if len(names) == 1 else "were"
    reason = f"The {fields} {verb} changed at Mixpeek before this was sent."
    settlement = Settlement(change=change, state=Change.State.CONFLICT, reason=reason, **facts)
    return Outcome(settlement=settlement, record=record, rebase=True)


def refused(change: Change, reason: str, *, record: Any = None, gone: bool = False, **facts: Any) -> Outcome:
    """Upstream will not have it as it is; `facts` are `field_errors` and `upstream_request_id`."""
    settlement = Settlement(change=change, state=Change.State.REFUSED, reason=reason, **facts)
    return Outcome(settlement=settlement, record=record, rebase=not gone, gone=gone)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A kind of thing that changes are delivered to.

    `find` returns our rows by ref, with what `bring` needs of them. `bring` brings upstream to what the change of such
    a row wants: read, compare, write, compare the reply; it raises what the client raises. `absorb` takes records into
    the mirror, `rebase` shows again what upstream said last of a ref, if it is still here; `mark_gone` notes that
    upstream has it no more, `note_uncleared` what it still shows although it was cleared.
    """

    word: str
    find: Callable[[Sequence[str]], Mapping[str, Any]]
    bring: Callable[[Change, Any, Client], Outcome]
    absorb: Callable[[Sequence[Any]], object]
    rebase: Callable[[str], None]
    mark_gone: Callable[[str], None]
    note_uncleared: Callable[[str, Mapping[str, Any]], None] | None = None
