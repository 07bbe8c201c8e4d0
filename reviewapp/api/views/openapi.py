"""The OpenAPI document for programs, and the reference for people."""

from __future__ import annotations

import json

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request as ApiRequest

from reviewapp.api.auth import READ, AccessRule, BearerAuthentication, Session
from reviewapp.api.errors import not_found
from reviewapp.api.openapi import reference
from reviewapp.api.views.base import Endpoint
from reviewapp.web.http import Request

_CONTENT_TYPES = {"json": "application/vnd.oai.openapi+json", "yaml": "application/vnd.oai.openapi"}


@extend_schema(exclude=True)
class OpenApi(Endpoint):
    """`GET /v1/openapi.json` and `.yaml`, for a token or a signed-in browser."""

    authentication_classes = [BearerAuthentication, Session]
    needs = {"GET": AccessRule(scope=READ, permission="")}

    def get(self, request: ApiRequest, form: str) -> HttpResponse:
        """Return the document."""
        if form not in _CONTENT_TYPES:
            raise not_found("path", request.path)
        return HttpResponse(render_document(form), content_type=_CONTENT_TYPES[form])


def render_document(form: str) -> bytes:
    """Return the document as json or yaml."""
    if form == "json":
        return json.dumps(reference.document(), indent=1).encode()
    content: bytes = OpenApiYamlRenderer().render(reference.document(), renderer_context={})  # type: ignore[no-untyped-call]
    return content


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def docs(request: Request) -> HttpResponse:
    """Show every call and every shape: drawn by us, since what others offer needs scripts that our
    policy refuses.
    """
    context = {
        "groups": reference.groups().items(),
        "shapes": reference.shapes(),
        "host": request.build_absolute_uri("/api"),
    }
    return render(request, "api/docs.html", context)
