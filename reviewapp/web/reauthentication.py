"""Ask a person who they are once more, before something is made that outlives the session."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy

from reviewapp.web.http import Request

SIGN_IN_AGAIN = gettext_lazy(
    "Nothing was changed. This needs a recent sign-in: sign out, sign in again, then repeat it."
)
SIGN_IN_ELSEWHERE = gettext_lazy(
    "Nothing was changed. This needs a recent sign-in: in another tab, sign out and sign in again. "
    "Then submit this again; what you typed is still here."
)

P = ParamSpec("P")
View = Callable[Concatenate[Request, P], HttpResponse]


def needs_new_sign_in(request: Request) -> bool:
    """Return whether only a new sign-in can prove who this is.

    So it is for a person without a password and a second factor, some minutes after the sign-in:
    allauth asks such a person for nothing.
    """
    if get_adapter().get_reauthentication_methods(request.user):
        return False
    session_age = time.time() - request.session.get("began", 0)
    return bool(session_age >= app_settings.REAUTHENTICATION_TIMEOUT)


def reauthentication_required_for_post(view: View[P]) -> View[P]:
    """Require a recent sign-in for the POST of a view; a decorator.

    allauth asks for the password or the second factor, keeps the POST and carries it out
    afterwards. A person who has neither must have signed in just now, else they are led to the GET
    of the view.
    """

    def redirect_to_get(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        messages.warning(request, SIGN_IN_AGAIN)
        return redirect(request.path)

    return reauthentication_required_for_form(redirect_to_get)(view)


def reauthentication_required_for_form(old_sign_in: View[P]) -> Callable[[View[P]], View[P]]:
    """Return the same decorator for a view of a form; `old_sign_in` shows it again as it was sent.

    `old_sign_in` responds to a person whose sign-in is too old, and is a form with
    `SIGN_IN_ELSEWHERE`, so that nothing typed is lost.
    """

    def decorate(view: View[P]) -> View[P]:
        asks_again: View[P] = reauthentication_required(view)

        @wraps(view)
        def proven(request: Request, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method != "POST":
                return view(request, *args, **kwargs)
            if needs_new_sign_in(request):
                return old_sign_in(request, *args, **kwargs)
            return asks_again(request, *args, **kwargs)

        return cast("View[P]", proven)

    return decorate
