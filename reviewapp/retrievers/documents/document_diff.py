"""What differs between two documents, and what they share. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reviewapp.audit.presenters.diffs import FieldDiff, field_diffs
from reviewapp.retrievers.documents.evidence import document_values

_MAX_SHARED_LENGTH = 200


@dataclass(frozen=True, kw_only=True)
class DocumentDiff:
    """The values of two documents by path, as people read them.

    In `differing`, old is the value of the first document and new that of the second, "" where one
    has none; texts are compared word by word. A long value in `shared` is truncated.
    """

    differing: tuple[FieldDiff, ...]
    shared: list[tuple[str, str]]


def document_diff(first: Mapping[str, Any], second: Mapping[str, Any]) -> DocumentDiff:
    """Return the difference of two snapshots, in the bounded work of `field_diffs`."""
    first_values = document_values(first)
    second_values = document_values(second)

    differing = {}
    shared = []
    for path in dict.fromkeys([*first_values, *second_values]):
        value = first_values.get(path)
        other_value = second_values.get(path)
        if value is not None and value == other_value:
            if len(value) > _MAX_SHARED_LENGTH:
                value = f"{value[: _MAX_SHARED_LENGTH - 1].rstrip()}…"
            shared.append((path, value))
        else:
            differing[path] = [value, other_value]
    return DocumentDiff(differing=field_diffs(differing), shared=shared)
