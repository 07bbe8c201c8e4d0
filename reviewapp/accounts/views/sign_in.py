"""allauth's sign-in pages, changed to respond 422 to an invalid form and to record history."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from allauth.account import views as account
from allauth.decorators import rate_limit
from allauth.mfa.base.views import AuthenticateView, IndexView, ReauthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.views import (
    AddWebAuthnView,
    EditWebAuthnView,
    ReauthenticateWebAuthnView,
    RemoveWebAuthnView,
    login_webauthn,
)
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.usersessions.views import ListUserSessionsView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from django.views.generic import FormView
from requests import RequestException

from reviewapp.accounts.sessions import deactivated
from reviewapp.accounts.sessions.session_proof import set_session_proof
from reviewapp.accounts.sessions.user_agents import describe_user_agent
from reviewapp.accounts.sign_in.code_forms import use_totp_code
from reviewapp.accounts.sso.provider import CheckedAdapter
from reviewapp.audit.context import acting
from reviewapp.web.middleware.compression import shows_secret
from reviewapp.web.reauthentication import SIGN_IN_AGAIN, needs_new_sign_in

if TYPE_CHECKING:
    from reviewapp.web.http import Request

_log = logging.getLogger(__name__)

View = Callable[..., HttpResponse]


class _Respond422:
    """Respond 422 to an invalid form, as all our pages do; allauth responds 200."""

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        """Render the form again with its errors."""
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        if response.status_code == 200:
            response.status_code = 422
        return response


class _SignIn(_Respond422, account.LoginView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the ways to sign in without a password."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["mail"] = bool(settings.EMAIL_HOST)
        context["sso"] = settings.OIDC_NAME if settings.OIDC_SERVER_URL else ""
        context["refused"] = deactivated.deactivation_message(self.request)
        return context


class _ChangePassword(_Respond422, account.PasswordChangeView):  # type: ignore[misc]
    success_url = reverse_lazy("preferences")

    def dispatch(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Respond 404 to a person without a password."""
        if not request.user.has_usable_password():
            raise Http404
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response


class _ResetPassword(_Respond422, account.PasswordResetView):  # type: ignore[misc]
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Without a mail server, render the page that says whom to ask, instead of a link."""
        response: HttpResponse
        if settings.EMAIL_HOST:
            response = super().post(request, *args, **kwargs)
        else:
            response = self.render_to_response(self.get_context_data(), status=422)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add whether there is a mail server."""
        return {**super().get_context_data(**kwargs), "mail": bool(settings.EMAIL_HOST)}


class _ResetPasswordByKey(_Respond422, account.PasswordResetFromKeyView):  # type: ignore[misc]
    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Set the password; failed sign-ins of strangers then do not count for this browser."""
        with acting(self.reset_user):
            response: HttpResponse = super().form_valid(form)
        set_session_proof(response, self.reset_user)
        return response


class _Reauthenticate(_Respond422, account.ReauthenticateView):  # type: ignore[misc]
    pass


class _ReauthenticateByCode(_Respond422, ReauthenticateView):  # type: ignore[misc]
    pass


class _ReauthenticateByPasskey(ReauthenticateWebAuthnView):  # type: ignore[misc]
    def form_invalid(self, form: BaseForm) -> HttpResponse:
        """Render the page again; allauth redirects to the sign-in."""
        context = self.get_context_data(form=form)
        response: HttpResponse = self.render_to_response(context, status=422)
        return response


class _Authenticate(_Respond422, AuthenticateView):  # type: ignore[misc]
    pass


class _Factors(IndexView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add whether this person must set up a factor, and the number of unused recovery codes.

        `unreadable` is the message if the app or the codes cannot be decrypted (see `factors.py`).
        """
        context: dict[str, Any] = super().get_context_data(**kwargs)
        authenticators = context["authenticators"]
        app = authenticators.get(Authenticator.Type.TOTP)
        codes = authenticators.get(Authenticator.Type.RECOVERY_CODES)
        context["must"] = self.request.user.lacks_second_factor()
        context["codes_left"] = 0
        context["unreadable"] = ""

        try:
            if codes is not None:
                context["codes_left"] = len(codes.get_unused_codes())
            if app is not None:
                decrypt(app.instance.data["secret"])
        except ValidationError as error:
            context["unreadable"] = error.messages[0]
        return context


class _ActivateTotp(_Respond422, ActivateTOTPView):  # type: ignore[misc]
    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Activate the app; its code cannot be used again."""
        response: HttpResponse = super().form_valid(form)
        authenticator = Authenticator.objects.get(
            user=self.request.user,
            type=Authenticator.Type.TOTP,
        )
        use_totp_code(authenticator, form.cleaned_data["code"])
        return response


class _DeactivateTotp(_Respond422, DeactivateTOTPView):  # type: ignore[misc]
    pass


class _GenerateRecoveryCodes(recovery_codes.GenerateRecoveryCodesView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Offer new codes also if the old ones cannot be decrypted."""
        try:
            context: dict[str, Any] = super().get_context_data(**kwargs)
        except ValidationError:
            context = FormView.get_context_data(self, **kwargs) | {"unused_code_count": 0}
        return context


