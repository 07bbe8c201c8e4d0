"""Authentication by bearer token, permission by scope and role, and the rate limit per token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from reviewapp.api import tokens
from reviewapp.api.errors import Problem
from reviewapp.api.models import ApiToken

if TYPE_CHECKING:
    from rest_framework.views import APIView

    from reviewapp.accounts.models import User

READ, DECIDE, ADMIN = ApiToken.Scope.READ, ApiToken.Scope.DECIDE, ApiToken.Scope.ADMIN


@dataclass(frozen=True, kw_only=True)
class AccessRule:
    """The token's scope and the person's permission that a method requires."""

    scope: str
    permission: str


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer rvw_...`; a browser's session counts for nothing here."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return the person and the token, None without the header.

        Raises 401 for an invalid token, 403 for a person whose role needs a second factor but who
        has none.
        """
        kind, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if not kind:
            return None
        token = tokens.authenticate(secret.strip()) if kind.lower() == "bearer" else None
        if token is None:
            raise AuthenticationFailed(_("This API token is unknown, expired or revoked."))
        if token.owner.lacks_second_factor():
            message = _(
                "Your role requires a second factor. Sign in with a browser and set it up. Then "
                "this token works."
            )
            raise Problem(403, message, code="second_factor")
        return token.owner, token

    def authenticate_header(self, request: Request) -> str:
        """Have a missing token answered with 401, not 403."""
        return "Bearer"


class Session(SessionAuthentication):
    """A signed-in person's browser, for what is only read."""


class ScopeAndRolePermission(BasePermission):
    """The token's scope and the person's role must both allow the request."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True, or raise an error that says whether scope or role forbids it.

        HEAD needs what GET needs. A method that the view does not list is forbidden.
        """
        if not request.user.is_authenticated:
            return False
        method = "GET" if request.method == "HEAD" else str(request.method)
        need: AccessRule | None = getattr(view, "needs", {}).get(method)
        if need is None:
            raise MethodNotAllowed(str(request.method))
        if isinstance(request.auth, ApiToken) and not request.auth.allows(need.scope):
            details = {"scope": request.auth.scope, "needed": need.scope}
            message = _("This token's scope is %(scope)s; this call needs %(needed)s.") % details
            raise Problem(403, message, code="scope", details=details)
        if need.permission and not request.user.has_perm(need.permission):
            message = _("Your role may not do this.")
            raise Problem(403, message, code="permission", details={"permission": need.permission})
        return True


class TokenThrottle(BaseThrottle):
    """At most `API_REQUESTS_PER_MINUTE` a token, counted by all web processes together."""

    left = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count this request and return whether it is within the limit."""
        if not isinstance(request.auth, ApiToken):
            return True
        requests, self.left = tokens.count_use(request.auth)
        return requests <= settings.API_REQUESTS_PER_MINUTE

    def wait(self) -> float:
        """Return the seconds until the next minute."""
        return self.left


class JsonNegotiation(BaseContentNegotiation):
    """Content negotiation that always chooses JSON, whatever the client sends or accepts."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return no parser: views read the body themselves."""
        return None

    def select_renderer(
        self,
        request: Request,
        renderers: Any,
        format_suffix: str | None = None,
    ) -> Any:
        """Return the first renderer."""
        return renderers[0], renderers[0].media_type
