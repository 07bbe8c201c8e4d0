"""The review page: one item with its evidence and form, the way to the next one, and its lease."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.contrib.messages import get_messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from reviewapp.annotations.decide.forms import initial_data
from reviewapp.annotations.decide.reopened_forms import reopened_form, resend_form
from reviewapp.annotations.drafts import session_rescue
from reviewapp.annotations.drafts.resume import resume_draft
from reviewapp.annotations.drafts.sign_in_gate import or_sign_in
from reviewapp.annotations.models import Annotation, Draft
from reviewapp.annotations.queue import leases
from reviewapp.annotations.queue.claim_next import prefetch_next_annotation
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.review.annotation import load_position
from reviewapp.annotations.review.context import (
    draft_context,
    form_context,
    lease_minutes,
    person_context,
)
from reviewapp.annotations.review.item import build_item, held_by
from reviewapp.annotations.review.other_document import mentions_of
from reviewapp.annotations.review.progress import ReviewProgress, get_progress
from reviewapp.annotations.review.surroundings import load_surroundings
from reviewapp.annotations.views.navigation import (
    get_item_and_draft_or_404,
    redirect_to_next,
    redirect_to_previous,
)
from reviewapp.audit.context import set_subject
from reviewapp.outbox.status.page_updates import with_updates
from reviewapp.web.http import (
    Request,
    is_on_other_page,
    parse_whole_number,
    parse_whole_numbers,
    render_page_or_fragment,
    wants_fragment,
    wants_json,
)

_NO_CONTENT = 204
_RESCUED = gettext_lazy(
    "You were signed out before this could be saved. What you typed is below: check it and submit "
    "it again."
)


@require_safe
@never_cache
@permission_required("annotations.view_annotation", raise_exception=True)
def review(request: Request, pk: int) -> HttpResponse:
    """Show one item, and lease it to this person unless somebody else has it open.

    The form holds, in this order: what a lost session rescued, a decision to resend, a decision to
    undo or to submit again, the person's draft, the annotation's values.
    """
    annotation, draft = get_item_and_draft_or_404(pk, request.user)

    rescued = session_rescue.pop(request, pk)
    if rescued:
        data = initial_data(annotation, now=timezone.now()) | rescued
        return render_item(request, annotation, data, notice=_RESCUED, other_draft=draft)

    resend = resend_form(annotation, request.GET.get("change", ""))
    if resend:
        return render_item(request, annotation, **resend, other_draft=draft)

    reopened = reopened_form(annotation, request.user, request.GET.dict())
    if reopened:
        return render_item(request, annotation, **reopened, other_draft=draft)

    return _render_values_or_draft(request, annotation, draft)


def _render_values_or_draft(
    request: Request, annotation: Annotation, draft: Draft | None, *, is_prefetch: bool = False
) -> HttpResponse:
    """Render the item with the form holding the draft, or the annotation's values without one."""
    data = initial_data(annotation, now=timezone.now())
    if draft is None:
        return render_item(request, annotation, data, is_prefetch=is_prefetch)

    resumed = resume_draft(draft, annotation)
    return render_item(
        request,
        annotation,
        data | resumed.data,
        is_prefetch=is_prefetch,
        draft=draft,
        stale=resumed.stale,
        draft_news=resumed.news,
    )


def render_item(
    request: Request,
    annotation: Annotation,
    data: Mapping[str, Any],
    *,
    status: int = 200,
    is_prefetch: bool = False,
    **extra: Any,
) -> HttpResponse:
    """Render the item with the form holding `data`; to a script, say why the form is shown again.

    A script that already shows the next item (it sends `next`) also gets the form. With
    `is_prefetch` the item is not opened: its lease stays as it is, and no message is used up.

    `extra` goes to the template: `errors`, `skip_reason` (a refused one), `stale`, `notice`,
    `new_label`, `resending`, `again`, `undoing`, `draft` (which the form continues, with
    `draft_news`: what changed since), `other_draft` (offered beside the form).
    """
    set_subject(annotation.ref)
    asks = {"state": "asks", "why": _reason_to_ask(extra)}
    if wants_json(request) and "next" not in request.POST:
        return JsonResponse(asks, status=status)

    now = timezone.now()
    person = request.user
    queue_filter = QueueFilter.parse(request.GET)
    mentions = mentions_of(annotation)
    surroundings = load_surroundings(annotation.pk, person, document_ids=mentions)
    progress = get_progress(queue_filter, person, now=now)

    announcement = ""
    if wants_fragment(request) and not is_prefetch:
        announcement = _pop_messages(request, progress)

    lease = surroundings.lease
    if not is_prefetch:
        lease = leases.take_if_free(annotation, person, lease, now=now)
    item = build_item(
        annotation,
        surroundings,
        person,
        lease=lease,
        now=now,
        mentions=mentions,
        search_words=queue_filter.q,
    )
    context = {
        "item": item,
        "progress": progress,
        "here": queue_filter.querystring(),
        "said": announcement,
        "lease_minutes": lease_minutes(),
        **form_context(annotation, {**data, "person": person.pk}, extra.get("errors") or {}),
        **draft_context(extra.get("other_draft"), now=now),
        **person_context(person, surroundings),
        **extra,
    }
    fragment, page = "annotations/_review.html", "annotations/review.html"
    if wants_json(request):
        asks["page"] = render_to_string(fragment, context, request)
        return JsonResponse(asks, status=status)

    response = render_page_or_fragment(fragment, request, page, context, status=status)
    if is_prefetch:
        return response
    return _with_item_headers(response, request, annotation, announcement)


