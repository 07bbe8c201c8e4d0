"""The way from a page to a document's file."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from reviewapp.http import Request
from reviewapp.sync.media import NoLink, link


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def media(request: Request, document_id: str, index: int) -> HttpResponse:
    """Redirect to a link that serves the file now, or say in a sentence why there is none."""
    try:
        response: HttpResponse = HttpResponseRedirect(link(document_id, index))
    except NoLink as error:
        response = HttpResponse(error.reason, status=error.status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "private, no-store"
    # The address bar of our page is nobody's business.
    response["Referrer-Policy"] = "no-referrer"
    return response
