"""Where the outbox is seen."""

from __future__ import annotations

from django.urls import path

from reviewapp.outbox import views

urlpatterns = [
    path("changes/<int:pk>", views.delivery, name="delivery"),
    path("outbox/resume", views.resume_deliveries, name="resume_outbox"),
]
