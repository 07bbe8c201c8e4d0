"""Where machines ask."""

from __future__ import annotations

from django.urls import path

from reviewapp.operations import views

urlpatterns = [
    path("health/live", views.live, name="live"),
    path("health/ready", views.ready, name="ready"),
    path("metrics", views.metrics, name="metrics"),
]
