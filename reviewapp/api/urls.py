"""Where the API's calls live: Mixpeek's own paths below /api.

An id may hold a slash: longer paths first.
"""

from __future__ import annotations

from django.urls import path

from reviewapp.api.views.annotations import (
    AnnotationDetail,
    AnnotationList,
    Annotations,
    AnnotationVersionDetail,
    Stats,
    Versions,
)
from reviewapp.api.views.bulk import BulkAnnotations
from reviewapp.api.views.figures import FigureDetail
from reviewapp.api.views.history import ChangeDetail, ChangeWithdrawal, HistoryList
from reviewapp.api.views.not_found import UnknownPath
from reviewapp.api.views.openapi import OpenApi, docs
from reviewapp.api.views.retrievers import (
    Execute,
    ExecutionDetailView,
    ExecutionList,
    Executions,
    RetrieverDetail,
    RetrieverList,
    Retrievers,
)
from reviewapp.api.views.token_pages import revoke_token, tokens

_ANNOTATION, _RETRIEVER = (
    "api/v1/annotations/<path:annotation_id>",
    "api/v1/retrievers/<path:retriever_id>",
)

urlpatterns = [
    path("api/v1/annotations", Annotations.as_view(), name="api_annotations"),
    path("api/v1/annotations/list", AnnotationList.as_view(), name="api_annotation_list"),
    path("api/v1/annotations/bulk", BulkAnnotations.as_view(), name="api_annotation_bulk"),
    path("api/v1/annotations/stats", Stats.as_view(), name="api_annotation_stats"),
    path(
        f"{_ANNOTATION}/versions/<int:version>",
        AnnotationVersionDetail.as_view(),
        name="api_version",
    ),
    path(f"{_ANNOTATION}/versions", Versions.as_view(), name="api_versions"),
    path(_ANNOTATION, AnnotationDetail.as_view(), name="api_annotation"),
    path("api/v1/retrievers", Retrievers.as_view(), name="api_retrievers"),
    path("api/v1/retrievers/list", RetrieverList.as_view(), name="api_retriever_list"),
    path(f"{_RETRIEVER}/execute", Execute.as_view(), name="api_execute"),
    path(f"{_RETRIEVER}/executions", Executions.as_view(), name="api_executions"),
    path(f"{_RETRIEVER}/executions/list", ExecutionList.as_view(), name="api_execution_list"),
    path(
        f"{_RETRIEVER}/executions/<path:execution_id>",
        ExecutionDetailView.as_view(),
        name="api_execution",
    ),
    path(_RETRIEVER, RetrieverDetail.as_view(), name="api_retriever"),
    path("api/v1/history/list", HistoryList.as_view(), name="api_history_list"),
    path("api/v1/figures/<str:figure>", FigureDetail.as_view(), name="api_figure"),
    path("api/v1/changes/<int:change_id>", ChangeDetail.as_view(), name="api_change"),
    path(
        "api/v1/changes/<int:change_id>/withdraw",
        ChangeWithdrawal.as_view(),
        name="api_withdraw_change",
    ),
    path("api/v1/openapi.<str:form>", OpenApi.as_view(), name="api_openapi"),
    path("api/docs", docs, name="api_docs"),
    path("tokens", tokens, name="tokens"),
    path("tokens/<int:pk>/revoke", revoke_token, name="revoke_token"),
    path("api/v1/<path:rest>", UnknownPath.as_view(), name="api_nothing"),
]
