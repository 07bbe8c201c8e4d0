"""Who comes in: a bearer token, a scope and a permission that both allow, and not too many at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
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
class Need:
    """What a method asks for: the token's scope, and a permission of its person."""

    scope: str
    permission: str


class Bearer(BaseAuthentication):
    """`Authorization: Bearer rvw_...`; a browser's session counts for nothing here."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return the person and the token, None without the header.

        Raises 401 for a token that is no good, 403 for a person whose role needs a second factor and who has none.
        """
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if not kind:
            return None
        token = tokens.recognise(secret.strip()) if kind.lower() == "bearer" else None
        if token is None:
            raise AuthenticationFailed("This API token is unknown, expired or revoked.")
        if token.owner.lacks_second_factor():
            message = "Your role needs a second factor. Sign in with a browser and set it up; then this token works."
            raise Problem(403, message, code="second_factor")
        return token.owner, token

    def authenticate_header(self, request: Request) -> str:
        """Have a missing token answered with 401, not 403."""
        return "Bearer"


class Session(SessionAuthentication):
    """A signed-in person's browser, for what is only read."""


class Allowed(BasePermission):
    """Both must allow it: the token by its scope, the person by their role."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the request may go on; says which of the two was in the way.

        HEAD needs what GET needs. A method that the view does not list is for nobody.
        """
        if not request.user.is_authenticated:
            return False
        method = "GET" if request.method == "HEAD" else str(request.method)
        need: Need | None = getattr(view, "needs", {}).get(method)
        if need is None:
            raise MethodNotAllowed(str(request.method))
        if isinstance(request.auth, ApiToken) and not request.auth.allows(need.scope):
            message = f"This token's scope is {request.auth.scope}; this call needs {need.scope}."
            raise Problem(403, message, code="scope", details={"scope": request.auth.scope, "needed": need.scope})
        if need.permission and not request.user.has_perm(need.permission):
            message = "Your role may not do this."
            raise Problem(403, message, code="permission", details={"permission": need.permission})
        return True


class PerToken(BaseThrottle):
    """At most `API_REQUESTS_PER_MINUTE` a token, counted by all web processes together."""

    left = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count this request and return whether it is still within the limit."""
        if not isinstance(request.auth, ApiToken):
            return True
        requests, self.left = tokens.count_use(request.auth)
        return requests <= settings.API_REQUESTS_PER_MINUTE

    def wait(self) -> float:
        """Return the seconds until the next minute."""
        return self.left


class OnlyJson(BaseContentNegotiation):
    """Whatever a client says it sends or wants: JSON it is."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return no parser: views read the body themselves."""
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return the first renderer."""
        return renderers[0], renderers[0].media_type
