"""Save and discard a draft: answers JSON to the script, a page to a browser without it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from reviewapp.annotations.decide.forms import posted_data
from reviewapp.annotations.drafts import services
from reviewapp.annotations.drafts.forms import DraftForm
from reviewapp.annotations.drafts.resume import draft_as_json, edition_as_json
from reviewapp.annotations.drafts.sign_in_gate import or_sign_in
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.views.navigation import get_item_or_404, redirect_to_item
from reviewapp.annotations.views.review import render_item
from reviewapp.web.http import Request, wants_json

_SAVED = gettext_lazy("Draft saved on the server. Nothing is submitted yet.")
_ALREADY_DECIDED = gettext_lazy("Already submitted, so no draft was saved.")
_DISCARDED = gettext_lazy("Draft discarded.")
_OVERTAKEN = gettext_lazy(
    "Another browser of yours has saved a different draft of this item. Save again to replace it. "
    "It says"
)


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def save_draft(request: Request, pk: int) -> HttpResponse:
    """Save what is typed; another browser's different draft is shown and not replaced."""
    annotation = get_object_or_404(Annotation.objects.only("pk"), pk=pk)
    form = DraftForm(request.POST)
    if not form.is_valid():
        return _refused_response(request, pk, form.error_message())

    try:
        draft = services.save(annotation.pk, form.draft_input(), actor=request.user)
    except services.AlreadyDecided:
        return _done_response(request, pk, {"state": "decided"}, str(_ALREADY_DECIDED), status=409)
    except services.TooMany as error:
        return _refused_response(request, pk, str(error))
    except services.Overtaken as error:
        if wants_json(request):
            return JsonResponse({"state": "overtaken", **draft_as_json(error.draft)}, status=409)

        words = services.words(error.draft.typed)
        other_text = "; ".join(f"{name}: {text}" for name, text in words.items())
        data = posted_data(request.POST) | {"draft": str(error.draft.edition)}
        notice = f"{_OVERTAKEN}: {other_text}"
        return render_item(request, get_item_or_404(pk), data, status=409, notice=notice)

    body = {"state": "saved", **edition_as_json(draft)}
    return _done_response(request, pk, body, str(_SAVED))


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def discard_draft(request: Request, pk: int) -> HttpResponse:
    """Delete the draft and show the annotation's values."""
    annotation = get_object_or_404(Annotation.objects.only("pk"), pk=pk)
    services.discard(annotation.pk, actor=request.user)
    return _done_response(request, pk, {"state": "discarded"}, str(_DISCARDED))


def _done_response(
    request: Request,
    pk: int,
    body: dict[str, Any],
    message: str,
    *,
    status: int = 200,
) -> HttpResponse:
    if wants_json(request):
        return JsonResponse(body, status=status)
    messages.info(request, message)
    return redirect_to_item(QueueFilter.parse(request.GET), pk)


def _refused_response(request: Request, pk: int, reason: str) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"state": "refused", "why": reason}, status=422)
    item = get_item_or_404(pk)
    errors = {"draft": [reason]}
    return render_item(request, item, posted_data(request.POST), status=422, errors=errors)
