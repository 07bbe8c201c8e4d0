"""Timelines for people: events in, entries (a sentence and its differences) out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviewapp.audit.actions import NOTICING, Action, Origin
from reviewapp.audit.models import Event, EventRow
from reviewapp.audit.presenters.diffs import FieldDiff, field_diffs
from reviewapp.audit.registry import GuidanceVersions, find_guidance_versions
from reviewapp.bounded_cache import MIB, BoundedCache
from reviewapp.postgres.statement import sql_file
from reviewapp.ref import Ref, RefKind

# Fields that an action's sentence or the actor's name already covers. A change from outside the
# app is shown whole.
_HIDDEN_FIELDS = frozenset(
    {
        "attempts",
        "decision_id",
        "person_id",
        "retried_at",
        "reviewer_id",
        "state",
    }
)
_EVENTS = 50
_MAX_ID = 2**63

AnyEvent = Event | EventRow

_TIMELINE = sql_file(__file__, "timeline.sql", EventRow)

# Entries by everything that they are built from.
_entry_cache: BoundedCache[Entry] = BoundedCache(most_bytes=16 * MIB)

# The field whose old and new values appear in the sentence of an action.
_SENTENCE_FIELD = {
    Action.ANNOTATION_RELABELLED: "label",
    Action.RETRIEVER_RENAMED: "name",
    Action.PERSON_RENAMED: "username",
    Action.ROLE_GIVEN: "role",
    Action.ROLE_TAKEN: "role",
    Action.PERMISSION_GIVEN: "permission",
    Action.PERMISSION_TAKEN: "permission",
    Action.INVITATION_MADE: "email",
    Action.LABELS_SET: "version",
    Action.GUIDELINES_WRITTEN: "version",
}
# Their sentence names the version.
_VERSION_ACTIONS = frozenset({Action.LABELS_SET, Action.GUIDELINES_WRITTEN})
# One edit of a retriever may change several of these fields; its event is named after the first.
_EDIT_ACTIONS = {
    "name": Action.RETRIEVER_RENAMED,
    "description": Action.RETRIEVER_REDESCRIBED,
    "tags": Action.RETRIEVER_RETAGGED,
}
# Sentences for people who act on their own account, such as those who accept an invitation.
_SELF_SENTENCES = {
    Action.PERSON_ADDED: gettext_lazy("joined"),
    Action.ROLE_GIVEN: gettext_lazy("got the role {new}"),
}
# Without a person's name, somebody did these at Mixpeek and one of our programs noticed.
_UPSTREAM_ACTIONS = frozenset(
    {
        *_EDIT_ACTIONS.values(),
        Action.ANNOTATION_RELABELLED,
        Action.ANNOTATION_REVISED,
        Action.ANNOTATION_CONFIRMED,
        Action.ANNOTATION_UNDECIDABLE,
        Action.RETRIEVER_REBUILT,
    }
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that somebody did to one ref: `who` did what (`sentence`), and what it changed.

    `decision_id` is the key of the decision that it brought into force, None for none. `actor_id`
    is the key of a person of ours, `actions` are those of its events.
    """

    at: datetime
    who: str
    actor_id: int | None
    actions: tuple[str, ...]
    sentence: str
    ref: str
    retriever_id: str
    origin: Origin
    note: str
    request_id: str
    diffs: tuple[FieldDiff, ...]
    guidance_versions: GuidanceVersions | None = None
    decision_id: int | None = None

    @cached_property
    def by_machine(self) -> bool:
        """Return whether no person is known to have done it."""
        return self.who == self.origin_name

    @cached_property
    def outside(self) -> bool:
        """Return whether it was done outside the app, directly in SQL."""
        return self.origin == Origin.SQL

    @cached_property
    def origin_name(self) -> str:
        """Return the name of where it came from."""
        return str(self.origin.label)

    @cached_property
    def quoted_ref(self) -> str:
        """Return the ref as the value of a parameter in a URL."""
        return quote(self.ref, safe="")

    @cached_property
    def username(self) -> str:
        """Return the name of the person it was done to, "" when it is not about a person."""
        ref = Ref.parse_or_none(self.ref)
        if ref is None or ref.kind != RefKind.PERSON:
            return ""
        return ref.id

    @cached_property
    def has_page(self) -> bool:
        """Return whether the ref has a page of its own."""
        ref = Ref.parse_or_none(self.ref)
        return ref is not None and ref.kind in {RefKind.ANNOTATION, RefKind.RETRIEVER}


