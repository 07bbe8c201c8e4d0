"""The refs of an annotation: our own, which never changes, and the one made of Mixpeek's id."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from reviewapp.annotations.models import Annotation
from reviewapp.asked import asked
from reviewapp.storable import is_storable

_PREFIX = "annotations/"


def refs(name: str) -> list[str]:
    """Return every ref of the annotations that `name` names, also by Mixpeek's id. One query."""
    if not name.startswith(_PREFIX) or not is_storable(name):
        return []

    all_refs = []
    for ref, annotation_id in _read_names(ref=name, annotation_id=name.removeprefix(_PREFIX)):
        upstream_ref = f"{_PREFIX}{annotation_id}" if annotation_id else ref
        all_refs.append(ref)
        all_refs.append(upstream_ref)
    return all_refs


@asked
def _read_names(ref: str, annotation_id: str) -> QuerySet[Annotation, tuple[str, str | None]]:
    annotations = Annotation.objects.filter(Q(ref=ref) | Q(annotation_id=annotation_id))
    return annotations.order_by("id").values_list("ref", "annotation_id")
