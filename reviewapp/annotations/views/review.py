"""The review page: one item with its evidence and the form to decide it, the way to the next one, and its lease."""

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
from reviewapp.annotations.decide.forms import HIDDEN, opening
from reviewapp.annotations.decide.parsing import FIELDS, MOST_REASONING
from reviewapp.annotations.decide.resend_form import resending
from reviewapp.annotations.decide.undo_form import reopened
from reviewapp.annotations.drafts import services, session_rescue
from reviewapp.annotations.drafts.resume import as_json, resume
from reviewapp.annotations.models import Annotation, Decision, Draft, Lease
from reviewapp.annotations.queue import leases
from reviewapp.annotations.queue.compiled_queries import KINDS
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.review import label_buttons, shortcuts
from reviewapp.annotations.review.context import Progress, look_at, minutes, progress, recent, undoable
from reviewapp.annotations.review.prefetch import pictures
from reviewapp.annotations.views.navigation import go_back, go_on, item_or_404
from reviewapp.annotations.views.sign_in_gate import or_sign_in
from reviewapp.asked import asked
from reviewapp.audit.context import about
from reviewapp.outbox.status.banner import with_banner
from reviewapp.retrievers.guidance.form_settings import DEFAULT, FormSettings
from reviewapp.retrievers.guidance.markdown import rendered
from reviewapp.web.http import Request, page_or, wants_fragment, wants_json, whole_number

_BACK = "You were signed out before this could be saved. What you typed is below: look it over and submit it again."

# The fields whose errors stand beside them.
_SHOWN = {*FIELDS, "choice"}
_PRESETS = ("0", "0.25", "0.5", "0.75", "1")


@require_safe
@never_cache
@permission_required("annotations.view_annotation", raise_exception=True)
def review(request: Request, pk: int) -> HttpResponse:
    """Show one item, and give it to this person for ten minutes unless somebody else has it open."""
    annotation, now = item_or_404(pk), timezone.now()
    data, draft = opening(annotation, now=now), services.own(pk, request.user)
    if was_typed := session_rescue.take_back(request, pk):
        return show(request, annotation, data | was_typed, notice=_BACK, other_draft=draft)
    if waiting := resending(annotation, request.GET.get("change", "")):
        return show(request, annotation, **waiting, other_draft=draft)
    if again := reopened(annotation, request.user, request.GET.dict()):
        return show(request, annotation, **again, other_draft=draft)
    if draft:
        resumed = resume(draft, annotation)
        return show(request, annotation, data | resumed.data, draft=draft, stale=resumed.stale, draft_news=resumed.news)
    return show(request, annotation, data)


def show(
    request: Request, annotation: Annotation, data: Mapping[str, Any], *, status: int = 200, **more: Any
) -> HttpResponse:
    """Render the item with the form holding `data`.

    `more` may be `errors`, `stale`, `notice`, `resending`, `again`, `undoing`, `draft` (what the form goes on from, and
    with `draft_news` what happened since), `other_draft` (to be offered beside it).
    """
    about(annotation.ref)
    if wants_json(request):
        return JsonResponse({"state": "asks", "why": _why(more)}, status=status)
    now, chosen, decisions = timezone.now(), QueueFilter.parse(request.GET), recent(request.user)
    left = progress(chosen, request.user, now=now)
    said = _said(request, left) if wants_fragment(request) else ""
    context = {
        "item": look_at(annotation, request.user, lease=_lease(annotation, request, now), now=now, searched=chosen.q),
        "progress": left,
        "recent": decisions,
        **undoable(request.user, decisions),
        "here": chosen.querystring(),
        "said": said,
        "lease_minutes": minutes(),
        "seen": digest_of(data.get("base")),
        **_form(annotation, {**data, "person": request.user.pk}, more.get("errors") or {}),
        **_draft(request, more.get("other_draft"), now),
        **_keys(request),
        **more,
    }
    response = page_or("annotations/_review.html", request, "annotations/review.html", context, status=status)
    address = reverse("review", args=[annotation.pk])
    if status == 200 or _is_elsewhere(request, address):
        response["HX-Push-Url"] = address + chosen.querystring()
    if said:
        response["HX-Trigger"] = json.dumps({"say": said})
    return with_banner(request, response)


def _is_elsewhere(request: Request, address: str) -> bool:
    """Return whether htmx asks from the page of another item than this one: the address is always of what is shown."""
    return (request.htmx.current_url_abs_path or address).partition("?")[0] != address


def _said(request: Request, left: Progress) -> str:
    """Return what was said on the way here; whoever has decided hears what is left."""
    said = [f"{each} {left.sentence()}" if each.extra_tags == "left" else str(each) for each in get_messages(request)]
    return " ".join(said)


