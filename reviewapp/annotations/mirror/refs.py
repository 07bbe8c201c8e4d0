"""The refs of an annotation: our own, which never changes, and the one made of Mixpeek's id."""

from __future__ import annotations

from django.db.models import Q

from reviewapp.annotations.models import Annotation
from reviewapp.ref import Ref, RefKind


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
