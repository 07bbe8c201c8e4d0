"""Refusals that no endpoint made, in Mixpeek's error body too: of the server, of a middleware, of a path nobody has."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from reviewapp.api.errors import Problem, body

# Scripts written for Mixpeek that were given our host alone ask below /v1. The description is a page for people.
_OURS, _PAGES = ("/api/", "/v1/"), ("/api/docs",)
_SENTENCES = {
    400: "The request could not be read.",
    403: "This is refused.",
    404: "Not found. The paths of this gateway begin with /api/v1.",
    405: "That method is not allowed here.",
    413: "The body is larger than 1 MiB.",
    503: "The database is busy or away. Try again.",
}
_FAILED = "Something went wrong here. It was logged under the request id."


class InMixpeeksWords:
    """Stand outside everything that may answer, and put what is refused with a page for people into JSON."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        path = request.path_info
        if response.status_code < 400 or not path.startswith(_OURS) or path.startswith(_PAGES):
            return response
        told = response.headers.get("Content-Type", "")
        return response if told.startswith("application/json") else _in_json(response)


def _in_json(page: HttpResponse) -> HttpResponse:
    """Return the refusal of a page, with all that its headers say besides what it holds."""
    problem = Problem(page.status_code, _SENTENCES.get(page.status_code, _FAILED))
    headers = {name: value for name, value in page.headers.items() if not name.lower().startswith("content-")}
    return JsonResponse(body(problem), status=page.status_code, headers=headers)
