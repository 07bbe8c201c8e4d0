"""`/v1/annotations`: list, create, get, patch, versions, stats. (Bulk is in bulk.py.)"""

from __future__ import annotations

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.annotations.mirror.versions import at_version
from reviewapp.api.annotations import write
from reviewapp.api.annotations.list import count_by_label, list_annotations
from reviewapp.api.annotations.render import RenderedAnnotation, render_annotations, render_versions
from reviewapp.api.annotations.upstream_versions import fetch_annotation_version
from reviewapp.api.auth import DECIDE, READ, AccessRule
from reviewapp.api.errors import Problem, not_found
from reviewapp.api.idempotency import decision_id, idempotent
from reviewapp.api.serializers import annotations as shapes
from reviewapp.api.views.base import Endpoint

CAN_VIEW = AccessRule(scope=READ, permission="annotations.view_annotation")
CAN_DECIDE = AccessRule(scope=DECIDE, permission="annotations.decide_annotation")


class AnnotationList(Endpoint):
    """`POST /v1/annotations/list`."""

    needs = {"POST": CAN_VIEW}

    @extend_schema(
        operation_id="list_annotations",
        parameters=[shapes.ListQuery],
        request=shapes.ListAnnotationsRequest,
        responses=shapes.AnnotationList,
    )
    def post(self, request: Request) -> Response:
        """Return a page of annotations that match every filter, in the order they came here."""
        pager = self.query(shapes.ListQuery)
        filters = self.body(shapes.ListAnnotationsRequest)
        annotations, total = list_annotations(filters, skip=pager["skip"], limit=pager["limit"])
        results = [annotation.json() for annotation in annotations]
        return Response({"results": results, "total_count": total})


class Annotations(Endpoint):
    """`POST /v1/annotations`."""

    needs = {"POST": CAN_DECIDE}

    @extend_schema(
        operation_id="create_annotation",
        request=shapes.CreateAnnotationRequest,
        responses=shapes.Annotation,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Annotate a document.

        The annotation is recorded at once, and a worker delivers it.
        """
        data = self.body(shapes.CreateAnnotationRequest)
        annotation, change_id = write.create_annotation(
            data,
            decision_id=decision_id(request),
            actor=self.person,
        )
        return annotation_response(annotation, change_id)


class AnnotationDetail(Endpoint):
    """`/v1/annotations/{annotation_id}`."""

    needs = {"GET": CAN_VIEW, "PATCH": CAN_DECIDE}

    @extend_schema(operation_id="get_annotation", responses=shapes.Annotation)
    def get(self, request: Request, annotation_id: str) -> Response:
        """Return an annotation with what is not delivered yet on top.

        Its ETag is for `If-Match`.
        """
        return annotation_response(_get_rendered(annotation_id))

    @extend_schema(
        operation_id="patch_annotation",
        request=shapes.PatchAnnotationRequest,
        responses=shapes.Annotation,
    )
    @idempotent
    def patch(self, request: Request, annotation_id: str) -> Response:
        """Decide an annotation: set the given values, and leave the others as they are.

        With `If-Match` or `base`, 409 when somebody was faster.
        """
        data = self.body(shapes.PatchAnnotationRequest)
        annotation, change_id = write.patch_annotation(
            annotation_id,
            data,
            if_match=request.headers.get("If-Match", ""),
            decision_id=decision_id(request),
            actor=self.person,
        )
        return annotation_response(annotation, change_id)

    @extend_schema(exclude=True)
    def delete(self, request: Request, annotation_id: str) -> Response:
        """Refuse: the gateway deletes nothing, so that every decision stays explained."""
        raise Problem(405, _("Annotations cannot be deleted here."))


class Versions(Endpoint):
    """`GET /v1/annotations/{annotation_id}/versions`."""

    needs = {"GET": CAN_VIEW}

    @extend_schema(operation_id="get_annotation_versions", responses=shapes.Versions)
    def get(self, request: Request, annotation_id: str) -> Response:
        """Return every known version of an annotation.

        Undelivered edits count as the versions they are about to become.
        """
        annotation = _get_rendered(annotation_id)
        return Response(render_versions(annotation))


class AnnotationVersionDetail(Endpoint):
    """`GET /v1/annotations/{annotation_id}/versions/{version}`."""

    needs = {"GET": CAN_VIEW}

    @extend_schema(operation_id="get_annotation_at_version", responses=shapes.Annotation)
    def get(self, request: Request, annotation_id: str, version: int) -> Response:
        """Return an annotation as it was at a version.

        Mixpeek is asked for versions whose edits were never mirrored.
        """
        current = _get_rendered(annotation_id)
        if not 1 <= version <= current.state.version:
            raise not_found("version", f"{annotation_id} v{version}")

        state = at_version(current.state, version)
        if state is None:
            return Response(fetch_annotation_version(current, version, person=self.person))
        annotation = RenderedAnnotation(row=current.row, state=state)
        return Response(annotation.json())


class Stats(Endpoint):
    """`GET /v1/annotations/stats`."""

    needs = {"GET": CAN_VIEW}

    @extend_schema(
        operation_id="annotation_stats",
        parameters=[shapes.StatsQuery],
        responses=shapes.Stats,
    )
    def get(self, request: Request) -> Response:
        """Count annotations by label, of one document or collection or of all."""
        query = self.query(shapes.StatsQuery)
        filters = {name: value for name, value in query.items() if value is not None}
        by_label = count_by_label(filters)
        return Response({"total": sum(by_label.values()), "by_label": by_label})


def _get_rendered(annotation_id: str) -> RenderedAnnotation:
    row = write.get_annotation(annotation_id)
    return render_annotations([row])[0]


def annotation_response(annotation: RenderedAnnotation, change_id: int | None = None) -> Response:
    """Respond with an annotation, its ETag, and the id of the change that delivers a decision."""
    headers = {"ETag": annotation.etag}
    if change_id:
        headers["X-Change-Id"] = str(change_id)
    return Response(annotation.json(), headers=headers)
