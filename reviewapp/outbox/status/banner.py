"""Keep the banner of an open page up to date: htmx responses carry it when it has changed.

With each request the page sends what its banner shows (`X-Standing`, from `static/page.js`). A
response carries the banner out of band only when that is outdated. A page that sends no other
requests polls.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.template.loader import render_to_string

from reviewapp.outbox.status.context_processors import banner_context
from reviewapp.outbox.status.health import delivery_health
from reviewapp.web.http import Request, wants_fragment

_NO_CONTENT = 204


def with_banner(request: Request, response: HttpResponse) -> HttpResponse:
    """Return the response, with the banner appended if the page shows another one; one query."""
    page_state = request.headers.get("X-Standing")
    if page_state is None or not wants_fragment(request):
        return response

    health = delivery_health()
    if health.banner_state == page_state:
        return response

    if response.status_code == _NO_CONTENT:
        response = HttpResponse(headers={"HX-Reswap": "none"})
    context = banner_context(health)
    context["out_of_band"] = True
    context["page"] = request.htmx.current_url_abs_path
    response.write(render_to_string("_pause.html", context, request))
    return response
