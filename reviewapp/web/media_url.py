"""The address at which a document's file is opened."""

from __future__ import annotations

from django.urls import reverse
from django.utils.http import urlencode


def media_url(document_id: str, index: int, **parameters: str) -> str:
    """Return the address of the file `index` of a document.

    Browsers resolve `..` in a path, and some proxies `%2F..` too: such an id is in the query.
    """
    segments = document_id.replace("\\", "/").split("/")
    if "." in segments or ".." in segments:
        address = reverse("media_by_query", args=[index])
        parameters = {"document_id": document_id, **parameters}
    else:
        address = reverse("media", args=[document_id, index])

    if parameters:
        address = f"{address}?{urlencode(parameters)}"
    return address
