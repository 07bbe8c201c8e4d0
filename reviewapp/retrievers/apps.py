"""The app's registration with Django."""

from __future__ import annotations

from django.apps import AppConfig


class RetrieversConfig(AppConfig):
    name = "reviewapp.retrievers"
    label = "retrievers"
