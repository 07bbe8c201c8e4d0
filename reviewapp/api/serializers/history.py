"""Shapes that Mixpeek does not have: history and deliveries."""

from __future__ import annotations

from rest_framework import serializers

from reviewapp.api.serializers.fields import Flag, Instant, Object, Text, Whole, optional, shape
from reviewapp.audit.actions import Action
from reviewapp.outbox.models import Change as ChangeRow

MAX_PER_PAGE = 500

ListHistoryRequest = shape(
    "ListHistoryRequest",
    "The filters of the history page; every part that is given narrows. `since` is included, "
    "`until` is not.",
    actor_id=optional(
        Whole,
        min_value=0,
        max_value=2**63 - 1,
        help_text="A person's key; null together with `no_person` false is anybody.",
    ),
    no_person=Flag(required=False, default=False, help_text="Only what no person of ours did."),
    action=serializers.ChoiceField(choices=Action.values, required=False, allow_null=True),
    retriever_id=optional(Text, max_length=200),
    ref=optional(Text, max_length=300, help_text="annotations/..., retrievers/..., tokens/..."),
    label_from=optional(Text, max_length=100),
    label_to=optional(Text, max_length=100),
    since=optional(Instant),
    until=optional(Instant),
    q=optional(Text, max_length=200),
    cursor=optional(Text, max_length=1000),
    limit=Whole(required=False, min_value=1, max_value=MAX_PER_PAGE, default=100),
)
Event = shape(
    "HistoryEvent",
    "One thing that happened; `changes` is {field: [old, new]}.",
    event_id=Whole(),
    at=Instant(),
    actor_id=optional(Whole),
    actor_name=Text(),
    action=Text(),
    sentence=Text(),
    ref=Text(),
    retriever_id=optional(Text),
    origin=Text(),
    request_id=optional(Text),
    changes=Object(),
    note=optional(Text),
    labels_version=optional(
        Whole,
        help_text="Of a decision: the retriever's labels it was made with.",
    ),
    guidelines_version=optional(
        Whole,
        help_text="Of a decision: the retriever's guidelines it was made with.",
    ),
    machine_words=serializers.ListField(
        child=Text(),
        help_text="Of a decision from before an update: the fields in which it repeats the "
        "machine's words.",
    ),
)
HistoryPagination = shape(
    "HistoryPagination",
    "Cursors of the pages around this one.",
    next_cursor=optional(Text),
    previous_cursor=optional(Text),
)
History = shape(
    "ListHistoryResponse",
    "One page, newest first.",
    results=Event(many=True),
    pagination=HistoryPagination(),
)
Change = shape(
    "ChangeResponse",
    "One promise to Mixpeek and how far it got. `delivered` is said only when Mixpeek's reply "
    "proved it.",
    change_id=Whole(),
    ref=Text(),
    verb=Text(),
    state=serializers.ChoiceField(choices=ChangeRow.State.values),
    progress=Text(),
    reason=optional(Text),
    fields=Object(),
    base=Object(),
    theirs=optional(Object),
    field_errors=Object(),
    version=optional(
        Whole,
        help_text="Mixpeek's version after delivery; null if it changed nothing there.",
    ),
    uncleared=optional(Object, help_text="What it cleared and Mixpeek still shows."),
    without_author=Flag(help_text="Whether Mixpeek could not be told who decided."),
    attempts=Whole(),
    actor_name=Text(),
    created_at=Instant(),
    due=optional(Instant, help_text="When it is tried next."),
    held_until=optional(
        Instant,
        help_text="Until then its person may withdraw it, and it is not sent.",
    ),
    settled_at=optional(Instant),
    upstream_request_id=optional(Text),
)
