"""Where the API's calls live: Mixpeek's own paths below /api."""

from __future__ import annotations

from django.urls import path

from reviewapp.api.views.annotations import AnnotationList, Annotations, OneAnnotation, OneVersion, Stats, Versions
from reviewapp.api.views.bulk import BulkAnnotations

urlpatterns = [
    path("api/v1/annotations", Annotations.as_view(), name="api_annotations"),
    path("api/v1/annotations/list", AnnotationList.as_view(), name="api_annotation_list"),
    path("api/v1/annotations/bulk", BulkAnnotations.as_view(), name="api_annotation_bulk"),
    path("api/v1/annotations/stats", Stats.as_view(), name="api_annotation_stats"),
    path("api/v1/annotations/<str:annotation_id>", OneAnnotation.as_view(), name="api_annotation"),
    path("api/v1/annotations/<str:annotation_id>/versions", Versions.as_view(), name="api_versions"),
    path(
        "api/v1/annotations/<str:annotation_id>/versions/<int:version>",
        OneVersion.as_view(),
        name="api_version",
    ),
]
