"""URLs of documents' files and of Mixpeek's webhooks."""

from __future__ import annotations

from django.urls import path

from reviewapp.sync.views import open_media, webhook

urlpatterns = [
    path("documents/media/<int:index>", open_media, name="media_by_query"),
    path("documents/<path:document_id>/media/<int:index>", open_media, name="media"),
    path("webhooks/mixpeek", webhook, name="webhook"),
]
