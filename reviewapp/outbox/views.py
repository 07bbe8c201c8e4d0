"""The delivery chip of one change, which polls, what all open pages poll, and a pause's end."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from reviewapp.audit.context import acting
from reviewapp.outbox import services
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.page_updates import with_updates
from reviewapp.web.http import Request, is_local_path, render_page_or_fragment

_NO_CONTENT = 204
_RESUMED = gettext_lazy(
    "Retrying. The next delivery will show whether Mixpeek accepts the API key."
)


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def delivery(request: Request, pk: int) -> HttpResponse:
    """Show the delivery state of one change; the chip polls until the change is settled."""
    change = get_object_or_404(Change, pk=pk)
    return render_page_or_fragment(
        "outbox/_delivery.html", request, "outbox/delivery.html", {"change": change}
    )


@require_safe
@never_cache
@permission_required("annotations.view_annotation", raise_exception=True)
def page_updates(request: Request) -> HttpResponse:
    """Answer 204 while the open page's banner and badge are up to date, else with what is not."""
    return with_updates(request, HttpResponse(status=_NO_CONTENT))


@require_POST
@permission_required("outbox.resume_outbox", raise_exception=True)
def resume_deliveries(request: Request) -> HttpResponse:
    """Resume deliveries after a pause, and return to the page the person was on."""
    with acting(request.user):
        was_paused = services.resume()

    message = _RESUMED if was_paused else _("Deliveries were not paused.")
    messages.info(request, message)

    next_path = request.POST.get("next", "")
    if not is_local_path(next_path):
        next_path = reverse("home")
    return redirect(next_path)
