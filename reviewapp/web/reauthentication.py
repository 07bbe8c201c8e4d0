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

from reviewapp.web.http import Request

SIGN_IN_AGAIN = (
    "Nothing was changed. You sign in without a password here, so this needs a sign-in of the "
    "last few minutes: sign "
    "out, sign in again, then repeat it."
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
    afterwards. A person who has neither must have signed in just now.
    """
    asks_again: View[P] = reauthentication_required(view)

    @wraps(view)
    def proven(request: Request, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        if needs_new_sign_in(request):
            messages.warning(request, SIGN_IN_AGAIN)
            return redirect(request.path)
        return asks_again(request, *args, **kwargs)

    return cast("View[P]", proven)
