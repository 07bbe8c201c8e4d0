"""The history of a thing, told: events in, sentences with their differences out; `timeline` and `told` ask for them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from reviewapp.asked import asked
from reviewapp.audit.actions import NOTICING, Action, Origin
from reviewapp.audit.models import Event
from reviewapp.audit.presenters.diffs import FieldDiff, field_diffs
from reviewapp.audit.registry import MadeWith, made_with
from reviewapp.bounded_cache import MIB, BoundedCache

# What an action's sentence or the actor's name says already; a change from outside the app is shown whole.
_SAID = frozenset({"attempts", "decision_id", "person_id", "retried_at", "reviewer_id", "state"})
_MOST = 50
# By all that a story says.
_stories: BoundedCache[Entry] = BoundedCache(most_bytes=16 * MIB)
_NAMED_BY = {
    Action.ANNOTATION_RELABELLED: "label",
    Action.RETRIEVER_RENAMED: "name",
    Action.PERSON_RENAMED: "username",
    Action.ROLE_GIVEN: "role",
    Action.ROLE_TAKEN: "role",
    Action.PERMISSION_GIVEN: "permission",
    Action.PERMISSION_TAKEN: "permission",
    Action.INVITATION_MADE: "email",
}
# An edit of a retriever may do all of them; its event is named by the first.
_EDITS = {
    "name": Action.RETRIEVER_RENAMED,
    "description": Action.RETRIEVER_REDESCRIBED,
    "tags": Action.RETRIEVER_RETAGGED,
}
# Whoever is invited does these alone.
_ON_ONESELF = {Action.PERSON_ADDED: "joined", Action.ROLE_GIVEN: "took on the role {new}"}
# Without a person's name, somebody else did these at Mixpeek: one of our programs noticed.
_DONE_AT_MIXPEEK = frozenset(
    {
        *_EDITS.values(),
        Action.ANNOTATION_RELABELLED,
        Action.ANNOTATION_REVISED,
        Action.ANNOTATION_CONFIRMED,
        Action.ANNOTATION_UNDECIDABLE,
        Action.RETRIEVER_REBUILT,
    }
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that somebody did to one ref: `who` did what (`sentence`), and what it changed."""

    at: datetime
    who: str
    sentence: str
    ref: str
    retriever_id: str
    origin: Origin
    note: str
    request_id: str
    diffs: tuple[FieldDiff, ...]
    made_with: MadeWith | None = None

    @property
    def by_machine(self) -> bool:
        """Return whether no person did it, as far as anybody can tell."""
        return self.who == self.origin.label

    @property
    def outside(self) -> bool:
        """Return whether it was done around the app."""
        return self.origin == Origin.SQL

    @property
    def username(self) -> str:
        """Return the name of the person it was done to, "" when it is about no person."""
        kind, _, name = self.ref.partition("/")
        return name if kind == "people" else ""

    @property
    def has_page(self) -> bool:
        """Return whether the ref is one that has a page of its own."""
        return self.ref.startswith(("annotations/", "retrievers/"))


def timeline(*refs: str, limit: int = _MOST) -> list[Entry]:
    """Return the history of these refs, newest first, made of their newest `limit` events (at most 50).

    One query, and one for what decisions that were not told before were made with.
    """
    if len(refs) == 1:
        return told(_about_one(ref=refs[0])[:limit])
    return told(Event.objects.about(*refs)[:limit])


def told(events: Iterable[Event]) -> list[Entry]:
    """Return the stories of these events, each decision with what it was made with."""
    events = list(events)
    return stories(
        events, made_with({key for event in events if (key := decided(event.action, event.changes)) is not None})
    )


def decided(action: str, changes: Any) -> int | None:
    """Return the key of the decision that an event brought into force, None when it is about something else."""
    about = action.startswith("annotation.") and action != Action.ANNOTATION_UNDONE and isinstance(changes, dict)
    pair = changes.get("decision_id") if about else None
    key = pair[1] if isinstance(pair, list) and len(pair) == 2 else None
    return key if type(key) is int and 0 < key < 2**63 else None


@asked
def _about_one(ref: str) -> QuerySet[Event]:
    return Event.objects.about(ref)[:_MOST]


def stories(events: Iterable[Event], known: Mapping[int, MadeWith] | None = None) -> list[Entry]:
    """Return one entry for all that one request of one person did to one ref, in the order of the newest of each.

    What was done twice (a worker's turn may deliver two changes of one thing) is told twice. `known` is what decisions
    were made with, by their keys.
    """
    apart: list[list[Event]] = []
    latest: dict[tuple[object, ...], list[Event]] = {}
    for event in events:
        together = (event.request_id, event.actor_id, event.actor_name) if event.request_id else (event.pk,)
        parts = latest.get((event.ref, event.origin, *together))
        if parts is None or any(part.action == event.action for part in parts):
            parts = latest[(event.ref, event.origin, *together)] = []
            apart.append(parts)
        parts.append(event)
    return [_kept_story(parts[::-1], known or {}) for parts in apart]


