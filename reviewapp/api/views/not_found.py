"""Paths that lead nowhere, answered in Mixpeek's error body like everything else here."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.api.errors import not_found
from reviewapp.api.views.base import Endpoint


@extend_schema(exclude=True)
class UnknownPath(Endpoint):
    """Any other path below /api/v1, whatever the method."""

    permission_classes = [IsAuthenticated]

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Let strangers know as little as anybody: 401 first, then 404."""
        super().initial(request, *args, **kwargs)
        raise not_found("path", request.path)

    def get(self, request: Request, rest: str) -> Response:
        """Never come here: `initial` has said all there is to say."""
        raise not_found("path", rest)
