"""The way from a page to a document's file, and the door for Mixpeek's webhooks."""

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
from reviewapp.sync.media_links import NoLink, framed_link, link
from reviewapp.web.http import Request

# The answers say nothing but their number: who has the secret needs no more, who has not shall learn no more.
_ANSWERS = {Verdict.GENUINE: 200, Verdict.STALE: 400, Verdict.FORGED: 401}


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def media(request: Request, document_id: str, index: int) -> HttpResponse:
    """Redirect to a link that serves the file now, or say in a sentence why there is none.

    With `as=pdf` only to a file that is a PDF by its content.
    """
    try:
        give = framed_link if request.GET.get("as") == "pdf" else link
        response: HttpResponse = HttpResponseRedirect(give(document_id, index, person=request.user))
    except NoLink as error:
        response = HttpResponse(error.reason, status=error.status, content_type="text/plain; charset=utf-8")
        if error.retry_after is not None:
            response["Retry-After"] = str(math.ceil(error.retry_after))
    response["Cache-Control"] = "private, no-store"
    # The address bar of our page is nobody's business.
    response["Referrer-Policy"] = "no-referrer"
    return response


# No form of ours and no browser sends this, so there is no token and no session: the signature over the body is what
# proves the sender, and a cookie that came along would be used for nothing.
@csrf_exempt
@login_not_required
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """Keep what Mixpeek tells us and answer at once; a worker looks into it."""
    if _too_long(request):
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
    return HttpResponse(status=_ANSWERS[verdict])


def _too_long(request: HttpRequest) -> bool:
    length = request.headers.get("Content-Length") or "0"
    return not (length.isascii() and length.isdigit()) or int(length[:20]) > webhooks.MAX_BYTES