def _with_item_headers(
    response: HttpResponse, request: Request, annotation: Annotation, announcement: str
) -> HttpResponse:
    """Tell htmx the item's URL and what to announce, and append what the page shows otherwise."""
    path = reverse("review", args=[annotation.pk])
    # The URL must always be that of the item shown.
    if response.status_code == HTTPStatus.OK or is_on_other_page(request, path):
        response["HX-Push-Url"] = path + QueueFilter.parse(request.GET).querystring()
    if wants_fragment(request):
        spoken = announcement
        if is_on_other_page(request, path):
            spoken = f"{announcement} {annotation.title or annotation.document_id}".strip()
        if spoken:
            response["HX-Trigger"] = json.dumps({"say": spoken})
    return with_updates(request, response)


def _pop_messages(request: Request, progress: ReviewProgress) -> str:
    """Return the queued messages as one text; the one after a decision also says what is left."""
    texts = []
    for message in get_messages(request):
        text = str(message)
        if message.extra_tags == "left":
            text = f"{text} {progress.sentence()}"
        texts.append(text)
    return " ".join(texts)


def _reason_to_ask(extra: Mapping[str, Any]) -> str:
    """Return in a sentence or two why the form is shown again."""
    stale = extra.get("stale")
    if stale:
        return " ".join([f"{stale.by.title}.", *stale.settled])

    if extra.get("notice"):
        return str(extra["notice"])

    sentences: list[str] = []
    for field_errors in (extra.get("errors") or {}).values():
        sentences.extend(map(str, field_errors))
    return " ".join(sentences)


@require_safe
@never_cache
@permission_required("annotations.decide_annotation", raise_exception=True)
def next_item(request: Request) -> HttpResponse:
    """Redirect to the next item of the filter `after` one, or to the one `before` another.

    The lease on the item named `after` is released.
    """
    queue_filter = QueueFilter.parse(request.GET)
    before = _get_position(request.GET.get("before", ""))
    if before:
        return redirect_to_previous(request, queue_filter, before)

    after = _get_position(request.GET.get("after", ""))
    if after:
        leases.release_lease(after.pk, request.user)
    return redirect_to_next(request, queue_filter, after)


@require_safe
@never_cache
@permission_required("annotations.decide_annotation", raise_exception=True)
def prefetch(request: Request) -> HttpResponse:
    """Lease the next waiting item behind `after`, which the page shows, and render its fragment.

    Answers 204 if there is none. `except` are the keys of items whose decisions are on their way;
    `release` is the item that the page had loaded ahead and gives back, `leaves` the one that it
    has just left undecided.
    """
    person = request.user
    for name, only_prefetched in (("release", True), ("leaves", False)):
        pk = parse_whole_number(request.GET.get(name, ""))
        if pk:
            leases.release_lease(pk, person, only_prefetched=only_prefetched)

    after = _get_position(request.GET.get("after", ""))
    if after is None:
        return HttpResponse(status=_NO_CONTENT)

    leases.mark_opened(after.pk, person)
    next_pk = prefetch_next_annotation(
        QueueFilter.parse(request.GET),
        person,
        after,
        now=timezone.now(),
        excluded=list(parse_whole_numbers(request.GET.getlist("except"))),
    )
    # A form that a lost session rescued is shown by the item's page, once.
    if next_pk is None or session_rescue.has(request, next_pk):
        return HttpResponse(status=_NO_CONTENT)

    annotation, draft = get_item_and_draft_or_404(next_pk, person)
    return _render_values_or_draft(request, annotation, draft, is_prefetch=True)


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def release_prefetched(request: Request, pk: int) -> HttpResponse:
    """Give back an item that this person's page has loaded ahead and not shown."""
    leases.release_lease(pk, request.user, only_prefetched=True)
    return HttpResponse(status=_NO_CONTENT)


def _get_position(key: str) -> Annotation | None:
    """Return the annotation with only the columns that the queue is ordered by, None for none."""
    pk = parse_whole_number(key)
    if not pk:
        return None
    return load_position(pk)


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def extend_lease(request: Request, pk: int) -> HttpResponse:
    """Renew this person's lease on the item, unless somebody else has it by now.

    The lease on the item that the page has loaded ahead (`ahead`) is renewed, too. The event
    `prefetched-for` has its seconds, 0 if it is no longer this person's.
    """
    annotation = get_object_or_404(Annotation, pk=pk)
    now = timezone.now()
    lease = leases.take_lease(annotation, request.user, now=now)

    queue_filter = QueueFilter.parse(request.GET)
    if not wants_fragment(request):
        return redirect(reverse("review", args=[pk]) + queue_filter.querystring())

    holder = held_by(lease, request.user, now=now)
    context = {
        "annotation": annotation,
        "lease": lease,
        "held_by": holder,
        "here": queue_filter.querystring(),
        "lease_minutes": lease_minutes(),
    }
    response = render(request, "annotations/_lease.html", context)

    events: dict[str, Any] = {"say": ""}
    if not holder:
        minutes = {"value": lease_minutes()}
        events["say"] = _("Reserved for %(value)s more minutes") % minutes

    ahead = parse_whole_number(request.POST.get("ahead", ""))
    if ahead:
        is_renewed = leases.renew_prefetched(ahead, request.user, now=now)
        events["prefetched-for"] = lease_minutes() * 60 if is_renewed else 0
    response["HX-Trigger"] = json.dumps(events)
    return response
