"""How endpoints describe themselves in the OpenAPI document: what each of them shares, said once."""

from __future__ import annotations

from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

_REFUSALS = {
    "400": "The request makes no sense.",
    "401": "No usable API token.",
    "403": "The token's scope or the person's role is in the way.",
    "404": "Not there, or in another namespace.",
    "405": "Not offered by this gateway.",
    "409": "Somebody was faster; `details` holds base, mine and theirs.",
    "413": "The body is larger than 1 MiB.",
    "422": "Values are wrong, or keys are not known; see `details.validation_errors`.",
    "429": "Too many requests; see Retry-After.",
    "503": "Mixpeek or the database cannot be asked now; see Retry-After.",
}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The bearer token, as OpenAPI names it."""

    target_class = "reviewapp.api.auth.BearerAuthentication"
    name = "ApiToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Return the scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token made on /tokens, `rvw_...`.",
        }


class Described(AutoSchema):
    """Adds the headers that every call takes, and the error body that every refusal has."""

    def get_override_parameters(self) -> list[Any]:
        """Return the headers."""
        said = [("X-Namespace", "Checked against the namespace of this gateway when sent.")]
        handler = getattr(self.view, self.method.lower())
        if getattr(handler, "writes", False):
            said.append(
                (
                    "Idempotency-Key",
                    "The same key and body again get the same answer and do nothing.",
                )
            )
        if self.method == "PATCH":
            said.append(
                (
                    "If-Match",
                    "The ETag you read; 409 with base, mine and theirs when it is not current.",
                )
            )
        return [
            OpenApiParameter(name, OpenApiTypes.STR, "header", description=why)
            for name, why in said
        ]

    def get_extensions(self) -> dict[str, Any]:
        """Return which scope and which permission the call takes."""
        need = getattr(self.view, "needs", {}).get(self.method)
        return {"x-scope": str(need.scope), "x-permission": need.permission} if need else {}

    def get_tags(self) -> list[str]:
        """Group by the part of the path after the version."""
        return [self.path.split("/v1/")[-1].split("/")[0]]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> Any:
        # The one place where drf-spectacular gathers a call's answers; it has no public way to add
        # to all of them.
        answers = super()._get_response_bodies(direction)
        from reviewapp.api.serializers.common import ErrorResponse

        for status, why in _REFUSALS.items():
            if status not in answers:
                described = self._get_response_for_code(ErrorResponse, status)  # type: ignore[no-untyped-call]
                answers[status] = {**described, "description": why}
        return answers
