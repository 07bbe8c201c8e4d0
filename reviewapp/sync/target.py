"""What delivering has to know of a kind of thing; there is one target for each kind of ref."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from reviewapp.mixpeek.client import Client
from reviewapp.outbox.models import Change


class DeletedHere(Exception):
    """What the change was for has no row of ours any more."""


class ClaimLost(Exception):
    """This process was held up for longer than its claim: somebody else may be delivering the change by now."""


def hold_claim(change: Change) -> None:
    """Raise `ClaimLost` unless the change is still ours; asked right before each write to Mixpeek."""
    if timezone.now() >= change.due:
        raise ClaimLost(change.ref)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A kind of thing that changes are delivered to.

    `bring` brings upstream to what the change wants and settles it: read, compare, write, compare the reply. It
    raises what the client raises, and `DeletedHere`. `rebase` shows again what upstream said last of a ref, if it is
    still here; `mark_gone` notes that upstream has it no more.
    """

    word: str
    bring: Callable[[Change, Client], None]
    rebase: Callable[[str], None]
    mark_gone: Callable[[str], None]
