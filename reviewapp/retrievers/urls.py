"""Where retrievers and their executions live."""

from __future__ import annotations

from django.urls import path

from reviewapp.retrievers.views.editing import edit_retriever, retriever, version
from reviewapp.retrievers.views.guidelines import guidelines, guidelines_version
from reviewapp.retrievers.views.labels import label_set, label_set_version
from reviewapp.retrievers.views.listing import retrievers
from reviewapp.retrievers.views.running import execution, run
from reviewapp.retrievers.views.tagging import tag_retrievers, tagged_retrievers

urlpatterns = [
    path("retrievers", retrievers, name="retrievers"),
    path("retrievers/tags", tag_retrievers, name="tag_retrievers"),
    path("retrievers/tagged", tagged_retrievers, name="tagged_retrievers"),
    path("retrievers/<int:pk>", retriever, name="retriever"),
    path("retrievers/<int:pk>/edit", edit_retriever, name="edit_retriever"),
    path("retrievers/<int:pk>/versions/<int:event>", version, name="retriever_version"),
    path("retrievers/<int:pk>/labels", label_set, name="label_set"),
    path("retrievers/<int:pk>/labels/<int:number>", label_set_version, name="label_set_version"),
    path("retrievers/<int:pk>/guidelines", guidelines, name="guidelines"),
    path(
        "retrievers/<int:pk>/guidelines/<int:number>", guidelines_version, name="guidelines_version"
    ),
    path("retrievers/<int:pk>/run", run, name="run"),
    path("executions/<int:pk>", execution, name="execution"),
]
