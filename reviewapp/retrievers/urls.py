"""Where retrievers and their executions live."""

from __future__ import annotations

from django.urls import path

from reviewapp.retrievers.views import execution, retriever, retrievers, run

urlpatterns = [
    path("retrievers", retrievers, name="retrievers"),
    path("retrievers/<int:pk>", retriever, name="retriever"),
    path("retrievers/<int:pk>/run", run, name="run"),
    path("executions/<int:pk>", execution, name="execution"),
]