def _why(more: Mapping[str, Any]) -> str:
    """Return in a sentence or two why the form is shown again."""
    if stale := more.get("stale"):
        return " ".join([f"{stale.by.title}.", *stale.settled])
    wrong = [str(sentence) for sentences in (more.get("errors") or {}).values() for sentence in sentences]
    return str(more.get("notice") or " ".join(wrong))


def _form(annotation: Annotation, data: Mapping[str, Any], errors: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form shows besides what the item is; problems are those that belong to no visible field."""
    choice, proposed = str(data.get("choice") or ""), str(annotation.proposed.get("label") or "")
    offered = label_buttons.offer(annotation.retriever)
    return {
        "data": data,
        "cannot_tell": data.get("outcome") == Decision.Outcome.UNDECIDABLE,
        "hidden": [(name, "" if data.get(name) is None else data[name]) for name in HIDDEN],
        "buttons": label_buttons.buttons(offered, proposed, choice, chosen="" if data.get("label") else choice),
        "other_allowed": offered.other_allowed,
        "required": _settings(annotation).notes(),
        "guidelines": _guidelines(annotation),
        "problems": [sentence for name in errors if name not in _SHOWN for sentence in errors[name]],
        "presets": _PRESETS,
        "most_reasoning": MOST_REASONING,
    }


def _settings(annotation: Annotation) -> FormSettings:
    label_set = annotation.retriever.label_set if annotation.retriever else None
    return label_set.settings if label_set else DEFAULT


def _draft(request: Request, other: Draft | None, now: datetime) -> dict[str, Any]:
    """Return what the script needs to keep drafts: the server's time, for how many days, a draft not in the form."""
    offered = json.dumps(as_json(other)) if other else ""
    return {"now": now, "draft_days": settings.DRAFT_DAYS, "offered_draft": offered}


def _guidelines(annotation: Annotation) -> dict[str, Any] | None:
    """Return the guidelines in force as HTML, with their version, or None where nobody has written any."""
    told = annotation.retriever.guidelines if annotation.retriever else None
    return {"html": rendered(told.text), "version": told.version} if told and told.text.strip() else None


def _keys(request: Request) -> dict[str, Any]:
    table = shortcuts.for_person(request.user.key_map)
    return {"keys": table, "key_table": shortcuts.as_json(table)}


def _lease(annotation: Annotation, request: Request, now: datetime) -> Lease | None:
    if annotation.status == Annotation.Status.GONE or not request.user.has_perm("annotations.decide_annotation"):
        return Lease.objects.select_related("holder").filter(annotation=annotation).first()
    return leases.take(annotation, request.user, now=now)


@require_safe
@never_cache
@permission_required("annotations.decide_annotation", raise_exception=True)
def next_item(request: Request) -> HttpResponse:
    """Give this person the next item of the filter (`after` one, which is let go), or the one `before` another."""
    chosen = QueueFilter.parse(request.GET)
    if before := _named(request.GET.get("before", "")):
        return go_back(request, chosen, before)
    after = _named(request.GET.get("after", ""))
    if after:
        leases.release(after.pk, request.user)
    return go_on(request, chosen, after)


@require_safe
@never_cache
@permission_required("annotations.decide_annotation", raise_exception=True)
def ahead(request: Request) -> HttpResponse:
    """Say which pictures the item behind `after` will show, to be there when it opens; nobody is given it yet."""
    after = _named(request.GET.get("after", ""))
    found = pictures(QueueFilter.parse(request.GET), request.user, after, now=timezone.now()) if after else []
    return JsonResponse({"pictures": [reverse("media", args=place) for place in found]})


def _named(text: str) -> Annotation | None:
    key = whole_number(text)
    return next(iter(_place(pk=key)), None) if key else None


@asked
def _place(pk: int) -> QuerySet[Annotation]:
    """Where an item stands in every order of the queue."""
    return Annotation.objects.filter(pk=pk).only(*KINDS)


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def extend(request: Request, pk: int) -> HttpResponse:
    """Give the item to this person for ten more minutes, unless somebody else has it by now."""
    annotation, now = get_object_or_404(Annotation, pk=pk), timezone.now()
    lease = leases.take(annotation, request.user, now=now)
    if not wants_fragment(request):
        return redirect(reverse("review", args=[pk]) + QueueFilter.parse(request.GET).querystring())
    item = look_at(annotation, request.user, lease=lease, now=now)
    context = {"item": item, "here": QueueFilter.parse(request.GET).querystring(), "lease_minutes": minutes()}
    response = render(request, "annotations/_lease.html", context)
    response["HX-Trigger"] = json.dumps({"say": f"Held for {minutes()} more minutes" if not item.held_by else ""})
    return response
