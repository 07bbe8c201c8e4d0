"""The pages behind invitations and links for a new password."""

from __future__ import annotations

from allauth.decorators import rate_limit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from reviewapp.accounts.exceptions import InvalidLink
from reviewapp.accounts.models import Link, User
from reviewapp.accounts.people import invitations
from reviewapp.accounts.people.forms import JoinForm, NewPasswordForm
from reviewapp.accounts.sessions.session_proof import set_session_proof
from reviewapp.web.middleware.compression import shows_secret


@login_not_required
@rate_limit(action="password_link")  # type: ignore[untyped-decorator]
@never_cache
@shows_secret
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def accept_invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Let an invited person choose a username and a password."""
    form = JoinForm(request.POST if request.method == "POST" else None)
    try:
        link = invitations.get_usable_link(secret, Link.Kind.INVITATION)
        if form.is_valid():
            user = invitations.accept(
                link,
                username=form.cleaned_data["username"],
                password=form.cleaned_data["password1"],
            )
            message = _("Welcome, %(name)s. Sign in with the password you just chose.")
            messages.success(request, message % {"name": user})
            return _redirect_to_sign_in(user)
    except InvalidLink as error:
        return _invalid_link_response(request, error)
    except ValidationError as error:
        form.refuse(error)

    context = {"form": form, "link": link, "secret": secret}
    status = 422 if form.is_bound else 200
    return render(request, "accounts/join.html", context, status=status)


@login_not_required
@rate_limit(action="password_link")  # type: ignore[untyped-decorator]
@never_cache
@shows_secret
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def new_password(request: HttpRequest, secret: str) -> HttpResponse:
    """Let a person who forgot their password choose a new one."""
    form = NewPasswordForm(request.POST if request.method == "POST" else None)
    try:
        link = invitations.get_usable_link(secret, Link.Kind.PASSWORD)
        if form.is_valid():
            user = invitations.set_password(link, password=form.cleaned_data["password1"])
            messages.success(request, _("Your new password is set. Sign in with it."))
            return _redirect_to_sign_in(user)
    except InvalidLink as error:
        return _invalid_link_response(request, error)
    except ValidationError as error:
        form.refuse(error)

    context = {"form": form, "link": link, "secret": secret}
    status = 422 if form.is_bound else 200
    return render(request, "accounts/new_password.html", context, status=status)


def _redirect_to_sign_in(user: User) -> HttpResponse:
    # The user of the link owns the account: failed sign-ins of strangers do not count for them.
    response = redirect("account_login")
    set_session_proof(response, user)
    return response


def _invalid_link_response(request: HttpRequest, error: InvalidLink) -> HttpResponse:
    return render(request, "accounts/spent.html", {"sentence": str(error)}, status=404)
