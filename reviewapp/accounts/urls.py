"""The URLs of sign-in (only the pages of allauth that we use), people and preferences."""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.webauthn.views import list_webauthn
from allauth.socialaccount.views import login_cancelled
from django.urls import path, re_path
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.accounts.views import invitations, people, preferences, sign_in

# allauth's views would take PUT for POST.
_page = require_http_methods(["GET", "HEAD", "POST"])
_codes = require_safe(sign_in.download_recovery_codes)

# The names are allauth's own, because its views reverse them.
_SIGN_IN = [
    path("accounts/login/", _page(sign_in.sign_in), name="account_login"),
    path("accounts/logout/", _page(account.logout), name="account_logout"),
    path("accounts/who", sign_in.who, name="who"),
    path("accounts/signed-in-again", sign_in.signed_in_again, name="signed_in_again"),
    path("accounts/inactive/", _page(account.account_inactive), name="account_inactive"),
    path("accounts/reauthenticate/", _page(sign_in.reauthenticate), name="account_reauthenticate"),
    path(
        "accounts/password/change/",
        _page(sign_in.change_password),
        name="account_change_password",
    ),
    path("accounts/password/reset/", _page(sign_in.reset_password), name="account_reset_password"),
    path(
        "accounts/password/reset/done/",
        _page(account.password_reset_done),
        name="account_reset_password_done",
    ),
    path(
        "accounts/password/reset/key/done/",
        _page(account.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    # A regular expression, because both parts are joined by "-" and may contain "-" themselves.
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)/$",
        _page(sign_in.reset_password_from_key),
        name="account_reset_password_from_key",
    ),
    path("accounts/sessions/", _page(sign_in.sessions), name="usersessions_list"),
    path("accounts/sso/login/", _page(sign_in.sso), name="sso"),
    path("accounts/sso/login/callback/", require_safe(sign_in.sso_callback), name="sso_callback"),
    path("accounts/sso/cancelled/", _page(login_cancelled), name="socialaccount_login_cancelled"),
]

_SECOND_FACTORS = [
    path("accounts/2fa/", _page(sign_in.factors), name="mfa_index"),
    path("accounts/2fa/authenticate/", _page(sign_in.authenticate), name="mfa_authenticate"),
    path(
        "accounts/2fa/reauthenticate/",
        _page(sign_in.reauthenticate_by_code),
        name="mfa_reauthenticate",
    ),
    path("accounts/2fa/totp/activate/", _page(sign_in.activate_totp), name="mfa_activate_totp"),
    path(
        "accounts/2fa/totp/deactivate/",
        _page(sign_in.deactivate_totp),
        name="mfa_deactivate_totp",
    ),
    path(
        "accounts/2fa/recovery-codes/",
        _page(sign_in.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "accounts/2fa/recovery-codes/generate/",
        _page(sign_in.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("accounts/2fa/recovery-codes/download/", _codes, name="mfa_download_recovery_codes"),
    path("accounts/2fa/passkeys/", _page(list_webauthn), name="mfa_list_webauthn"),
    path("accounts/2fa/passkeys/add/", _page(sign_in.add_passkey), name="mfa_add_webauthn"),
    path(
        "accounts/2fa/passkeys/<int:pk>/edit/",
        _page(sign_in.edit_passkey),
        name="mfa_edit_webauthn",
    ),
    path(
        "accounts/2fa/passkeys/<int:pk>/remove/",
        _page(sign_in.remove_passkey),
        name="mfa_remove_webauthn",
    ),
    path(
        "accounts/2fa/passkeys/login/",
        _page(sign_in.sign_in_by_passkey),
        name="mfa_login_webauthn",
    ),
    path(
        "accounts/2fa/passkeys/reauthenticate/",
        _page(sign_in.reauthenticate_by_passkey),
        name="mfa_reauthenticate_webauthn",
    ),
]

_PEOPLE = [
    path("people", people.list_people, name="people"),
    path("people/invite", people.invite_person, name="invite"),
    path("people/<int:pk>", people.person, name="person"),
    path("people/<int:pk>/role", people.change_role, name="give_role"),
    path("people/<int:pk>/deactivate", people.deactivate_person, name="deactivate"),
    path("people/<int:pk>/reactivate", people.reactivate_person, name="reactivate"),
    path("people/<int:pk>/remove-factors", people.remove_sign_in_factors, name="remove_factors"),
    path("people/<int:pk>/password-link", people.password_link, name="password_link"),
    path("people/links/<int:pk>/withdraw", people.withdraw_invitation, name="withdraw_link"),
    path("join/<str:secret>", invitations.accept_invitation, name="join"),
    path("new-password/<str:secret>", invitations.new_password, name="new_password"),
]

urlpatterns = [
    *_SIGN_IN,
    *_SECOND_FACTORS,
    *_PEOPLE,
    path("preferences", preferences.preferences, name="preferences"),
    path("preferences/theme", preferences.theme, name="theme"),
]
