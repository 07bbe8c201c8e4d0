"""The refs of an annotation: our own, which never changes, and the one made of Mixpeek's id."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.search_query import search_query
from reviewapp.postgres.statement import sql_file
from reviewapp.ref import Ref, RefKind


@dataclass(frozen=True)
class MatchingRow:
    """An annotation that matches a search."""

    ref: str
    annotation_id: str | None


@dataclass(frozen=True)
class TitleRow:
    """What an annotation is called."""

    ref: str
    annotation_id: str | None
    title: str


_MATCHING_REFS = sql_file(__file__, "matching_refs.sql", MatchingRow)
_TITLES = sql_file(__file__, "titles.sql", TitleRow)

# A word of a tsquery, and whether it stands for all that begin with it.
_LEXEME = re.compile("('(?:[^']|'')*')(:[*])?")


def refs(named: Ref) -> list[str]:
    """Return every ref of the annotations that `named` names, also by Mixpeek's id. One query."""
    if named.kind != RefKind.ANNOTATION:
        return []

    has_name = Q(ref=str(named)) | Q(annotation_id=named.id)
    annotations = Annotation.objects.filter(has_name).order_by("id")

    all_refs = []
    for ref, annotation_id in annotations.values_list("ref", "annotation_id"):
        upstream_ref = ref
        if annotation_id:
            upstream_ref = str(Ref(RefKind.ANNOTATION, annotation_id))
        all_refs.append(ref)
        all_refs.append(upstream_ref)
    return all_refs


def matching_refs(words: str, limit: int) -> list[str]:
    """Return every ref of at most so many annotations whose document or id matches. One query.

    Labels and reasoning are in the history itself. A search that excludes words would match nearly
    everything, and returns none.
    """
    query = search_query(words)
    if not query or "!" in query:
        return []

    found = []
    of_document = _LEXEME.sub(_with_document_weight, query)
    for row in _MATCHING_REFS.rows(words=of_document, limit=limit):
        found.append(row.ref)
        if row.annotation_id:
            found.append(str(Ref(RefKind.ANNOTATION, row.annotation_id)))
    return list(dict.fromkeys(found))


def _with_document_weight(lexeme: re.Match[str]) -> str:
    """Return a word of a query that finds only what `triggers/search.py` indexes of a document."""
    prefix = "*" if lexeme[2] else ""
    return f"{lexeme[1]}:{prefix}D"


def titles(refs: Collection[str]) -> dict[str, str]:
    """Return the titles of the annotations among these refs, by ref. One query at most."""
    ids_by_ref = {}
    for ref in refs:
        parsed = Ref.parse_or_none(ref)
        if parsed is not None and parsed.kind == RefKind.ANNOTATION:
            ids_by_ref[ref] = parsed.id
    if not ids_by_ref:
        return {}

    titles_by_ref = {}
    rows = _TITLES.rows(refs=list(ids_by_ref), annotation_ids=list(ids_by_ref.values()))
    for row in rows:
        titles_by_ref[row.ref] = row.title
        if row.annotation_id:
            titles_by_ref[str(Ref(RefKind.ANNOTATION, row.annotation_id))] = row.title
    return titles_by_ref
