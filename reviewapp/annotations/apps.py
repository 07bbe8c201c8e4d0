"""The app's registration with Django."""

from __future__ import annotations

from django.apps import AppConfig


class AnnotationsConfig(AppConfig):
    name = "reviewapp.annotations"
    label = "annotations"
