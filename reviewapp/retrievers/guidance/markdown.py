"""Guidelines as a page shows them: Markdown in, sanitised HTML out. Pure, and remembered, for every
item shows it.
"""

from __future__ import annotations

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

from reviewapp.bounded_cache import MIB, bounded_cache

_TAGS = {
    *(
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "br",
        "hr",
        "blockquote",
        "pre",
        "code",
        "em",
        "strong",
        "s",
    ),
    *("ul", "ol", "li", "a", "table", "thead", "tbody", "tr", "th", "td"),
}
_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


@bounded_cache(most_bytes=4 * MIB)
def render_markdown(text: str) -> SafeString:
    """Return `text` as HTML that holds no script, style, picture or address but http, https and
    mailto.
    """
    made = _parser.render(text)
    clean = nh3.clean(
        made,
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return SafeString(clean)
