"""The OpenAPI document for programs, and Swagger UI for people."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request as ApiRequest

from reviewapp.api.auth import READ, AccessRule, BearerAuthentication, Session
from reviewapp.api.errors import not_found
from reviewapp.api.openapi.document import openapi_document
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
        return json.dumps(openapi_document(), indent=1).encode()
    renderer: Any = OpenApiYamlRenderer()
    content: bytes = renderer.render(openapi_document(), renderer_context={})
    return content


class SwaggerUi(SpectacularSwaggerSplitView):
    """Swagger UI in our own page.

    `?script` is the script that starts it, since our policy refuses inline ones.

    https://drf-spectacular.readthedocs.io/en/latest/readme.html#take-it-for-a-spin
    """

    authentication_classes = [Session]
    permission_classes = [IsAuthenticated]
    # Relative to the page, so that a prefix of the site's addresses is no matter.
    url = "v1/openapi.json"
    template_name = "api/docs.html"


_swagger_ui = SwaggerUi.as_view()


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def docs(request: Request) -> HttpResponseBase:
    """Describe every call and every shape.

    It is a page as any other: strangers have to sign in.
    """
    # REST framework exempts its views from Django's `LoginRequiredMiddleware`; this one is not.
    return _swagger_ui(request)
