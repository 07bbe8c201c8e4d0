"""URLs of documents' files and of Mixpeek's webhooks."""

from __future__ import annotations

from django.urls import path

from reviewapp.sync.views import media, webhook

urlpatterns = [
    path("documents/<path:document_id>/media/<int:index>", media, name="media"),
    path("webhooks/mixpeek", webhook, name="webhook"),
]
