"""Handle a form that is posted after its session ended, or in another person's session.

Nothing that was typed is lost, and none of it is submitted as somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import cast

from allauth.core.ratelimit import respond_429
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from reviewapp.annotations.drafts import session_rescue
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.web.http import Request, wants_fragment

View = Callable[[Request, int], HttpResponse]


def or_sign_in(view: View) -> View:
    """Send an anonymous POST about one annotation to the sign-in, then to the item's page.

    The middleware's own redirect would lead back to a URL that only takes POST. What was typed is
    kept meanwhile if the browser had a session (`session_rescue`). htmx gets a 401 instead: the
    page keeps what was typed and says what to do.

    A form that was rendered for another person (its field `person`) is refused with a 403: who
    signs in later at the same browser must not submit what the previous person had typed.
    """

    @wraps(view)
    def gated_view(request: HttpRequest, pk: int) -> HttpResponse:
        typed_request = cast("Request", request)
        if request.user.is_authenticated:
            form_person = request.POST.get("person", "")
            if form_person not in {"", str(request.user.pk)}:
                return render(request, "403_person.html", status=403)
            return view(typed_request, pk)

        if wants_fragment(typed_request):
            return HttpResponse(status=401)

        try:
            session_rescue.keep(request, pk)
        except session_rescue.TooOften:
            too_many_requests: HttpResponse = respond_429(request)
            return too_many_requests

        next_url = reverse("review", args=[pk]) + QueueFilter.parse(request.GET).querystring()
        return redirect_to_login(next_url)

    return login_not_required(gated_view)
