"""The review page: one item with its evidence and form, the way to the next one, and its lease."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.contrib.messages import get_messages
from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from reviewapp.annotations.decide.changed_since import digest_of
from reviewapp.annotations.decide.forms import HIDDEN_FIELDS, initial_data
from reviewapp.annotations.decide.parsing import MAX_REASONING_LENGTH
from reviewapp.annotations.decide.resend_form import resend_form
from reviewapp.annotations.decide.undo_form import reopened_form
from reviewapp.annotations.drafts import services, session_rescue
from reviewapp.annotations.drafts.resume import draft_as_json, resume_draft
from reviewapp.annotations.fields import FIELDS
from reviewapp.annotations.models import Annotation, Decision, Draft, Lease
from reviewapp.annotations.queue import leases
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.ordering import COLUMN_TYPES
from reviewapp.annotations.review import label_buttons, shortcuts
from reviewapp.annotations.review.context import (
    ReviewProgress,
    build_item,
    get_progress,
    last_actions,
    lease_minutes,
    recent_decisions,
)
from reviewapp.annotations.review.prefetch import next_pictures
from reviewapp.annotations.views.navigation import (
    get_item_or_404,
    redirect_to_next,
    redirect_to_previous,
)
from reviewapp.annotations.views.sign_in_gate import or_sign_in
from reviewapp.asked import asked
from reviewapp.audit.context import set_subject
from reviewapp.outbox.status.banner import with_banner
from reviewapp.retrievers.guidance.form_settings import DEFAULT
from reviewapp.retrievers.guidance.markdown import render_markdown
from reviewapp.web.http import (
    Request,
    parse_whole_number,
    render_page_or_fragment,
    wants_fragment,
    wants_json,
)

_RESCUED = (
    "You were signed out before this could be saved. What you typed is below: look it over and "
    "submit it again."
)

# The form shows the errors of these fields beside the field, all others above the form.
_VISIBLE_FIELDS = {*FIELDS, "choice"}
_CONFIDENCE_PRESETS = ("0", "0.25", "0.5", "0.75", "1")


@require_safe
@never_cache
@permission_required("annotations.view_annotation", raise_exception=True)
def review(request: Request, pk: int) -> HttpResponse:
    """Show one item, and lease it to this person unless somebody else has it open.

    The form holds, in this order: what a lost session rescued, a decision to resend, a decision to
    undo or to submit again, the person's draft, the annotation's values.
    """
    annotation = get_item_or_404(pk)
    data = initial_data(annotation, now=timezone.now())
    draft = services.own(pk, request.user)

    rescued = session_rescue.pop(request, pk)
    if rescued:
        data = data | rescued
        return render_item(request, annotation, data, notice=_RESCUED, other_draft=draft)

    resend = resend_form(annotation, request.GET.get("change", ""))
    if resend:
        return render_item(request, annotation, **resend, other_draft=draft)

    reopened = reopened_form(annotation, request.user, request.GET.dict())
    if reopened:
        return render_item(request, annotation, **reopened, other_draft=draft)

    if draft:
        resumed = resume_draft(draft, annotation)
        data = data | resumed.data
        return render_item(
            request,
            annotation,
            data,
            draft=draft,
            stale=resumed.stale,
            draft_news=resumed.news,
        )

    return render_item(request, annotation, data)


def render_item(
    request: Request,
    annotation: Annotation,
    data: Mapping[str, Any],
    *,
    status: int = 200,
    **extra: Any,
) -> HttpResponse:
    """Render the item with the form holding `data`; to a script, say why the form is shown again.

    `extra` goes to the template: `errors`, `stale`, `notice`, `new_label`, `resending`, `again`,
    `undoing`, `draft` (which the form continues, with `draft_news`: what changed since),
    `other_draft` (offered beside the form).
    """
    set_subject(annotation.ref)
    if wants_json(request):
        return JsonResponse({"state": "asks", "why": _reason_to_ask(extra)}, status=status)

    now = timezone.now()
    queue_filter = QueueFilter.parse(request.GET)
    decisions = recent_decisions(request.user)
    progress = get_progress(queue_filter, request.user, now=now)

    announcement = ""
    if wants_fragment(request):
        announcement = _pop_messages(request, progress)

    lease = _lease(annotation, request, now)
    item = build_item(annotation, request.user, lease=lease, now=now, search_words=queue_filter.q)
    form_data = {**data, "person": request.user.pk}
    context = {
        "item": item,
        "progress": progress,
        "recent": decisions,
        **last_actions(request.user, decisions),
        "here": queue_filter.querystring(),
        "said": announcement,
        "lease_minutes": lease_minutes(),
        "seen": digest_of(data.get("base")),
        **_form_context(annotation, form_data, extra.get("errors") or {}),
        **_draft_context(extra.get("other_draft"), now),
        **_shortcut_context(request),
        **extra,
    }
    fragment, page = "annotations/_review.html", "annotations/review.html"
    response = render_page_or_fragment(fragment, request, page, context, status=status)

    path = reverse("review", args=[annotation.pk])
    if status == 200 or _is_on_other_page(request, path):
        response["HX-Push-Url"] = path + queue_filter.querystring()
    if announcement:
        response["HX-Trigger"] = json.dumps({"say": announcement})
    return with_banner(request, response)


def _is_on_other_page(request: Request, path: str) -> bool:
    """Whether htmx asks from another page: the URL must always be that of the item shown."""
    current_path = request.htmx.current_url_abs_path or path
    return current_path.partition("?")[0] != path


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
        sentences.extend(str(sentence) for sentence in field_errors)
    return " ".join(sentences)


def _form_context(
    annotation: Annotation,
    data: Mapping[str, Any],
    errors: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the form shows; `problems` are the errors that belong to no visible field."""
    choice = str(data.get("choice") or "")
    chosen_button = "" if data.get("label") else choice
    proposed_label = str(annotation.proposed.get("label") or "")
    offered = label_buttons.offer(annotation.retriever)
    buttons = label_buttons.buttons(offered, proposed_label, choice, chosen=chosen_button)

    hidden = []
    for name in HIDDEN_FIELDS:
        value = data.get(name)
        if value is None:
            value = ""
        hidden.append((name, value))

    problems: list[str] = []
    for name, sentences in errors.items():
        if name not in _VISIBLE_FIELDS:
            problems.extend(sentence for sentence in sentences)

    form_settings = DEFAULT
    if annotation.label_set is not None:
        form_settings = annotation.label_set.settings

    return {
        "data": data,
        # The label has buttons, which the scripts know.
        "field_names": " ".join(name for name in FIELDS if name != "label"),
        "cannot_tell": data.get("outcome") == Decision.Outcome.UNDECIDABLE,
        "hidden": hidden,
        "buttons": buttons,
        "other_allowed": offered.other_allowed,
        "required": form_settings.notes(),
        "guidelines": _guidelines_context(annotation),
        "problems": problems,
        "presets": _CONFIDENCE_PRESETS,
        "most_reasoning": MAX_REASONING_LENGTH,
    }