def timeline(ref: str, *, limit: int = _EVENTS) -> list[Entry]:
    """Return the history of a ref, newest first, from its newest `limit` events.

    One query, and one for the guidance versions of decisions not looked up before.
    """
    return build_entries(_TIMELINE.rows(ref=ref, limit=limit))


def timeline_since(ref: str, since: datetime, *, limit: int = _EVENTS) -> list[Entry]:
    """Return what happened to a ref from `since` on, oldest first: its first `limit` events."""
    events = Event.objects.about(ref).filter(at__gte=since).order_by("at", "id")[:limit]
    newest_first = list(events)[::-1]
    return build_entries(newest_first)[::-1]


def build_entries(events: Sequence[AnyEvent]) -> list[Entry]:
    """Return the entries of these events, each decision with its guidance versions."""
    decision_ids = set()
    for event in events:
        decision_id = event_decision_id(event.action, event.changes)
        if decision_id is not None:
            decision_ids.add(decision_id)

    return group_entries(events, find_guidance_versions(decision_ids))


def event_decision_id(action: str, changes: Any) -> int | None:
    """Return the id of the decision that an event brought into force, None if there is none."""
    if not action.startswith("annotation.") or action == Action.ANNOTATION_UNDONE:
        return None
    if not isinstance(changes, dict):
        return None

    pair = changes.get("decision_id")
    if not isinstance(pair, list) or len(pair) != 2:
        return None

    decision_id = pair[1]
    if type(decision_id) is int and 0 < decision_id < _MAX_ID:
        return decision_id
    return None


def group_entries(
    events: Iterable[AnyEvent],
    guidance: Mapping[int, GuidanceVersions] | None = None,
) -> list[Entry]:
    """Return one entry for everything that one request of one person did to one ref.

    The entries are in the order of the newest event of each. An action done twice (a worker may
    deliver two changes of one ref in one job) makes two entries. `guidance` holds the guidance
    versions of decisions, by decision id.
    """
    groups: list[list[AnyEvent]] = []
    latest: dict[tuple[object, ...], list[AnyEvent]] = {}
    for event in events:
        key: tuple[object, ...] = (event.ref, event.origin, event.id)
        if event.request_id:
            key = (event.ref, event.origin, event.request_id, event.actor_id, event.actor_name)
        group = latest.get(key)
        if group is None or any(member.action == event.action for member in group):
            group = []
            latest[key] = group
            groups.append(group)
        group.append(event)

    return [_cached_entry(group[::-1], guidance or {}) for group in groups]


def _cached_entry(events: Sequence[AnyEvent], guidance: Mapping[int, GuidanceVersions]) -> Entry:
    """Return the entry of events that belong together; equal events share one entry."""
    versions = None
    decision_id = None
    for event in events:
        decision_id = event_decision_id(event.action, event.changes) or decision_id
    if decision_id is not None:
        versions = guidance.get(decision_id)

    key = (versions, *map(_cache_key, events))
    entry = _entry_cache.get(key)
    if entry is None:
        entry = replace(build_entry(events), guidance_versions=versions, decision_id=decision_id)
        _entry_cache.set(key, entry)
    return entry


def _cache_key(event: AnyEvent) -> tuple[object, ...]:
    """Return everything of an event that its entry shows."""
    return (
        event.at,
        event.action,
        event.ref,
        event.retriever_id,
        event.actor_id,
        event.actor_name,
        event.origin,
        event.request_id,
        event.note,
        repr(event.changes),
    )


def build_entry(events: Sequence[AnyEvent]) -> Entry:
    """Return the entry of events (oldest first, at least one) that belong together."""
    newest = events[-1]
    origin = Origin(newest.origin) if newest.origin in Origin else Origin.SQL
    hidden: frozenset[str] = frozenset() if origin == Origin.SQL else _HIDDEN_FIELDS
    if newest.action in _VERSION_ACTIONS and origin != Origin.SQL:
        hidden |= {"version"}

    # A program's note that only repeats the origin is left out; what a person wrote never is.
    origin_names = {origin.value, str(origin.label).casefold()}
    notes: dict[str, None] = {}
    for event in events:
        repeats_origin = not event.actor_name and event.note.casefold() in origin_names
        if event.note and not repeats_origin:
            notes[event.note] = None

    return Entry(
        at=newest.at,
        who=newest.actor_name or str(origin.label),
        actor_id=newest.actor_id,
        actions=tuple(event.action for event in events),
        sentence=_join_sentences(_sentences(events)),
        ref=newest.ref,
        retriever_id=newest.retriever_id,
        origin=origin,
        note="; ".join(notes),
        request_id=newest.request_id,
        diffs=field_diffs(_merge_changes(events), hidden=hidden),
    )


