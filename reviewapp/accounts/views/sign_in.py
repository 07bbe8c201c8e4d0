"""allauth's pages of signing in, with our answers: 422 for a form not well filled in, history for what counts."""

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
from reviewapp.accounts.sessions.user_agents import readable
from reviewapp.accounts.sign_in.code_forms import use_totp_code
from reviewapp.accounts.sso.provider import CheckedAdapter
from reviewapp.audit.context import acting

if TYPE_CHECKING:
    from reviewapp.web.http import Request

_log = logging.getLogger(__name__)

View = Callable[..., HttpResponse]


class _Refusing:
    """Answers a form that is not well filled in with 422, as all our pages do, where allauth says 200."""

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        """Show the form again with what is wrong."""
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        if response.status_code == 200:
            response.status_code = 422
        return response


class _SignIn(_Refusing, account.LoginView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what leads in besides a password."""
        more = {"mail": bool(settings.EMAIL_HOST), "sso": settings.OIDC_NAME if settings.OIDC_SERVER_URL else ""}
        return {**super().get_context_data(**kwargs), **more, "refused": deactivated.sentence(self.request)}


class _ChangePassword(_Refusing, account.PasswordChangeView):  # type: ignore[misc]
    success_url = reverse_lazy("preferences")

    def dispatch(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer 404 to a person who has no password to change."""
        if not request.user.has_usable_password():
            raise Http404
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response


class _ResetPassword(_Refusing, account.PasswordResetView):  # type: ignore[misc]
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Make no link where no mail can carry it: show the page that says whom to ask."""
        response: HttpResponse
        if settings.EMAIL_HOST:
            response = super().post(request, *args, **kwargs)
        else:
            response = self.render_to_response(self.get_context_data(), status=422)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add whether mail goes out at all."""
        return {**super().get_context_data(**kwargs), "mail": bool(settings.EMAIL_HOST)}


class _ResetPasswordFromKey(_Refusing, account.PasswordResetFromKeyView):  # type: ignore[misc]
    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Set the password; what strangers tried at the account does not count for this browser of the owner's."""
        response: HttpResponse = super().form_valid(form)
        set_session_proof(response, self.reset_user)
        return response


class _Reauthenticate(_Refusing, account.ReauthenticateView):  # type: ignore[misc]
    pass


class _ReauthenticateByCode(_Refusing, ReauthenticateView):  # type: ignore[misc]
    pass


class _ReauthenticateByPasskey(ReauthenticateWebAuthnView):  # type: ignore[misc]
    def form_invalid(self, form: BaseForm) -> HttpResponse:
        """Show the page again, where allauth leads to the sign-in."""
        response: HttpResponse = self.render_to_response(self.get_context_data(form=form), status=422)
        return response


class _Authenticate(_Refusing, AuthenticateView):  # type: ignore[misc]
    pass


class _Factors(IndexView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add whether this person has to set one up before anything else, and how many recovery codes are left.

        `unreadable` says why, where the app or the codes cannot be read any more (see `factors.py`).
        """
        context: dict[str, Any] = super().get_context_data(**kwargs)
        app = context["authenticators"].get(Authenticator.Type.TOTP)
        codes = context["authenticators"].get(Authenticator.Type.RECOVERY_CODES)
        context |= {"must": self.request.user.lacks_second_factor(), "codes_left": 0, "unreadable": ""}

        try:
            if codes is not None:
                context["codes_left"] = len(codes.get_unused_codes())
            if app is not None:
                decrypt(app.instance.data["secret"])
        except ValidationError as error:
            context["unreadable"] = error.messages[0]
        return context


class _ActivateTotp(_Refusing, ActivateTOTPView):  # type: ignore[misc]
    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Turn the app on; the code that did it is good for nothing else."""
        response: HttpResponse = super().form_valid(form)
        authenticator = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        use_totp_code(authenticator, form.cleaned_data["code"])
        return response


class _DeactivateTotp(_Refusing, DeactivateTOTPView):  # type: ignore[misc]
    pass


class _GenerateRecoveryCodes(recovery_codes.GenerateRecoveryCodesView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Offer new codes where the old ones cannot be read any more, too."""
        try:
            context: dict[str, Any] = super().get_context_data(**kwargs)
        except ValidationError:
            context = FormView.get_context_data(self, **kwargs) | {"unused_code_count": 0}
        return context


class _AddPasskey(_Refusing, AddWebAuthnView):  # type: ignore[misc]
    pass


class _EditPasskey(_Refusing, EditWebAuthnView):  # type: ignore[misc]
    pass


class _Sessions(ListUserSessionsView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what each session's browser is called; the newest session comes first."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        named = [(session, readable(session.user_agent)) for session in reversed(context["sessions"])]
        return {**context, "named": named}


def recorded(view: View) -> View:
    """Return the view, with what it does to the person's own second factors told in history as theirs."""

    @wraps(view)
    def acted(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST" or not request.user.is_authenticated:
            return view(request, *args, **kwargs)
        with acting(request.user):
            return view(request, *args, **kwargs)

    return acted


sign_in = _SignIn.as_view()
change_password = _ChangePassword.as_view()
reset_password = login_not_required(_ResetPassword.as_view())
reset_password_from_key = login_not_required(_ResetPasswordFromKey.as_view())
reauthenticate = _Reauthenticate.as_view()
reauthenticate_by_code = _ReauthenticateByCode.as_view()
factors = _Factors.as_view()
reauthenticate_by_passkey = _ReauthenticateByPasskey.as_view()
authenticate = login_not_required(_Authenticate.as_view())
activate_totp = recorded(_ActivateTotp.as_view())
deactivate_totp = recorded(_DeactivateTotp.as_view())
generate_recovery_codes = recorded(_GenerateRecoveryCodes.as_view())
add_passkey = recorded(_AddPasskey.as_view())
edit_passkey = _EditPasskey.as_view()
# What is asked of the passkey waits in a session, which a GET makes.
sign_in_by_passkey = rate_limit(action="passkey_start", limit_get=True)(login_webauthn)
remove_passkey = recorded(RemoveWebAuthnView.as_view())
sessions = _Sessions.as_view()


@require_safe
@never_cache
@login_not_required
@ensure_csrf_cookie
def who(request: HttpRequest) -> JsonResponse:
    """Say who is signed in: the page that asks had a session which ended, and must not go on in another's name.

    A token comes along, for a browser that has lost it; and, where signing in again cannot work, why (`refused`).
    """
    person = request.user if request.user.is_authenticated else None
    told = {"person": person.pk if person else None, "name": person.get_username() if person else ""}
    return JsonResponse({**told, "refused": deactivated.sentence(request)})


def _with_codes(view: View) -> View:
    """Return the view of recovery codes, which leads somebody who has none to where a second factor is set up.

    So it does where they cannot be read any more (see `factors.py`); that page says why.
    """

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except (Http404, ValidationError):
            return redirect("mfa_index")

    return shown


view_recovery_codes = _with_codes(recovery_codes.view_recovery_codes)
download_recovery_codes = _with_codes(recovery_codes.download_recovery_codes)


@require_safe
@never_cache
def signed_in_again(request: HttpRequest) -> HttpResponse:
    """Send somebody who signed in in a tab of its own back to the page whose session had ended."""
    return render(request, "accounts/signed_in_again.html")


@login_not_required
@rate_limit(action="sso_start")  # type: ignore[untyped-decorator]
def sso(request: HttpRequest) -> HttpResponse:
    """Lead to the single sign-on: GET asks first, POST goes there."""
    return _through(OAuth2LoginView, request)


@login_not_required
def sso_callback(request: HttpRequest) -> HttpResponse:
    """Take somebody in who comes back from the single sign-on."""
    return _through(OAuth2CallbackView, request)


def _through(view: Any, request: HttpRequest) -> HttpResponse:
    try:
        response: HttpResponse = view.adapter_view(CheckedAdapter(request, "sso"))(request)
        # allauth says 401, which promises a challenge; it is an answer that we cannot believe.
        response.status_code = 400 if response.status_code == 401 else response.status_code
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    except (OAuth2Error, RequestException) as error:
        _log.warning("single sign-on is out of reach: %s", error)
        return render(request, "socialaccount/authentication_error.html", {"away": True}, status=502)
    return response
