"""Where an item may name other documents: its values that could be a document's id. Pure.

Mixpeek has no type for a reference. Whether a value is the id of another document is only told by
the documents that we hold; a field's name proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any, NamedTuple

from reviewapp.retrievers.documents.layout import layers, leaves

# As many as a document's id may have.
_MAX_ID_LENGTH = 200
# How much of the payload, and of each layer of the document, is looked at.
_MAX_LEAVES = 500
_MAX_IDS = 100


class Mention(NamedTuple):
    """A place that holds an id: a path in the payload, or in the document's own fields."""

    is_payload: bool
    path: str


def possible_mentions(
    payload: Mapping[str, Any],
    snapshot: Mapping[str, Any],
    *,
    own_id: str,
) -> dict[str, list[Mention]]:
    """Return the texts that may be ids of other documents with their places, payload first.

    At most 100 texts; `own_id` is none of them.
    """
    texts = [_leaf_texts(payload, is_payload=True)]
    for _, fields in layers(snapshot):
        texts.append(_leaf_texts(fields, is_payload=False))

    mentions: dict[str, list[Mention]] = {}
    for mention, text in chain.from_iterable(texts):
        if not text.strip() or len(text) > _MAX_ID_LENGTH or text == own_id:
            continue
        if text not in mentions and len(mentions) == _MAX_IDS:
            continue
        mentions.setdefault(text, []).append(mention)
    return mentions


def _leaf_texts(fields: Mapping[str, Any], *, is_payload: bool) -> Iterator[tuple[Mention, str]]:
    for path, leaf in islice(leaves(fields), _MAX_LEAVES):
        values = leaf if isinstance(leaf, list) else [leaf]
        for value in values[:_MAX_IDS]:
            if isinstance(value, str):
                yield Mention(is_payload, path), value
