"""Rebase queued changes on a ref after an earlier, unsent change is withdrawn.

A later change was made from the values that the earlier one was to set. Mixpeek never received
those, so they must not count as a foreign edit when the later change is compared with upstream.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reviewapp.json_values import is_same_json
from reviewapp.outbox.models import Change


def rebase_following(withdrawn: Change, following: Iterable[Change]) -> Iterator[Change]:
    """Yield those of `following` (oldest first) that must change, rebased but not saved. Pure.

    When a create is withdrawn, the next change that sets values becomes the create, with all values
    its person saw.
    """
    if withdrawn.verb == Change.Verb.CREATE:
        for change in following:
            if change.sets_values:
                change.verb = Change.Verb.CREATE
                change.fields = {**withdrawn.base, **change.base, **change.fields}
                change.base = dict(withdrawn.base)
                yield change
                return
        return

    # The withdrawn values that the following changes may still have as their base.
    inherited = dict(withdrawn.fields)
    for change in following:
        restored = {}
        for name, value in inherited.items():
            if name in withdrawn.base and is_same_json(change.base.get(name), value):
                restored[name] = withdrawn.base[name]

        for name in change.fields:
            inherited.pop(name, None)
        if restored:
            change.base = {**change.base, **restored}
            yield change


def rebase_after_withdrawal(withdrawn: Change) -> None:
    """Rebase what is queued behind a change that was withdrawn unsent, within its transaction."""
    later = Change.objects.select_for_update().filter(pk__gt=withdrawn.pk)
    following = later.open_on(withdrawn.ref)
    for change in rebase_following(withdrawn, following):
        change.save(update_fields=["verb", "fields", "base"])
