"""The delivery chip that keeps itself true, and the way out of a pause."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from reviewapp.audit.context import acting
from reviewapp.outbox import services
from reviewapp.outbox.models import Change
from reviewapp.web.http import Request, is_path_of_ours, page_or

_TRYING = "Trying again; whether Mixpeek accepts our key shows with the next delivery."


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def delivery(request: Request, pk: int) -> HttpResponse:
    """Show how far one change got; the chip asks again by itself until it is settled."""
    change = get_object_or_404(Change, pk=pk)
    return page_or("outbox/_delivery.html", request, "outbox/delivery.html", {"change": change})


@require_POST
@permission_required("outbox.resume_outbox", raise_exception=True)
def resume(request: Request) -> HttpResponse:
    """Have deliveries tried again after a pause, and return to where the person was."""
    with acting(request.user):
        resumed = services.resume()
    messages.info(request, _TRYING if resumed else "Deliveries were not paused.")
    back = request.POST.get("next", "")
    return redirect(back if is_path_of_ours(back) else "/")
