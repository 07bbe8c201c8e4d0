"""The addresses of the history."""

from __future__ import annotations

from django.urls import path

from reviewapp.audit import views

urlpatterns = [
    path("history", views.history, name="history"),
    path("history/totals", views.history_totals, name="history_totals"),
    path("history.csv", views.history_csv, name="history_csv"),
]