def _kept_story(events: Sequence[Event], known: Mapping[int, MadeWith]) -> Entry:
    """Return the story of events that belong together; those that say the same have the same one."""
    keys = [decided(event.action, event.changes) for event in events]
    made = [known[key] for key in keys if key is not None and key in known]
    made_with = made[-1] if made else None

    said = (made_with, *map(_said_by, events))
    entry = _stories.get(said)
    if entry is None:
        entry = replace(story(events), made_with=made_with)
        _stories.set(said, entry)
    return entry


def _said_by(event: Event) -> tuple[object, ...]:
    """Return all that a story is made of."""
    who = (event.actor_name, event.origin, event.request_id, event.note)
    return (event.at, event.action, event.ref, event.retriever_id, *who, repr(event.changes))


def story(events: Sequence[Event]) -> Entry:
    """Return the entry of events (oldest first, at least one) that belong together."""
    last = events[-1]
    origin = Origin(last.origin) if last.origin in Origin else Origin.SQL
    return Entry(
        at=last.at,
        who=last.actor_name or origin.label,
        sentence=_listed(_deeds(events)),
        ref=last.ref,
        retriever_id=last.retriever_id,
        origin=origin,
        note="; ".join(dict.fromkeys(event.note for event in events if event.note and not _repeats(event, origin))),
        request_id=last.request_id,
        diffs=field_diffs(_joined(events), hidden=() if origin == Origin.SQL else _SAID),
    )


def _deeds(events: Sequence[Event]) -> list[str]:
    """Return what happened, each once; that a link set the password is not said in two ways."""
    actions = {event.action for event in events}
    if Action.PASSWORD_LINK_USED in actions:
        events = [event for event in events if event.action != Action.PASSWORD_CHANGED]
    return list(dict.fromkeys(map(sentence, events)))


def _repeats(event: Event, origin: Origin) -> bool:
    """Return whether a note says no more than which of our programs it was; what a person wrote is always told."""
    return not event.actor_name and event.note.casefold() in {origin.value, origin.label.casefold()}


def sentence(event: Event) -> str:
    """Return what happened, to be read after the name of who did it."""
    try:
        action = Action(event.action)
    except ValueError:
        return event.action
    if action in _DONE_AT_MIXPEEK and not event.actor_name:
        if event.origin in NOTICING:
            return f"noticed that somebody at Mixpeek {_deed(action, event)}"
        # Its own words come back, in Mixpeek's way of writing them, or with what others changed beside.
        if event.origin == Origin.WORKER:
            return "took over what Mixpeek has now"
    return _deed(action, event)


def _deed(action: Action, event: Event) -> str:
    changes = _changes(event)
    # Events of before the database told them apart.
    if action == Action.ANNOTATION_CONFIRMED and "metadata" in changes:
        action = Action.ANNOTATION_REVISED
    did = [one for name, one in _EDITS.items() if name in changes] if action in _EDITS.values() else []
    return _listed([_phrase(one, event) for one in did or [action]])


def _phrase(action: Action, event: Event) -> str:
    old, new = _ends(_changes(event).get(_NAMED_BY.get(action, "")))
    if action == Action.ANNOTATION_RELABELLED and not old:
        return f"labelled it {new}"
    alone = event.actor_id is not None and event.ref == f"people/{event.actor_name}"
    said = _ON_ONESELF.get(action) if alone else None
    return str(said or action.label).format(old=old, new=new, note=event.note)


def _changes(event: Event) -> dict[str, Any]:
    return event.changes if isinstance(event.changes, dict) else {"changes": event.changes}


def _ends(pair: Any) -> tuple[str, str]:
    old, new = pair if isinstance(pair, list) and len(pair) == 2 else ("", "")
    return (f"“{_apart(old)}”" if old else ""), (f"“{_apart(new)}”" if new else "nothing")


def _apart(name: object) -> str:
    """Return a name that, written from right to left, does not turn the sentence around it."""
    text = str(name)
    leftwards = any(unicodedata.bidirectional(character) in {"R", "AL"} for character in text)
    return f"\u2068{text}\u2069" if leftwards else text


def _joined(events: Sequence[Event]) -> dict[str, Any]:
    """Return what changed from before the first to after the last; a promise of what was just decided adds nothing."""
    joined: dict[str, Any] = {}
    decided = any(event.action.startswith(("annotation.", "retriever.")) for event in events)
    for event in events:
        for name, pair in _changes(event).items():
            if name == "fields" and decided:
                continue
            before = joined.get(name, pair)
            whole = isinstance(before, list) and isinstance(pair, list) and len(before) == len(pair) == 2
            joined[name] = [before[0], pair[1]] if whole else pair
    return joined


def _listed(sentences: Iterable[str]) -> str:
    *firsts, last = sentences
    return f"{', '.join(firsts)} and {last}" if firsts else last
