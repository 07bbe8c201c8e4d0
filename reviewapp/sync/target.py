"""What delivering has to know of a kind of thing; there is one target for each kind of ref."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reviewapp.mixpeek.client import Client
from reviewapp.outbox.models import Change


class DeletedHere(Exception):
    """What the change was for has no row of ours any more."""


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
