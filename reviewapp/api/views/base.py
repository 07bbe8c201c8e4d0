"""What all endpoints share: the gate, the namespace, the trace, and how bodies and queries are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from rest_framework.fields import Field
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from reviewapp.api import errors, parsers
from reviewapp.api.auth import Allowed, Bearer, Need, OnlyJson, PerToken
from reviewapp.api.models import ApiToken
from reviewapp.api.serializers.fields import Flag, Shape, Whole
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import by_means_of, current, tracing

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


class Endpoint(APIView):
    """One path. `needs` says for each method which scope and which permission it takes."""

    needs: ClassVar[dict[str, Need]] = {}
    authentication_classes = [Bearer]
    permission_classes = [Allowed]
    throttle_classes = [PerToken]
    renderer_classes: Sequence[type[BaseRenderer]] = [JSONRenderer]
    parser_classes = [JSONParser]
    content_negotiation_class = OnlyJson

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Mark everything that happens inside as having come through this door."""
        with tracing(Origin.API, current().request_id):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let in who may, note the token, then look at the address: our namespace, possible ids."""
        super().initial(request, *args, **kwargs)
        if isinstance(request.auth, ApiToken):
            by_means_of(f"token “{request.auth.name}” ({request.auth.prefix}…)")
        _check_namespace(request)
        for name, value in kwargs.items():
            if isinstance(value, str) and not parsers.text(value):
                raise errors.wrong("path", name, message="This cannot be an id.")

    @property
    def person(self) -> User:
        """Whose token it is; the gate lets nobody else in."""
        return cast("User", self.request.user)

    def get_exception_handler(self) -> Any:
        """Answer every error in Mixpeek's body."""
        return errors.answer

    def body(self, shape: type[Shape]) -> dict[str, Any]:
        """Return the request's body, checked; raises 413 and 422."""
        return _checked(shape, parsers.body(self.request.body), "body")

    def query(self, shape: type[Shape]) -> dict[str, Any]:
        """Return the query's parameters, checked by the same rules; unknown ones are ignored, as upstream does."""
        fields = shape().fields
        sent = self.request.query_params.items()
        given = {name: _value(fields[name], str(text)) for name, text in sent if name in fields}
        return _checked(shape, given, "query")


def _checked(shape: type[Shape], data: dict[str, Any], where: str) -> dict[str, Any]:
    serializer = shape(data=data)
    if not serializer.is_valid():
        raise errors.invalid(errors.complaints(serializer.errors, [where]))
    values: dict[str, Any] = serializer.validated_data
    return values


def _value(field: Field[Any, Any, Any, Any], text: str) -> Any:
    """Return what a query's text stands for in `field`; what it cannot stand for stays a text, to be refused."""
    if isinstance(field, Flag) and text in {"true", "false"}:
        return text == "true"
    if isinstance(field, Whole):
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) < 19:
            return int(text)
    return text


def _check_namespace(request: Request) -> None:
    """Refuse a namespace that is not ours: a script that means another one must not be answered with this one."""
    said = request.headers.get("X-Namespace") or request.query_params.get("namespace")
    if said and said != settings.MIXPEEK_NAMESPACE:
        raise errors.not_found("namespace", said)
