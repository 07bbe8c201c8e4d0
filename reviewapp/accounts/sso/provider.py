"""allauth's OpenID Connect with the missing checks: nonce, signature, subject of userinfo."""

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

from reviewapp.accounts.sso.documents import check_discovery, check_tokens
from reviewapp.accounts.sso.tokens import UntrustedToken, decode_id_token, describe_identity


class CheckedAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """Accepts only a signed ID token, and userinfo about the same subject."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """Return the discovery document; raises OAuth2Error for another issuer or no addresses."""
        config: dict[str, Any] = super().openid_config
        check_discovery(config)
        issuer = str(config.get("issuer", ""))
        configured = self.get_provider().app.settings["server_url"]
        expected_issuer, _, _ = configured.partition("/.well-known/")

        if issuer.rstrip("/") != expected_issuer.rstrip("/"):
            raise OAuth2Error(f"The discovery document is of {issuer!r}, not of {configured!r}")
        return config

    def parse_token(self, data: dict[str, Any]) -> Any:
        """Return the access token; raises OAuth2Error if it cannot be used."""
        check_tokens(data)
        return super().parse_token(data)

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Return the sign-in of a valid ID token; raises OAuth2Error."""
        id_token = kwargs["response"].get("id_token")
        if not isinstance(id_token, str):
            raise OAuth2Error("There is no ID token")

        config = self.openid_config
        with get_adapter().get_requests_session() as session:
            response = session.get(config["jwks_uri"])
            response.raise_for_status()

        try:
            claims = decode_id_token(
                id_token,
                keys=response.json(),
                issuer=config["issuer"],
                client_id=app.client_id,
            )
        except (UntrustedToken, ValueError) as error:
            raise OAuth2Error(str(error)) from error

        userinfo: dict[str, Any] = {}
        if config.get("userinfo_endpoint"):
            userinfo = self._fetch_user_info(token.token)
        if userinfo.get("sub", claims["sub"]) != claims["sub"]:
            raise OAuth2Error("Userinfo is about another subject than the ID token")

        identity = describe_identity(
            claims,
            userinfo=userinfo,
            groups_claim=settings.OIDC_GROUPS_CLAIM,
        )
        return self.get_provider().sociallogin_from_response(request, {"id_token": identity})

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Return the redirect URI, which has to be registered with the provider."""
        return request.build_absolute_uri(reverse("sso_callback"))


class CheckedProvider(OpenIDConnectProvider):  # type: ignore[misc]
    """allauth's provider with a nonce, which `adapter.GroupsDecide` checks in the callback."""

    oauth2_adapter_class = CheckedAdapter

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """Return the parameters of the redirect: our own values, none of the query string."""
        nonce = secrets.token_urlsafe(24)
        redirect_kwargs: dict[str, Any] = super().get_redirect_from_request_kwargs(request)
        redirect_kwargs["process"] = "login"
        redirect_kwargs["scope"] = self.get_scope()
        redirect_kwargs["nonce"] = nonce
        redirect_kwargs["auth_params"] = {**self.get_auth_params(), "nonce": nonce}
        return redirect_kwargs
