"""Guidelines: Markdown in, sanitised HTML out. Pure, and cached because every item shows it."""

from __future__ import annotations

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

from reviewapp.bounded_cache import MIB, bounded_cache

_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_TEXT_TAGS = {"p", "br", "hr", "blockquote", "pre", "code", "em", "strong", "s", "a"}
_LIST_TAGS = {"ul", "ol", "li"}
_TABLE_TAGS = {"table", "thead", "tbody", "tr", "th", "td"}
_TAGS = _HEADINGS | _TEXT_TAGS | _LIST_TAGS | _TABLE_TAGS

_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


@bounded_cache(most_bytes=4 * MIB)
def render_markdown(text: str) -> SafeString:
    """Return `text` as safe HTML: no scripts, styles or pictures; http, https and mailto links."""
    html = _parser.render(text)
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return SafeString(clean)
