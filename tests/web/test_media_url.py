"""A file's address names its document, whatever browsers and proxies make of a path."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urljoin, urlsplit

import pytest
from django.urls import resolve

from reviewapp.web.media_url import media_url

ORDINARY = ["doc_1", "a/b c", "a//b", "..a/b..", "a%2F..%2Fb", "日本/é", "a?b#c", "media/7"]
DOTTED = ["a/../b", "../doc_1", "doc_1/..", "./a", "a/./b", "a/..", r"a\..\b", "../../x?y=1&z"]


def normalized_by_a_proxy(address: str) -> str:
    """Return the address with its path unquoted and its dot segments resolved."""
    path, _, query = address.partition("?")
    resolved = urlsplit(urljoin("http://site.example/", unquote(path).replace("\\", "/"))).path
    return f"{resolved}?{query}"


@pytest.mark.parametrize("document_id", [*ORDINARY, *DOTTED])
def test_it_names_the_document_to_a_browser(document_id: str) -> None:
    parts = urlsplit(urljoin("http://site.example/annotations/1", media_url(document_id, 7)))
    match = resolve(unquote(parts.path))
    named = match.kwargs.get("document_id") or parse_qs(parts.query)["document_id"][0]
    assert (named, match.kwargs["index"]) == (document_id, 7)


@pytest.mark.parametrize("document_id", DOTTED)
def test_it_leaves_nothing_to_resolve_to_a_proxy(document_id: str) -> None:
    address = media_url(document_id, 7, **{"as": "pdf"})
    assert normalized_by_a_proxy(address) == address
    assert address.endswith("&as=pdf")
