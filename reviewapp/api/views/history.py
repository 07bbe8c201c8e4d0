"""What Mixpeek does not have: the history of everything, and how far a change got."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.api.annotations.render import iso_utc
from reviewapp.api.annotations.withdraw import withdraw_change_by_id
from reviewapp.api.auth import DECIDE, READ, AccessRule
from reviewapp.api.errors import Problem, not_found
from reviewapp.api.serializers import history as shapes
from reviewapp.api.views.base import Endpoint
from reviewapp.audit.filters import NO_PERSON, EventFilter
from reviewapp.audit.first_page import Shown
from reviewapp.audit.models import Event
from reviewapp.audit.presenters.timeline import event_decision_id, event_sentence
from reviewapp.audit.querysets import NEWEST_FIRST
from reviewapp.audit.registry import GuidanceVersions, find_guidance_versions
from reviewapp.outbox.models import Change
from reviewapp.web import pagination as web_pagination


class HistoryList(Endpoint):
    """`POST /v1/history/list`."""

    needs = {"POST": AccessRule(scope=READ, permission="audit.view_event")}

    @extend_schema(
        operation_id="list_history",
        request=shapes.ListHistoryRequest,
        responses=shapes.History,
    )
    def post(self, request: Request) -> Response:
        """Return a page of events, newest first, with the cursors of the pages around it."""
        data = self.body(shapes.ListHistoryRequest)
        person = NO_PERSON if data["no_person"] else data.get("actor_id")
        names = ("action", "ref", "label_from", "label_to", "q")
        texts = {name: data.get(name) or "" for name in names}
        filters = EventFilter(
            show=Shown.ALL,
            person=() if person is None else (str(person),),
            retriever=data.get("retriever_id") or "",
            since=data.get("since"),
            until=data.get("until"),
            **texts,
        )
        events = filters.events()
        cursor = data.get("cursor") or ""
        try:
            page = web_pagination.page(
                events,
                order=NEWEST_FIRST,
                cursor=cursor,
                size=data["limit"],
            )
        except web_pagination.BadCursor as error:
            raise Problem(400, _("The cursor is not valid. Start without a cursor.")) from error

        decision_ids = set()
        for event in page.rows:
            event_decision = event_decision_id(event.action, event.changes)
            if event_decision is not None:
                decision_ids.add(event_decision)
        known = find_guidance_versions(decision_ids)
        results = [render_event(event, known) for event in page.rows]
        pagination = {"next_cursor": page.after or None, "previous_cursor": page.before or None}
        return Response({"results": results, "pagination": pagination})


class ChangeDetail(Endpoint):
    """`GET /v1/changes/{change_id}`."""

    needs = {"GET": AccessRule(scope=READ, permission="annotations.view_annotation")}

    @extend_schema(operation_id="get_change", responses=shapes.Change)
    def get(self, request: Request, change_id: int) -> Response:
        """Return how far a change got.

        Ask again until its state is not `queued`.
        """
        change = Change.objects.filter(pk=change_id).first()
        if change is None:
            raise not_found("change", str(change_id))
        return Response(_render_change(change))


class ChangeWithdrawal(Endpoint):
    """`POST /v1/changes/{change_id}/withdraw`."""

    needs = {"POST": AccessRule(scope=DECIDE, permission="annotations.decide_annotation")}

    @extend_schema(operation_id="withdraw_change", request=None, responses=shapes.Change)
    def post(self, request: Request, change_id: int) -> Response:
        """Withdraw a change that is not sent.

        Everybody withdraws their own while it is held; leads and admins also what waits or was
        refused.
        """
        change = withdraw_change_by_id(change_id, actor=self.person)
        return Response(_render_change(change))


def render_event(event: Event, known: Mapping[int, GuidanceVersions]) -> dict[str, Any]:
    """Return an event of the history as the API has it; `known` are by the decisions' keys."""
    made = known.get(event_decision_id(event.action, event.changes) or 0)
    return {
        "event_id": event.pk,
        "at": iso_utc(event.at),
        "actor_id": event.actor_id,
        "actor_name": event.actor_name,
        "action": event.action,
        "sentence": event_sentence(event),
        "ref": event.ref,
        "retriever_id": event.retriever_id or None,
        "origin": event.origin,
        "request_id": event.request_id or None,
        "changes": event.changes,
        "note": event.note or None,
        "labels_version": made.labels if made else None,
        "guidelines_version": made.guidelines if made else None,
        "machine_words": list(made.machine_words) if made else [],
    }


def _render_change(change: Change) -> dict[str, Any]:
    return {
        "change_id": change.pk,
        "ref": change.ref,
        "verb": change.verb,
        "state": change.state,
        "progress": change.progress,
        "reason": change.reason or None,
        "fields": change.fields,
        "base": change.base,
        "theirs": change.theirs,
        "field_errors": change.field_errors,
        "version": change.version,
        "uncleared": change.uncleared,
        "without_author": change.without_author,
        "attempts": change.attempts,
        "actor_name": change.actor_name,
        "created_at": iso_utc(change.created_at),
        "due": iso_utc(change.due) if change.is_open else None,
        "held_until": iso_utc(change.due) if change.held_for else None,
        "settled_at": iso_utc(change.settled_at),
        "upstream_request_id": change.upstream_request_id or None,
    }