def _guidelines_context(annotation: Annotation) -> dict[str, Any] | None:
    """Return the guidelines in force as HTML with their version, None where there are none."""
    guidelines = annotation.retriever.guidelines if annotation.retriever else None
    if guidelines is None or not guidelines.text.strip():
        return None
    return {"html": render_markdown(guidelines.text), "version": guidelines.version}


def _draft_context(other_draft: Draft | None, now: datetime) -> dict[str, Any]:
    """Return what the script needs to save drafts: the time, their days, a draft to offer."""
    offered_draft = ""
    if other_draft is not None:
        offered_draft = json.dumps(draft_as_json(other_draft))
    return {"now": now, "draft_days": settings.DRAFT_DAYS, "offered_draft": offered_draft}


def _shortcut_context(request: Request) -> dict[str, Any]:
    keys = shortcuts.for_person(request.user.key_map)
    return {"keys": keys, "key_table": shortcuts.shortcuts_as_json(keys)}


def _lease(annotation: Annotation, request: Request, now: datetime) -> Lease | None:
    """Take the lease if this person may decide on the item, else return whoever's it is."""
    is_gone = annotation.status == Annotation.Status.GONE
    if is_gone or not request.user.has_perm("annotations.decide_annotation"):
        return Lease.objects.select_related("holder").filter(annotation=annotation).first()
    return leases.take_lease(annotation, request.user, now=now)


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
    """Return the URLs of the pictures that the item behind `after` will show; leases nothing."""
    pictures: list[tuple[str, int]] = []
    after = _get_position(request.GET.get("after", ""))
    if after:
        queue_filter = QueueFilter.parse(request.GET)
        pictures = next_pictures(queue_filter, request.user, after, now=timezone.now())
    return JsonResponse({"pictures": [reverse("media", args=picture) for picture in pictures]})


def _get_position(key: str) -> Annotation | None:
    """Return the annotation with only the columns that the queue is ordered by, None for none."""
    pk = parse_whole_number(key)
    if not pk:
        return None
    annotations = _positions(pk=pk)
    if annotations:
        return annotations[0]
    return None


@asked
def _positions(pk: int) -> QuerySet[Annotation]:
    return Annotation.objects.filter(pk=pk).only(*COLUMN_TYPES)


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def extend_lease(request: Request, pk: int) -> HttpResponse:
    """Renew this person's lease on the item, unless somebody else has it by now."""
    annotation = get_object_or_404(Annotation, pk=pk)
    now = timezone.now()
    lease = leases.take_lease(annotation, request.user, now=now)

    queue_filter = QueueFilter.parse(request.GET)
    if not wants_fragment(request):
        return redirect(reverse("review", args=[pk]) + queue_filter.querystring())

    item = build_item(annotation, request.user, lease=lease, now=now)
    context = {
        "item": item,
        "here": queue_filter.querystring(),
        "lease_minutes": lease_minutes(),
    }
    response = render(request, "annotations/_lease.html", context)

    announcement = ""
    if not item.held_by:
        announcement = f"Held for {lease_minutes()} more minutes"
    response["HX-Trigger"] = json.dumps({"say": announcement})
    return response
