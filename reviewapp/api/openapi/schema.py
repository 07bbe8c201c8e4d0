"""What all endpoints share in the OpenAPI document: headers, errors and the token."""

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
        headers = [("X-Namespace", "Checked against the namespace of this gateway when sent.")]
        handler = getattr(self.view, self.method.lower())
        if getattr(handler, "writes", False):
            description = "The same key and body again get the same answer and do nothing."
            headers.append(("Idempotency-Key", description))
        if self.method == "PATCH":
            description = (
                "The ETag you read; 409 with base, mine and theirs when it is not current."
            )
            headers.append(("If-Match", description))

        parameters = []
        for name, text in headers:
            parameter = OpenApiParameter(name, OpenApiTypes.STR, "header", description=text)
            parameters.append(parameter)
        return parameters

    def get_extensions(self) -> dict[str, Any]:
        """Return which scope and which permission the call takes."""
        rule = getattr(self.view, "needs", {}).get(self.method)
        if rule is None:
            return {}
        return {"x-scope": str(rule.scope), "x-permission": rule.permission}

    def get_tags(self) -> list[str]:
        """Group by the part of the path after the version."""
        return [self.path.split("/v1/")[-1].split("/")[0]]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> Any:
        # The one place where drf-spectacular gathers a call's answers; it has no public way to add
        # to all of them.
        responses = super()._get_response_bodies(direction)
        from reviewapp.api.serializers.common import ErrorResponse

        for status, description in _REFUSALS.items():
            if status not in responses:
                response = self._get_response_for_code(  # type: ignore[no-untyped-call]
                    ErrorResponse,
                    status,
                )
                responses[status] = {**response, "description": description}
        return responses