def _sentences(events: Sequence[AnyEvent]) -> list[str]:
    """Return the sentences of these events without duplicates.

    Setting a password by a link writes two events, of which one is enough.
    """
    actions = {event.action for event in events}
    if Action.PASSWORD_LINK_USED in actions:
        events = [event for event in events if event.action != Action.PASSWORD_CHANGED]
    return list(dict.fromkeys(map(event_sentence, events)))


def event_sentence(event: AnyEvent) -> str:
    """Return what happened, to be read after the name of who did it."""
    try:
        action = Action(event.action)
    except ValueError:
        return event.action

    if action in _UPSTREAM_ACTIONS and not event.actor_name:
        if event.origin in NOTICING:
            event_at_mixpeek = {"event": _describe(action, event)}
            return _("noticed that somebody at Mixpeek %(event)s") % event_at_mixpeek
        # Our own values came back, spelled as Mixpeek spells them or with other people's changes.
        if event.origin == Origin.WORKER:
            return _("updated it to Mixpeek's values")
    return _describe(action, event)


def _describe(action: Action, event: AnyEvent) -> str:
    changes = _changes(event)
    # Events from before the database distinguished these two actions.
    if action == Action.ANNOTATION_CONFIRMED and "metadata" in changes:
        action = Action.ANNOTATION_REVISED
    elif action == Action.ANNOTATION_REVISED:
        action = _action_by_status(changes.get("status"))

    actions = [action]
    if action in _EDIT_ACTIONS.values():
        edits = [edit for field, edit in _EDIT_ACTIONS.items() if field in changes]
        actions = edits or actions
    return _join_sentences([_action_sentence(member, event) for member in actions])


def _action_by_status(status: Any) -> Action:
    """Return what a revision says when it comes from another installation, by the status it set.

    A decision of ours has actions of its own.
    """
    if _is_pair(status) and status[1] == "undecidable":
        return Action.ANNOTATION_UNDECIDABLE
    if _is_pair(status) and status[0] == "undecidable" and status[1] == "waiting":
        return Action.ANNOTATION_UNDONE
    return Action.ANNOTATION_REVISED


def _action_sentence(action: Action, event: AnyEvent) -> str:
    pair: Any = _changes(event).get(_SENTENCE_FIELD.get(action, ""))
    if not _is_pair(pair):
        pair = ["", ""]
    old = _quote(pair[0], empty="")
    new = _quote(pair[1], empty=_("nothing"))
    if action == Action.ANNOTATION_RELABELLED and not old:
        return _("labelled it %(label)s") % {"label": new}

    template = action.label
    is_own_account = event.actor_id is not None and event.ref == str(
        Ref(RefKind.PERSON, event.actor_name)
    )
    if is_own_account:
        template = _SELF_SENTENCES.get(action, template)
    return str(template).format(old=old, new=new, note=event.note)


def _changes(event: AnyEvent) -> dict[str, Any]:
    if isinstance(event.changes, dict):
        return event.changes
    return {"changes": event.changes}


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


def _quote(value: Any, *, empty: str) -> str:
    """Return a name in quotation marks, a number as it is, and `empty` for no value."""
    if not value:
        return empty
    if isinstance(value, int):
        return str(value)
    return f"“{_isolate(value)}”"


def _isolate(name: object) -> str:
    """Return a name with bidi isolates if it is right-to-left, so the sentence keeps its order."""
    text = str(name)
    is_right_to_left = any(unicodedata.bidirectional(char) in {"R", "AL"} for char in text)
    return f"\u2068{text}\u2069" if is_right_to_left else text


def _merge_changes(events: Sequence[AnyEvent]) -> dict[str, Any]:
    """Return what changed from before the first event to after the last.

    The fields of a queued change repeat the decision or edit next to it, and are left out there.
    """
    merged: dict[str, Any] = {}
    has_edit = any(event.action.startswith(("annotation.", "retriever.")) for event in events)
    for event in events:
        for name, pair in _changes(event).items():
            if name == "fields" and has_edit:
                continue

            earlier = merged.get(name, pair)
            if _is_pair(earlier) and _is_pair(pair):
                merged[name] = [earlier[0], pair[1]]
            else:
                merged[name] = pair
    return merged


def _join_sentences(sentences: Sequence[str]) -> str:
    *others, last = sentences
    if others:
        return _("%(others)s and %(last)s") % {"others": ", ".join(others), "last": last}
    return last
