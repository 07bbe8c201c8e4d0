"""The refs of an annotation: our own, which never changes, and the one made of Mixpeek's id."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from reviewapp.annotations.models import Annotation
from reviewapp.asked import asked
from reviewapp.ref import Ref, RefKind


def refs(named: Ref) -> list[str]:
    """Return every ref of the annotations that `named` names, also by Mixpeek's id. One query."""
    if named.kind != RefKind.ANNOTATION:
        return []

    all_refs = []
    for ref, annotation_id in _read_names(ref=str(named), annotation_id=named.id):
        upstream_ref = ref
        if annotation_id:
            upstream_ref = str(Ref(RefKind.ANNOTATION, annotation_id))
        all_refs.append(ref)
        all_refs.append(upstream_ref)
    return all_refs


@asked
def _read_names(ref: str, annotation_id: str) -> QuerySet[Annotation, tuple[str, str | None]]:
    annotations = Annotation.objects.filter(Q(ref=ref) | Q(annotation_id=annotation_id))
    return annotations.order_by("id").values_list("ref", "annotation_id")