class _AddPasskey(_Respond422, AddWebAuthnView):  # type: ignore[misc]
    pass


class _EditPasskey(_Respond422, EditWebAuthnView):  # type: ignore[misc]
    pass


class _Sessions(ListUserSessionsView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the name of each session's browser, newest session first."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        named = []
        for session in reversed(context["sessions"]):
            named.append((session, describe_user_agent(session.user_agent)))
        return {**context, "named": named}


def as_actor(view: View) -> View:
    """Decorate a view so that the history shows the signed-in person as the actor of a POST."""

    @wraps(view)
    def wrapper(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST" or not request.user.is_authenticated:
            return view(request, *args, **kwargs)
        with acting(request.user):
            return view(request, *args, **kwargs)

    return wrapper


def recent_sign_in_required(view: View) -> View:
    """Decorate a view that adds a way to sign in: a person who has no other must be new here.

    allauth asks everybody else for a password or a second factor first.
    """

    @wraps(view)
    def wrapper(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        if needs_new_sign_in(request):
            messages.warning(request, SIGN_IN_AGAIN)
            return redirect("mfa_index")
        return view(request, *args, **kwargs)

    return wrapper


sign_in = _SignIn.as_view()
change_password = as_actor(_ChangePassword.as_view())
reset_password = login_not_required(_ResetPassword.as_view())
reset_password_from_key = login_not_required(shows_secret(_ResetPasswordByKey.as_view()))
reauthenticate = _Reauthenticate.as_view()
reauthenticate_by_code = _ReauthenticateByCode.as_view()
factors = _Factors.as_view()
reauthenticate_by_passkey = _ReauthenticateByPasskey.as_view()
authenticate = login_not_required(_Authenticate.as_view())
activate_totp = recent_sign_in_required(shows_secret(as_actor(_ActivateTotp.as_view())))
deactivate_totp = as_actor(_DeactivateTotp.as_view())
generate_recovery_codes = shows_secret(as_actor(_GenerateRecoveryCodes.as_view()))
add_passkey = recent_sign_in_required(as_actor(_AddPasskey.as_view()))
edit_passkey = _EditPasskey.as_view()
# A GET counts too, because it creates a session with the challenge for the passkey.
sign_in_by_passkey = rate_limit(action="passkey_start", limit_get=True)(login_webauthn)
remove_passkey = as_actor(RemoveWebAuthnView.as_view())
sessions = _Sessions.as_view()


@require_safe
@never_cache
@login_not_required
@ensure_csrf_cookie
def who(request: HttpRequest) -> JsonResponse:
    """Return who is signed in, so that a page whose session ended does not act for another person.

    Sets the CSRF cookie if the browser lost it. `refused` is the message for a deactivated person.
    """
    identity: dict[str, Any] = {"person": None, "name": ""}
    if request.user.is_authenticated:
        identity = {"person": request.user.pk, "name": request.user.get_username()}

    identity["refused"] = deactivated.deactivation_message(request)
    return JsonResponse(identity)


def _require_codes(view: View) -> View:
    """Decorate a view of recovery codes: redirect to the factors page if there are no codes.

    Also if they cannot be decrypted (see `factors.py`); that page shows the reason.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except (Http404, ValidationError):
            return redirect("mfa_index")

    return wrapper


view_recovery_codes = shows_secret(_require_codes(recovery_codes.view_recovery_codes))
download_recovery_codes = _require_codes(recovery_codes.download_recovery_codes)


@require_safe
@never_cache
def signed_in_again(request: HttpRequest) -> HttpResponse:
    """Tell a person who signed in again in another tab to go back to the first one."""
    return render(request, "accounts/signed_in_again.html")


@login_not_required
@rate_limit(action="sso_start")  # type: ignore[untyped-decorator]
def sso(request: HttpRequest) -> HttpResponse:
    """Start the single sign-on: GET asks for confirmation, POST redirects to the provider."""
    return _call_sso_view(OAuth2LoginView, request)


@login_not_required
def sso_callback(request: HttpRequest) -> HttpResponse:
    """Complete the single sign-on."""
    return _call_sso_view(OAuth2CallbackView, request)


def _call_sso_view(view: Any, request: HttpRequest) -> HttpResponse:
    try:
        adapter = CheckedAdapter(request, "sso")
        response: HttpResponse = view.adapter_view(adapter)(request)
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    except (OAuth2Error, RequestException) as error:
        _log.warning("single sign-on cannot begin: %s", error)
        context = {"away": isinstance(error, RequestException)}
        return render(request, "socialaccount/authentication_error.html", context, status=502)

    # allauth responds 401, which requires a challenge: it means a callback that is not valid.
    if response.status_code == 401:
        response.status_code = 400
    return response
