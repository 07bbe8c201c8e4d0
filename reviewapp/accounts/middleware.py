"""Nobody reads a page without signing in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from reviewapp.http import wants_fragment

if TYPE_CHECKING:
    from reviewapp.http import Request

_SIGNED_OUT = "You are signed out. Sign in again in another tab and come back: what you typed is still here."


class SignInRequired(LoginRequiredMiddleware):
    """Send strangers to the sign-in page and then back; a view that is for everybody says `@login_not_required`.

    A fragment's place is inside a page whose form may hold unsaved words, so htmx gets 401 and no other page.
    """

    def handle_no_permission(self, request: Request, view_func: Any) -> HttpResponse:  # type: ignore[override]
        """Answer somebody who is not signed in."""
        if wants_fragment(request):
            return HttpResponse(_SIGNED_OUT, status=401, content_type="text/plain; charset=utf-8")
        sign_in = resolve_url(self.get_login_url(view_func))
        return HttpResponseRedirect(f"{sign_in}?{urlencode({'next': _way_back(request)})}")


def _way_back(request: HttpRequest) -> str:
    """Return the page to come back to: this one, or the one that held the form when this was no page."""
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    referrer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referrer, allowed_hosts={request.get_host()}):
        return "/"
    parts = urlsplit(referrer)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"
