"""A form that is sent after its session has ended, or into another's: nothing typed is lost, or becomes another's."""

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
    """Let a stranger's POST about one annotation lead to the sign-in, and from there to the item's page.

    The middleware's own redirect would lead back to an address that only takes POST. What was typed is kept meanwhile
    if the browser had a session (`kept`). htmx gets a 401 instead: the
    page stays as it is, typed text and all, and says what to do.

    A form that was rendered for somebody else (`person`) is refused: who signs in at the same browser later must not
    submit what the one before had typed.
    """

    @wraps(view)
    def signed_in_only(request: HttpRequest, pk: int) -> HttpResponse:
        ours = cast("Request", request)
        if request.user.is_authenticated:
            return view(ours, pk) if _is_theirs(ours) else render(request, "403_person.html", status=403)
        if wants_fragment(ours):
            return HttpResponse(status=401)
        try:
            session_rescue.keep(request, pk)
        except session_rescue.TooOften:
            refused: HttpResponse = respond_429(request)
            return refused
        return redirect_to_login(reverse("review", args=[pk]) + QueueFilter.parse(request.GET).querystring())

    return login_not_required(signed_in_only)


def _is_theirs(request: Request) -> bool:
    return request.POST.get("person", "") in {"", str(request.user.pk)}
