"""`/v1/annotations`: list, create, get, patch, versions, stats. (Bulk is in bulk.py.)"""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.annotations.mirror.versions import at_version
from reviewapp.api.annotations import write
from reviewapp.api.annotations.list import by_label_of, page
from reviewapp.api.annotations.render import Shown, history, show
from reviewapp.api.annotations.upstream_versions import annotation_at_version
from reviewapp.api.auth import DECIDE, READ, Need
from reviewapp.api.errors import Problem, not_found
from reviewapp.api.idempotency import decision_id, once
from reviewapp.api.serializers import annotations as shapes
from reviewapp.api.views.base import Endpoint

LOOK = Need(scope=READ, permission="annotations.view_annotation")
MAY_DECIDE = Need(scope=DECIDE, permission="annotations.decide_annotation")


class AnnotationList(Endpoint):
    """`POST /v1/annotations/list`."""

    needs = {"POST": LOOK}

    @extend_schema(
        operation_id="list_annotations",
        parameters=[shapes.ListQuery],
        request=shapes.ListAnnotationsRequest,
        responses=shapes.AnnotationList,
    )
    def post(self, request: Request) -> Response:
        """Return a page of annotations that match every filter, in the order they came here."""
        pager, filters = self.query(shapes.ListQuery), self.body(shapes.ListAnnotationsRequest)
        found, total = page(filters, skip=pager["skip"], limit=pager["limit"])
        return Response({"results": [each.json() for each in found], "total_count": total})


class Annotations(Endpoint):
    """`POST /v1/annotations`."""

    needs = {"POST": MAY_DECIDE}

    @extend_schema(
        operation_id="create_annotation", request=shapes.CreateAnnotationRequest, responses=shapes.Annotation
    )
    @once
    def post(self, request: Request) -> Response:
        """Annotate a document; delivered by a worker, recorded at once."""
        asked = self.body(shapes.CreateAnnotationRequest)
        made, change = write.create(asked, decision_id=decision_id(request), actor=self.person)
        return one(made, change)


class OneAnnotation(Endpoint):
    """`/v1/annotations/{annotation_id}`."""

    needs = {"GET": LOOK, "PATCH": MAY_DECIDE}

    @extend_schema(operation_id="get_annotation", responses=shapes.Annotation)
    def get(self, request: Request, annotation_id: str) -> Response:
        """Return an annotation with what is not delivered yet on top; its ETag is for `If-Match`."""
        return one(show([write.find(annotation_id)])[0])

    @extend_schema(operation_id="patch_annotation", request=shapes.PatchAnnotationRequest, responses=shapes.Annotation)
    @once
    def patch(self, request: Request, annotation_id: str) -> Response:
        """Decide: the values given, all others as they are. With `If-Match` or `base`, 409 when somebody was faster."""
        asked = self.body(shapes.PatchAnnotationRequest)
        after, change = write.patch(
            annotation_id,
            asked,
            if_match=request.headers.get("If-Match", ""),
            decision_id=decision_id(request),
            actor=self.person,
        )
        return one(after, change)

    @extend_schema(exclude=True)
    def delete(self, request: Request, annotation_id: str) -> Response:
        """Refuse: the gateway deletes nothing, so that every decision stays explained."""
        raise Problem(405, "This gateway deletes no annotations.")


class Versions(Endpoint):
    """`GET /v1/annotations/{annotation_id}/versions`."""

    needs = {"GET": LOOK}

    @extend_schema(operation_id="get_annotation_versions", responses=shapes.Versions)
    def get(self, request: Request, annotation_id: str) -> Response:
        """Return every version we know of; undelivered edits count as the versions they are about to become."""
        return Response(history(show([write.find(annotation_id)])[0]))


class OneVersion(Endpoint):
    """`GET /v1/annotations/{annotation_id}/versions/{version}`."""

    needs = {"GET": LOOK}

    @extend_schema(operation_id="get_annotation_at_version", responses=shapes.Annotation)
    def get(self, request: Request, annotation_id: str, version: int) -> Response:
        """Return an annotation as it stood; Mixpeek is asked for versions whose edits were never mirrored."""
        now = show([write.find(annotation_id)])[0]
        if not 1 <= version <= now.state.version:
            raise not_found("version", f"{annotation_id} v{version}")
        then = at_version(now.state, version)
        if then is None:
            return Response(annotation_at_version(now, version, person=self.person))
        return Response(Shown(row=now.row, state=then).json())


class Stats(Endpoint):
    """`GET /v1/annotations/stats`."""

    needs = {"GET": LOOK}

    @extend_schema(operation_id="annotation_stats", parameters=[shapes.StatsQuery], responses=shapes.Stats)
    def get(self, request: Request) -> Response:
        """Count annotations by label, of one document or collection or of all."""
        asked = {name: value for name, value in self.query(shapes.StatsQuery).items() if value is not None}
        by_label = by_label_of(asked)
        return Response({"total": sum(by_label.values()), "by_label": by_label})


def one(shown: Shown, change: int | None = None) -> Response:
    """Answer with one annotation, its tag, and which change carries what was just decided."""
    headers = {"ETag": shown.etag} | ({"X-Change-Id": str(change)} if change else {})
    return Response(shown.json(), headers=headers)
