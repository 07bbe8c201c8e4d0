"""allauth's OpenID Connect, with what it leaves out: the nonce, the signature, and whose userinfo it is."""

from __future__ import annotations

import secrets
from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from reviewapp.accounts.sso.tokens import Untrusted, claims_of, described


class CheckedAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """Talks to the provider; believes only what its signed ID token says, and userinfo about the same subject."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """Return the discovery document; raises OAuth2Error when it is not the configured issuer's own."""
        config: dict[str, Any] = super().openid_config
        told, configured = str(config.get("issuer", "")), self.get_provider().app.settings["server_url"]
        if told.rstrip("/") != configured.partition("/.well-known/")[0].rstrip("/"):
            raise OAuth2Error(f"The discovery document is of {told!r}, not of {configured!r}")
        return config

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Return the sign-in that the ID token proves; raises OAuth2Error."""
        id_token = kwargs["response"].get("id_token")
        if not isinstance(id_token, str):
            raise OAuth2Error("There is no ID token")
        claims = self._decode_id_token(app, id_token)
        userinfo = self._fetch_user_info(token.token) if self.openid_config.get("userinfo_endpoint") else {}
        if userinfo.get("sub", claims["sub"]) != claims["sub"]:
            raise OAuth2Error("Userinfo is about another subject than the ID token")

        response = {"id_token": described(claims, userinfo=userinfo, groups_claim=settings.OIDC_GROUPS_CLAIM)}
        return self.get_provider().sociallogin_from_response(request, response)

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Return where the provider leads back to, to be registered there."""
        return request.build_absolute_uri(reverse("sso_callback"))

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        config = self.openid_config
        with get_adapter().get_requests_session() as session:
            response = session.get(config["jwks_uri"])
            response.raise_for_status()
        try:
            return claims_of(id_token, keys=response.json(), issuer=config["issuer"], client_id=app.client_id)
        except (Untrusted, ValueError) as error:
            raise OAuth2Error(str(error)) from error


class CheckedProvider(OpenIDConnectProvider):  # type: ignore[misc]
    """allauth's provider, asking for a nonce, which `adapter.GroupsDecide` looks at when the person comes back."""

    oauth2_adapter_class = CheckedAdapter

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the person takes along: of our own making, nothing of what the address bar says."""
        nonce = secrets.token_urlsafe(24)
        asked: dict[str, Any] = super().get_redirect_from_request_kwargs(request)
        asked |= {"process": "login", "scope": self.get_scope(), "nonce": nonce}
        asked["auth_params"] = {**self.get_auth_params(), "nonce": nonce}
        return asked
