"""Mixpeek's error body for errors that no endpoint made.

They come from the server, from another middleware, or from a path that does not exist.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy

from reviewapp.api.errors import Problem, error_body

# Scripts written for Mixpeek that were given our host alone ask below /v1. The description is a
# page for people.
_API_PATHS = ("/api/", "/v1/")
_PAGE_PATHS = ("/api/docs",)
_MESSAGES = {
    400: gettext_lazy("The request could not be read."),
    403: gettext_lazy("Forbidden."),
    404: gettext_lazy("Not found. The paths of this gateway begin with /api/v1."),
    405: gettext_lazy("That method is not allowed here."),
    413: gettext_lazy("The body is larger than 1 MiB."),
    414: gettext_lazy("The address is longer than 16 KiB."),
    503: gettext_lazy("The database is not available. Try again."),
}
_DEFAULT_MESSAGE = gettext_lazy(
    "Something went wrong here. The log has the details under the request id."
)


class JsonErrorMiddleware:
    """Replace an error page for people by JSON; outermost of the middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        path = request.path_info
        is_api_path = path.startswith(_API_PATHS) and not path.startswith(_PAGE_PATHS)
        if response.status_code < 400 or not is_api_path:
            return response

        content_type = response.headers.get("Content-Type", "")
        if content_type.startswith("application/json"):
            return response

        status = response.status_code
        problem = Problem(status, str(_MESSAGES.get(status, _DEFAULT_MESSAGE)))
        headers = {}
        for name, value in response.headers.items():
            if not name.lower().startswith("content-"):
                headers[name] = value
        return JsonResponse(error_body(problem), status=status, headers=headers)
