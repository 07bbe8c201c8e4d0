"""The app's registration with Django."""

from __future__ import annotations

from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "reviewapp.sync"
    label = "sync"
