"""Shared by all views: a typed request, page or fragment, and checks of what a form sends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus, unquote_to_bytes

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import get_script_prefix
from django.utils.http import url_has_allowed_host_and_scheme

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from reviewapp.accounts.models import User


class Request(HttpRequest):
    """The request of a signed-in person, with its htmx details.

    The middleware `SignInRequired` admits no other request to a view.
    """

    user: User
    htmx: HtmxDetails


def wants_fragment(request: Request) -> bool:
    """Return whether htmx requests a fragment; boosted and history requests want the page."""
    htmx = request.htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def is_on_other_page(request: Request, path: str) -> bool:
    """Return whether htmx requests a fragment from a page with another path than `path`."""
    current_path = request.htmx.current_url_abs_path or path
    return current_path.partition("?")[0] != path


def render_page_or_fragment(
    fragment: str,
    request: Request,
    page: str,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """Render `fragment` for htmx, and `page`, which includes the fragment, for all others."""
    template = fragment if wants_fragment(request) else page
    response = render(request, template, context, status=status)
    response["Vary"] = "HX-Request"
    return response


def is_local_path(address: str) -> bool:
    """Return whether a form's `next` is a path of this site, so that a redirect to it is safe."""
    is_printable = address.isprintable() and address.isascii()
    if not address.startswith(get_script_prefix()) or not is_printable:
        return False
    return url_has_allowed_host_and_scheme(address, allowed_hosts=None)


def parse_whole_number(text: str) -> int | None:
    """Return the number, such as a key, in a text; None if no bigint column can hold it."""
    is_number = text.isascii() and text.isdigit() and len(text) <= 18
    if is_number:
        return int(text)
    return None


def parse_whole_numbers(texts: Iterable[str]) -> set[int]:
    """Return the positive numbers in these texts, such as the keys that a form selects."""
    numbers = set()
    for text in texts:
        number = parse_whole_number(text)
        if number:
            numbers.add(number)
    return numbers


def wants_json(request: HttpRequest) -> bool:
    """Return whether one of our scripts sent the request, which reads JSON, and not a browser."""
    return request.headers.get("Accept") == "application/json"


def undecodable_fields(request: HttpRequest) -> set[str]:
    """Return the names of the form fields whose bytes are not valid UTF-8.

    Django silently puts U+FFFD in their place, which alone proves nothing: a person may have typed
    U+FFFD. So the bytes of the body are checked.
    """
    is_suspicious = False
    for _, texts in request.POST.lists():
        is_suspicious = is_suspicious or "\ufffd" in "".join(texts)
    if not is_suspicious or request.content_type != "application/x-www-form-urlencoded":
        return set()

    names = set()
    for pair in request.body.split(b"&"):
        name, _, value = pair.partition(b"=")
        try:
            unquote_to_bytes(value).decode()
        except UnicodeDecodeError:
            names.add(unquote_plus(name.decode("ascii", "replace")))
    return names
