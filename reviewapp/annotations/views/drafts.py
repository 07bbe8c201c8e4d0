"""Keeping and discarding a draft: as JSON for the script that does it while somebody types, as a page without it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from reviewapp.annotations.decide.forms import DecisionForm
from reviewapp.annotations.drafts import services
from reviewapp.annotations.drafts.forms import DraftForm
from reviewapp.annotations.drafts.resume import as_json, named
from reviewapp.annotations.models import Annotation, Draft
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.views.navigation import item_or_404, to_item
from reviewapp.annotations.views.review import show
from reviewapp.annotations.views.sign_in_gate import or_sign_in
from reviewapp.web.http import Request, wants_json

_KEPT = "Draft saved on the server. Nothing is submitted yet."
_DECIDED = "This was submitted already, so there is nothing left to keep as a draft."
_TOLD = (
    "Another of your browsers has saved a draft of this since. Saving again puts what is below in its place. It says"
)


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def save_draft(request: Request, pk: int) -> HttpResponse:
    """Keep what is typed; another browser's draft that says something else is shown and not replaced."""
    annotation = get_object_or_404(Annotation.objects.only("pk"), pk=pk)
    form = DraftForm(request.POST)
    if not form.is_valid():
        return _refused(request, pk, form.why())
    try:
        draft = services.save(annotation.pk, form.typed(), actor=request.user)
    except services.AlreadyDecided:
        return _done(request, pk, {"state": "decided"}, _DECIDED, status=409)
    except services.TooMany as error:
        return _refused(request, pk, str(error))
    except services.Overtaken as error:
        return _overtaken(request, pk, error.draft)
    return _done(request, pk, {"state": "saved", **named(draft)}, _KEPT)


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def discard_draft(request: Request, pk: int) -> HttpResponse:
    """Forget the draft and go back to the values as they stand."""
    annotation = get_object_or_404(Annotation.objects.only("pk"), pk=pk)
    services.discard(annotation.pk, actor=request.user)
    return _done(request, pk, {"state": "discarded"}, "Discarded. These are the values as they stand.")


def _done(request: Request, pk: int, told: dict[str, Any], said: str, *, status: int = 200) -> HttpResponse:
    if wants_json(request):
        return JsonResponse(told, status=status)
    messages.info(request, said)
    return to_item(QueueFilter.parse(request.GET), pk)


def _refused(request: Request, pk: int, why: str) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"state": "refused", "why": why}, status=422)
    return show(request, item_or_404(pk), _typed(request), status=422, errors={"draft": [why]})


def _overtaken(request: Request, pk: int, other: Draft) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"state": "overtaken", **as_json(other)}, status=409)
    said = "; ".join(f"{name}: {text}" for name, text in services.words(other.typed).items())
    data = _typed(request) | {"draft": str(other.edition)}
    return show(request, item_or_404(pk), data, status=409, notice=f"{_TOLD}: {said}")


def _typed(request: Request) -> dict[str, str]:
    return {name: request.POST.get(name, "") for name in DecisionForm.base_fields}
