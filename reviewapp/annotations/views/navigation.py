"""From one item to the next: claimed for the person who asks, or the queue, which says why there is none.

The item an address names.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from reviewapp.annotations.decide import prechecks
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue import leases
from reviewapp.annotations.queue.claim_next import claim
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.pages import previous_before
from reviewapp.annotations.queue.querysets import why_empty
from reviewapp.annotations.review.context import loaded
from reviewapp.web.http import Request, wants_fragment

_MOST_KEY = 2**63 - 1


def item_or_404(pk: int) -> Annotation:
    """Return the annotation with what the review page needs of its neighbours; raises `Http404`."""
    found = loaded(pk=pk) if pk <= _MOST_KEY else []
    if not found:
        raise Http404
    return found[0]


def to_decide_or_404(pk: int) -> Annotation:
    """Return the annotation with what deciding on it needs, which is less than what its page shows."""
    found = prechecks.get_for_decision(pk=pk) if pk <= _MOST_KEY else []
    if not found:
        raise Http404
    return found[0]


def go_on(request: Request, chosen: QueueFilter, after: Annotation | None) -> HttpResponse:
    """Claim the next item behind `after` (as it was loaded before it was decided) and go there.

    At the end of the list it starts again from the top; with nothing left it goes to the queue.
    """
    found = claim(chosen, request.user, after, now=timezone.now())
    if found is None:
        _say_why(request, chosen)
        return _leave(request, reverse("queue") + chosen.querystring())
    return to_item(chosen, found)


def go_back(request: Request, chosen: QueueFilter, before: Annotation) -> HttpResponse:
    """Go to the item before this one in the list as it is shown, or stay where one is."""
    found = previous_before(chosen, request.user, before)
    if found is None:
        messages.info(request, "This is the first item of the list.")
        return to_item(chosen, before.pk)
    leases.release(before.pk, request.user)
    return to_item(chosen, found.pk)


def to_item(chosen: QueueFilter, pk: int) -> HttpResponse:
    """Redirect to an item; htmx follows by itself and gets the fragment there."""
    return redirect(reverse("review", args=[pk]) + chosen.querystring())


def _say_why(request: Request, chosen: QueueFilter) -> None:
    """Say what the queue's list does not: it shows what others hold, so it is not empty and yet gives nothing."""
    why = why_empty(chosen, request.user)
    if why.held and why.free_at:
        held = f"{why.held} {'is' if why.held == 1 else 'are'} held by others, first free at {why.free_at:%H:%M} UTC"
        messages.info(request, f"Nothing is free for you just now: {held}.")


def _leave(request: Request, url: str) -> HttpResponse:
    # A redirect that htmx followed would put the queue's fragment where the item was.
    return HttpResponseClientRedirect(url) if wants_fragment(request) else redirect(url)
