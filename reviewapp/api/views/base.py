"""The base class of all endpoints: authentication, namespace and history context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from reviewapp.api import errors, parsers
from reviewapp.api.auth import (
    AccessRule,
    BearerAuthentication,
    JsonNegotiation,
    ScopeAndRolePermission,
    TokenThrottle,
)
from reviewapp.api.models import ApiToken
from reviewapp.api.serializers.fields import Flag, Shape, Whole
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import add_means, current_trace, tracing
from reviewapp.storable import is_storable

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


class Endpoint(APIView):
    """One path; `needs` has the required scope and permission of each method."""

    needs: ClassVar[dict[str, AccessRule]] = {}
    authentication_classes = [BearerAuthentication]
    permission_classes = [ScopeAndRolePermission]
    throttle_classes = [TokenThrottle]
    renderer_classes: Sequence[type[BaseRenderer]] = [JSONRenderer]
    parser_classes = [JSONParser]
    content_negotiation_class = JsonNegotiation

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Record the API as the origin of every change made inside."""
        with tracing(Origin.API, current_trace().request_id):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check permissions, record the token in the history, then check namespace and ids."""
        super().initial(request, *args, **kwargs)
        if isinstance(request.auth, ApiToken):
            add_means(f"token “{request.auth.name}” ({request.auth.prefix}…)")

        # A script for another namespace must not get the records of ours.
        namespace = request.headers.get("X-Namespace") or request.query_params.get("namespace")
        if namespace and namespace != settings.MIXPEEK_NAMESPACE:
            raise errors.not_found("namespace", namespace)

        for name, value in kwargs.items():
            if isinstance(value, str) and not is_storable(value):
                raise errors.invalid_value("path", name, message=_("This cannot be an id."))

    @property
    def person(self) -> User:
        """The owner of the token; permission checks let nobody else in."""
        return cast("User", self.request.user)

    def get_exception_handler(self) -> Any:
        """Return the handler that answers in Mixpeek's error body."""
        return errors.handle_exception

    def body(self, shape: type[Shape]) -> dict[str, Any]:
        """Return the request's body, checked; raises 413 and 422."""
        return _validate(shape, parsers.parse_body(self.request.body), "body")

    def query(self, shape: type[Shape]) -> dict[str, Any]:
        """Return the query's parameters, validated; unknown ones are ignored, as upstream does.

        A text becomes the type of its field; one that is no such value stays, and is refused.
        """
        values: dict[str, Any] = {}
        for name, field in shape().fields.items():
            if name not in self.request.query_params:
                continue
            text = str(self.request.query_params[name])
            digits = text.removeprefix("-")
            is_whole_number = digits.isascii() and digits.isdigit() and len(digits) < 19

            values[name] = text
            if isinstance(field, Flag) and text in {"true", "false"}:
                values[name] = text == "true"
            elif isinstance(field, Whole) and is_whole_number:
                values[name] = int(text)
        return _validate(shape, values, "query")


def _validate(shape: type[Shape], data: dict[str, Any], location: str) -> dict[str, Any]:
    serializer = shape(data=data)
    if not serializer.is_valid():
        raise errors.validation_problem(errors.flatten_errors(serializer.errors, [location]))
    values: dict[str, Any] = serializer.validated_data
    return values
