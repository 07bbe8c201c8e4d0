"""The names of an annotation: our ref, which it keeps for ever, and the one that Mixpeek's id makes."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from reviewapp.annotations.models import Annotation
from reviewapp.asked import asked

_KIND = "annotations/"


def refs(name: str) -> list[str]:
    """Return every ref of the annotations that this one names, also when it is made of Mixpeek's id. One query."""
    if not name.startswith(_KIND) or "\0" in name:
        return []
    return [
        called
        for ref, annotation_id in _called(ref=name, annotation_id=name.removeprefix(_KIND))
        for called in (ref, f"{_KIND}{annotation_id}" if annotation_id else ref)
    ]


@asked
def _called(ref: str, annotation_id: str) -> QuerySet[Annotation, tuple[str, str | None]]:
    named = Annotation.objects.filter(Q(ref=ref) | Q(annotation_id=annotation_id))
    return named.order_by("id").values_list("ref", "annotation_id")
