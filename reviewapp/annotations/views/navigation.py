"""Load the item that a URL names, and redirect to the next or the previous one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from reviewapp.annotations.decide.statements import get_for_decision
from reviewapp.annotations.models import Annotation, Draft
from reviewapp.annotations.queue import conditions, leases
from reviewapp.annotations.queue.claim_next import claim_next_annotation
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.pages import previous_key
from reviewapp.annotations.queue.querysets import explain_empty_queue
from reviewapp.annotations.review.annotation import load_annotation, load_annotation_and_draft
from reviewapp.outbox.status.summary import format_duration
from reviewapp.storable import storable_text
from reviewapp.web.http import Request, wants_fragment

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

# The largest bigint.
_MAX_KEY = 2**63 - 1


def get_item_or_404(pk: int) -> Annotation:
    """Return the annotation with what the review page reads of its neighbours."""
    annotation = None
    if pk <= _MAX_KEY:
        annotation = load_annotation(pk)
    if annotation is None:
        raise Http404
    return annotation


def get_item_and_draft_or_404(pk: int, person: User) -> tuple[Annotation, Draft | None]:
    """Return what `get_item_or_404` does, and the person's draft of it."""
    item_and_draft = None
    if pk <= _MAX_KEY:
        item_and_draft = load_annotation_and_draft(pk, person)
    if item_and_draft is None:
        raise Http404
    return item_and_draft


def get_for_decision_or_404(pk: int, *, label: str) -> tuple[Annotation, str | None]:
    """Return the annotation with what its form is checked against, and `label` if it is in use.

    `label` is as submitted. The page shows more of the annotation.
    """
    if pk > _MAX_KEY:
        raise Http404
    found = get_for_decision(pk=pk, label=storable_text(label))
    if found is None:
        raise Http404
    return found


def redirect_to_next(
    request: Request,
    queue_filter: QueueFilter,
    after: Annotation | None,
    *,
    only_waiting: bool = False,
) -> HttpResponse:
    """Claim the next item behind `after` (as loaded before it was decided) and redirect to it.

    `only_waiting` passes over decided items. At the end of the list it starts from the top; with
    nothing left it redirects to the queue.
    """
    claimed_pk = claim_next_annotation(
        queue_filter,
        request.user,
        after,
        now=timezone.now(),
        only_waiting=only_waiting,
    )
    if claimed_pk is None:
        if conditions.WAITING in conditions.free(queue_filter):
            _add_held_message(request, queue_filter)
        url = reverse("queue") + queue_filter.querystring()
        # htmx would follow a plain redirect and put the queue's fragment where the item was.
        if wants_fragment(request):
            return HttpResponseClientRedirect(url)
        return redirect(url)
    return redirect_to_item(queue_filter, claimed_pk)


def _add_held_message(request: Request, queue_filter: QueueFilter) -> None:
    """Tell the person if all that is left is held by others: the list shows it all the same."""
    why = explain_empty_queue(queue_filter, request.user)
    if why.held and why.free_at:
        seconds = (why.free_at - timezone.now()).total_seconds()
        # A message is text, which cannot show an instant in the reader's time zone.
        free_in = format_duration(max(seconds, 60))
        message = _("All waiting items are open by other reviewers. First one free in %(free_in)s.")
        messages.info(request, message % {"free_in": free_in})


def redirect_to_previous(
    request: Request,
    queue_filter: QueueFilter,
    before: Annotation,
) -> HttpResponse:
    """Redirect to the item before this one in the list as it is shown, or stay on this one."""
    previous = previous_key(queue_filter, request.user, before)
    if previous is None:
        messages.info(request, _("This is the first item in the list."))
        return redirect_to_item(queue_filter, before.pk)

    leases.release_lease(before.pk, request.user)
    return redirect_to_item(queue_filter, previous)


def redirect_to_item(queue_filter: QueueFilter, pk: int) -> HttpResponse:
    """Redirect to an item's page; htmx follows it and gets the fragment."""
    return redirect(reverse("review", args=[pk]) + queue_filter.querystring())
