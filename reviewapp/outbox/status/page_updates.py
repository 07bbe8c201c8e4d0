"""Keep the banner and the Attention badge of an open page up to date.

With each request the page sends what its banner and its badge show (`X-Standing` and `X-Attention`,
from `static/page.js`). A response carries, out of band, only what is outdated; and a toast, when a
change of this person has begun to need them since. A page that sends no other requests polls.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.template.loader import render_to_string

from reviewapp.audit.registry import find_titles
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.context_processors import attention_context, banner_context
from reviewapp.outbox.status.health import delivery_health
from reviewapp.web.http import Request, wants_fragment

_NO_CONTENT = 204


def with_updates(request: Request, response: HttpResponse) -> HttpResponse:
    """Return the response, with what the page shows otherwise appended; one query if nothing is."""
    page_banner = request.headers.get("X-Standing")
    if page_banner is None or not wants_fragment(request):
        return response

    health = delivery_health(request.user)
    fragments: list[str] = []
    if health.banner_state != page_banner:
        context = {
            **banner_context(health),
            "out_of_band": True,
            "page": request.htmx.current_url_abs_path,
        }
        fragments.append(render_to_string("_pause.html", context, request))

    page_attention = request.headers.get("X-Attention")
    if page_attention is not None and health.attention_state != page_attention:
        context = {**attention_context(health), "out_of_band": True}
        fragments.append(render_to_string("outbox/_attention_count.html", context, request))
        if health.has_own_since(page_attention):
            fragments.append(_toast(request))

    if not fragments:
        return response
    if response.status_code == _NO_CONTENT:
        response = HttpResponse(headers={"HX-Reswap": "none"})
    for fragment in fragments:
        response.write(fragment)
    return response


def _toast(request: Request) -> str:
    """Return the toast about the person's change that needs them since last; "" for none."""
    own = Change.objects.attention().filter(actor_id=request.user.pk)
    change = own.order_by("-settled_at").first()
    if change is None:
        return ""

    title = find_titles([change.ref]).get(change.ref, "")
    context = {"not_taken": change, "title": title, "out_of_band": True}
    return render_to_string("outbox/_attention_toast.html", context, request)
