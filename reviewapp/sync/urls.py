"""Where documents' files are found."""

from __future__ import annotations

from django.urls import path

from reviewapp.sync.views import media

urlpatterns = [
    path("documents/<path:document_id>/media/<int:index>", media, name="media"),
]
