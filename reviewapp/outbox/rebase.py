"""What becomes of the changes behind one that falls away unsent: they stand on what stood before it. Pure but for one.

A later change was made from what the earlier one was to set. That never came to Mixpeek, so it must not count as a
foreign edit when the later one is compared with what is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reviewapp.json_values import same
from reviewapp.outbox.models import Change


def rest_on_before(gone: Change, later: Iterable[Change]) -> Iterator[Change]:
    """Yield those of `later` (oldest first) that must change when `gone` falls away, changed but not saved.

    Where a create falls away, the next change creates with all that its person saw.
    """
    if gone.verb == Change.Verb.CREATE:
        for heir in list(later)[:1]:
            heir.verb = Change.Verb.CREATE
            heir.fields = {**gone.base, **heir.base, **heir.fields}
            heir.base = dict(gone.base)
            yield heir
        return
    resting = dict(gone.fields)
    for change in later:
        moved = {n: gone.base[n] for n, new in resting.items() if n in gone.base and same(change.base.get(n), new)}
        resting = {name: new for name, new in resting.items() if name not in change.fields}
        if moved:
            change.base = {**change.base, **moved}
            yield change


def fall_away(gone: Change) -> None:
    """Have what waits behind a change that was withdrawn unsent rest on what stood before it, in the transaction."""
    later = Change.objects.select_for_update().filter(pk__gt=gone.pk).open_on(gone.ref)
    for change in rest_on_before(gone, later):
        change.save(update_fields=["verb", "fields", "base"])
