"""How deliveries stand, said in a page that stays open: whatever htmx asks for brings the banner when it has changed.

The page tells with each request what its banner says (`X-Standing`, from `static/standing.js`); an answer carries the
banner out of band only when that is not so any more. A page that asks for nothing else asks for news.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.template.loader import render_to_string

from reviewapp.outbox.status.context_processors import told_as
from reviewapp.outbox.status.health import standing
from reviewapp.web.http import Request, wants_fragment

_NOTHING = 204


def with_banner(request: Request, response: HttpResponse) -> HttpResponse:
    """Return the answer, with the banner behind it if the page that asks shows another one; one query."""
    shown = request.headers.get("X-Standing")
    if shown is None or not wants_fragment(request):
        return response
    now = standing()
    if now.told == shown:
        return response
    if response.status_code == _NOTHING:
        response = HttpResponse(headers={"HX-Reswap": "none"})
    context = told_as(now) | {"out_of_band": True, "page": request.htmx.current_url_abs_path}
    response.write(render_to_string("_pause.html", context, request))
    return response
