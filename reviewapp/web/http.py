"""What every view of ours shares: a typed request, and the choice between a page and a fragment of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus, unquote_to_bytes

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from reviewapp.accounts.models import User


class Request(HttpRequest):
    """A signed-in person's request (`SignInRequired` lets no other reach a view), with its htmx details."""

    user: User
    htmx: HtmxDetails


def wants_fragment(request: Request) -> bool:
    """Return whether htmx asks for a part; boosted and history-restoring requests want the whole page."""
    htmx = request.htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def page_or(fragment: str, request: Request, page: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Render `fragment` for htmx and `page` (which includes that very fragment) for everybody else."""
    template = fragment if wants_fragment(request) else page
    response = render(request, template, context, status=status)
    response["Vary"] = "HX-Request"
    return response


def is_path_of_ours(address: str) -> bool:
    """Return whether a form's `next` is a path of this site that a redirect can lead to."""
    is_text = address.isprintable() and address.isascii()
    return address.startswith("/") and is_text and url_has_allowed_host_and_scheme(address, allowed_hosts=None)


def whole_number(text: str) -> int | None:
    """Return the number, such as a key, that an address or a field says; None for what no bigint column holds."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def wants_json(request: HttpRequest) -> bool:
    """Return whether a script of ours asks, which reads JSON; a browser by itself asks for pages."""
    return request.headers.get("Accept") == "application/json"


def garbled(request: HttpRequest) -> set[str]:
    """Return the fields of a submitted form whose bytes are no text.

    Django silently puts U+FFFD in their place. The text itself does not tell, for somebody may have written U+FFFD.
    """
    suspicious = any("\ufffd" in text for name in request.POST for text in request.POST.getlist(name))
    if not suspicious or request.content_type != "application/x-www-form-urlencoded":
        return set()
    pairs = (pair.partition(b"=") for pair in request.body.split(b"&"))
    return {unquote_plus(name.decode("ascii", "replace")) for name, _, value in pairs if not _is_text(value)}


def _is_text(quoted: bytes) -> bool:
    try:
        unquote_to_bytes(quoted).decode()
    except UnicodeDecodeError:
        return False
    return True
