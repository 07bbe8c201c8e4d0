"""Where annotations live."""

from __future__ import annotations

from django.urls import path

from reviewapp.annotations.views.queue import queue

urlpatterns = [
    path("annotations", queue, name="queue"),
]
