"""Middleware that requires a sign-in and second factors, limits hashing and records activity."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, resolve_url
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import uri_to_iri
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy

from reviewapp.accounts.models import User
from reviewapp.accounts.sessions import deactivated
from reviewapp.accounts.sessions.session_proof import has_session_proof, set_session_proof
from reviewapp.accounts.sign_in import hashing
from reviewapp.audit.context import set_person
from reviewapp.web.http import wants_fragment
from reviewapp.web.middleware.request_limits import MAX_ADDRESS_LENGTH

if TYPE_CHECKING:
    from reviewapp.web.http import Request

_SIGNED_OUT = gettext_lazy(
    "You are signed out. Sign in again in another tab; your work is kept here."
)
_NEEDS_FACTOR = gettext_lazy(
    "Your role requires a second factor. Set it up in another tab; your work is kept here."
)
# The pages that are open to a person who still has to set up a second factor.
_OPEN_WITHOUT_FACTOR = {
    "account_logout",
    "account_reauthenticate",
    "account_change_password",
    "theme",
}
_ACTIVITY_INTERVAL_SECONDS = 60
# A longer address to come back to is cut to its path.
_MAX_NEXT_LENGTH = MAX_ADDRESS_LENGTH // 2


class SignInRequired(LoginRequiredMiddleware):
    """Redirect to the sign-in page and then back, except for views with `@login_not_required`.

    A request for a fragment gets 401 instead: its page may have a form with unsaved text.
    """

    def handle_no_permission(  # type: ignore[override]
        self,
        request: Request,
        view_func: Any,
    ) -> HttpResponse:
        """Respond to a request without a sign-in."""
        if wants_fragment(request):
            message = deactivated.deactivation_message(request) or str(_SIGNED_OUT)
            return _unauthorized(message)

        # Then to come back to this page, or to the one that held the form.
        next_url = reverse("home")
        referrer = request.headers.get("Referer", "")
        if request.method in {"GET", "HEAD"}:
            next_url = request.get_full_path()
        elif url_has_allowed_host_and_scheme(referrer, allowed_hosts={request.get_host()}):
            parts = urlsplit(referrer)
            next_url = parts.path or next_url
            if parts.query:
                next_url = f"{parts.path}?{parts.query}"

        sign_in_url = resolve_url(self.get_login_url(view_func))
        # What is percent-encoded already would be encoded twice.
        query = urlencode({"next": uri_to_iri(next_url)})
        if len(query) > _MAX_NEXT_LENGTH:
            query = urlencode({"next": uri_to_iri(urlsplit(next_url).path)})
        return HttpResponseRedirect(f"{sign_in_url}?{query}")


class SecondFactorRequired:
    """Redirect people who lack a second factor that their role requires to its set-up page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self,
        request: Request,
        view: Any,
        args: Any,
        kwargs: Any,
    ) -> HttpResponse | None:
        """Respond instead of the view if a factor is missing. One query if any role needs one."""
        url_name = ""
        if request.resolver_match is not None:
            url_name = request.resolver_match.url_name or ""
        is_open = url_name in _OPEN_WITHOUT_FACTOR or url_name.startswith("mfa_")
        if is_open or not request.user.is_authenticated:
            return None
        if not request.user.lacks_second_factor():
            return None

        if wants_fragment(request):
            return _unauthorized(str(_NEEDS_FACTOR))
        return redirect("mfa_index")


class BusyHashing:
    """Respond 503 if too many passwords are being hashed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Respond to HashingIsBusy with Retry-After; leave any other exception alone."""
        if not isinstance(exception, hashing.HashingIsBusy):
            return None

        html = render_to_string("accounts/busy.html")
        headers = {"Retry-After": str(hashing.RETRY_AFTER)}
        return HttpResponse(html, status=503, headers=headers)


class LastActive:
    """Record the activity of people and sessions once a minute; end sessions that are too old.

    Whenever a session is saved, which extends it, the session proof of the browser is renewed too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> HttpResponse:
        # Only for signed-in people: a visitor must not get a cookie for reading a page.
        if request.user.is_authenticated:
            _record_activity(request)

        response = self.get_response(request)

        # The view may have signed the person in, or a script by its token, which has no session.
        if request.user.is_authenticated:
            set_person(request.user.pk)
        if request.user.is_authenticated and request.session.session_key:
            is_saved = request.session.modified
            if is_saved or not has_session_proof(request):
                set_session_proof(response, request.user)
        return response


def begin_session(*, request: HttpRequest | None, user: User, **_: object) -> None:
    """Record the start time in a new session (receiver of `user_logged_in`)."""
    if request is not None:
        now = int(time.time())
        request.session["began"] = now
        request.session["used"] = now
        User.people.filter(pk=user.pk).update(last_active=timezone.now())


def _record_activity(request: Request) -> None:
    now = int(time.time())
    if now - request.session.get("used", 0) < _ACTIVITY_INTERVAL_SECONDS:
        return

    age = now - request.session.setdefault("began", now)
    if age > settings.SESSION_DAYS * 24 * 3600:
        logout(request)
        return

    # Changing the session also extends it.
    request.session["used"] = now
    User.people.filter(pk=request.user.pk).update(last_active=timezone.now())
    UserSession.objects.create_from_request(request)


def _unauthorized(message: str) -> HttpResponse:
    return HttpResponse(message, status=401, content_type="text/plain; charset=utf-8")
