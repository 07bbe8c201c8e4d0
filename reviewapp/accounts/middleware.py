"""Nobody reads a page without signing in, with a second factor where the role needs one; and who was here when."""

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
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from reviewapp.accounts.models import User
from reviewapp.accounts.sessions import deactivated
from reviewapp.accounts.sessions.session_proof import has_session_proof, set_session_proof
from reviewapp.accounts.sign_in import hashing
from reviewapp.web.http import wants_fragment

if TYPE_CHECKING:
    from reviewapp.web.http import Request

_SIGNED_OUT = "You are signed out. Sign in again in another tab and come back: what you typed is still here."
_NEEDS_FACTOR = "Your role needs a second factor. Set it up in another tab and come back: what you typed is still here."
# What somebody may open who still has to set up a second factor.
_ON_THE_WAY = {"account_logout", "account_reauthenticate", "account_change_password", "theme"}
_EVERY = 60


class SignInRequired(LoginRequiredMiddleware):
    """Send strangers to the sign-in page and then back; a view that is for everybody says `@login_not_required`.

    A fragment's place is inside a page whose form may hold unsaved words, so htmx gets 401 and no other page.
    """

    def handle_no_permission(self, request: Request, view_func: Any) -> HttpResponse:  # type: ignore[override]
        """Answer somebody who is not signed in."""
        if wants_fragment(request):
            return _in_words(deactivated.sentence(request) or _SIGNED_OUT)
        sign_in = resolve_url(self.get_login_url(view_func))
        return HttpResponseRedirect(f"{sign_in}?{urlencode({'next': _way_back(request)})}")


class SecondFactorRequired:
    """Lead a person whose role needs a second factor, and who has none, to set it up before anything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: Request, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Answer in the view's stead when a factor is missing; one query, and only where the setting is used."""
        name = request.resolver_match.url_name if request.resolver_match else None
        if not request.user.is_authenticated or _on_the_way(name):
            return None
        if not request.user.lacks_second_factor():
            return None
        return _in_words(_NEEDS_FACTOR) if wants_fragment(request) else redirect("mfa_index")


class BusyHashing:
    """Answer 503 where a password had to be hashed while enough others are."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Say when to come back; any other exception is none of ours."""
        if not isinstance(exception, hashing.HashingIsBusy):
            return None
        headers = {"Retry-After": str(hashing.RETRY_AFTER)}
        return HttpResponse(render_to_string("accounts/busy.html"), status=503, headers=headers)


class LastActive:
    """Write down, once a minute at most, that a person and a session are in use; end a session that is too old.

    Whenever a session is stored anew, and so lasts longer, its browser's proof of it is made anew too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> HttpResponse:
        # Asked for its session only when there is one: a stranger must not get a cookie for a look.
        if request.user.is_authenticated:
            _note_use(request)

        response = self.get_response(request)

        if request.user.is_authenticated and (request.session.modified or not has_session_proof(request)):
            set_session_proof(response, request.user)
        return response


def begin_session(*, request: HttpRequest | None, user: User, **_: object) -> None:
    """Note in a new session when it began (a receiver of `user_logged_in`)."""
    if request is not None:
        request.session["began"] = request.session["used"] = int(time.time())
        User.people.filter(pk=user.pk).update(last_active=timezone.now())


def _note_use(request: Request) -> None:
    now = int(time.time())
    if now - request.session.get("used", 0) < _EVERY:
        return
    if now - request.session.setdefault("began", now) > settings.SESSION_DAYS * 24 * 3600:
        logout(request)
        return
    # Writing into the session also moves its end.
    request.session["used"] = now
    User.people.filter(pk=request.user.pk).update(last_active=timezone.now())
    UserSession.objects.create_from_request(request)


def _on_the_way(name: str | None) -> bool:
    return name is not None and (name in _ON_THE_WAY or name.startswith("mfa_"))


def _in_words(sentence: str) -> HttpResponse:
    return HttpResponse(sentence, status=401, content_type="text/plain; charset=utf-8")


def _way_back(request: HttpRequest) -> str:
    """Return the page to come back to: this one, or the one that held the form when this was no page."""
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    referrer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referrer, allowed_hosts={request.get_host()}):
        return "/"
    parts = urlsplit(referrer)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"
