"""Runs of like entries of a timeline, which pages fold into one line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reviewapp.audit.actions import Action
from reviewapp.audit.presenters.timeline import Entry

# Fewer are not folded.
_LEAST = 3


@dataclass(frozen=True, kw_only=True)
class Run:
    """Entries that follow each other and say the same, at least one."""

    entries: tuple[Entry, ...]

    @property
    def newest(self) -> Entry:
        """The first of them, newest first."""
        return self.entries[0]

    @property
    def is_folded(self) -> bool:
        """Whether there are enough to fold."""
        return len(self.entries) >= _LEAST

    @property
    def sentence(self) -> str:
        """What happened so many times, to be read after the name of who did it."""
        count = len(self.entries)
        if self.newest.actions == (Action.ANNOTATION_CREATED,):
            text = ngettext(
                "recorded %(count)s annotation", "recorded %(count)s annotations", count
            )
        elif self.newest.actions == (Action.CHANGE_DELIVERED,):
            text = ngettext("delivered %(count)s change", "delivered %(count)s changes", count)
        elif self.newest.actions == (Action.RETRIEVER_CREATED,):
            text = ngettext("recorded %(count)s retriever", "recorded %(count)s retrievers", count)
        else:
            others = {"sentence": self.newest.sentence, "count": count - 1}
            return _("%(sentence)s, and %(count)s more like it") % others
        return text % {"count": count}


def fold_runs(entries: Sequence[Entry]) -> list[Run]:
    """Return the entries in runs, in their order.

    What programs did is folded by what it was; what a person did, only within one request.
    """
    runs: list[list[Entry]] = []
    for entry in entries:
        if runs and _is_like(runs[-1][-1], entry):
            runs[-1].append(entry)
        else:
            runs.append([entry])

    folded = []
    for run in runs:
        if len(run) >= _LEAST:
            folded.append(Run(entries=tuple(run)))
        else:
            folded += [Run(entries=(entry,)) for entry in run]
    return folded


def _is_like(one: Entry, other: Entry) -> bool:
    said = (one.who, one.actor_id, one.origin, one.actions, one.note)
    if said != (other.who, other.actor_id, other.origin, other.actions, other.note):
        return False
    if one.by_machine and not one.outside:
        return True
    return bool(one.request_id) and one.request_id == other.request_id
