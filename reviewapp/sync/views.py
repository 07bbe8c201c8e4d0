"""Redirect to a document's file, and receive Mixpeek's webhooks."""

from __future__ import annotations

import math
import time

from django.contrib.auth.decorators import login_not_required, permission_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from reviewapp.sync.listen import webhooks
from reviewapp.sync.listen.signature import Verdict
from reviewapp.sync.media.links import LinkUnavailable, failure_reason, framed_link, link
from reviewapp.web.http import Request

# Responses have no body, so that a sender without the secret learns nothing.
_PLAIN = "text/plain; charset=utf-8"
_STATUSES = {Verdict.GENUINE: 200, Verdict.STALE: 400, Verdict.FORGED: 401}


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def open_media(request: Request, index: int, document_id: str = "") -> HttpResponse:
    """Redirect to a link that serves the file now, or respond with a sentence why there is none.

    With `as=pdf`, only to a file whose content is a PDF. With `why`, respond with a sentence why a
    browser does not show the file. The query names the document if a path cannot (`media_url` in
    `web/jinja.py`).
    """
    document_id = document_id or request.GET.get("document_id", "")
    as_pdf = request.GET.get("as") == "pdf"
    find_link = framed_link if as_pdf else link

    response: HttpResponse
    try:
        if "why" in request.GET:
            reason = failure_reason(document_id, index, as_pdf=as_pdf, person=request.user)
            response = HttpResponse(reason, content_type=_PLAIN)
        else:
            response = HttpResponseRedirect(find_link(document_id, index, person=request.user))
    except LinkUnavailable as error:
        response = HttpResponse(
            error.reason,
            status=error.status,
            content_type=_PLAIN,
        )
        if error.retry_after is not None:
            response["Retry-After"] = str(math.ceil(error.retry_after))

    response["Cache-Control"] = "private, no-store"
    # The file's host must not see the address of our page.
    response["Referrer-Policy"] = "no-referrer"
    return response


# Mixpeek sends this, not a browser: the signature over the body proves the sender, so there is no
# CSRF token, and cookies are not used.
@csrf_exempt
@login_not_required
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """Store a webhook delivery and respond at once; a worker reads the annotation it names."""
    length = request.headers.get("Content-Length") or "0"
    is_number = length.isascii() and length.isdigit()
    if not is_number or int(length[:20]) > webhooks.MAX_BYTES:
        return HttpResponse(status=413)
    try:
        body = request.body
    except RequestDataTooBig:
        return HttpResponse(status=413)

    verdict = webhooks.verify_webhook(
        body,
        signature=request.headers.get("X-Mixpeek-Signature", ""),
        static=request.headers.get("X-Mixpeek-Secret", ""),
        now=time.time(),
    )
    if verdict is Verdict.GENUINE:
        webhooks.receive(body)
    return HttpResponse(status=_STATUSES[verdict])
