"""Where the outbox is seen."""

from __future__ import annotations

from django.urls import path

from reviewapp.outbox import views

urlpatterns = [
    path("changes/<int:pk>", views.delivery, name="delivery"),
    path("outbox/updates", views.page_updates, name="page_updates"),
    path("outbox/resume", views.resume_deliveries, name="resume_outbox"),
]
