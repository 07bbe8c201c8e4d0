"""The app's registration with Django."""

from __future__ import annotations

from django.apps import AppConfig

from reviewapp.audit import neighbours


class AnnotationsConfig(AppConfig):
    name = "reviewapp.annotations"
    label = "annotations"

    def ready(self) -> None:
        """Tell history by which names annotations go, and what decisions were made with."""
        from reviewapp.annotations import made_with, naming

        neighbours.other_names(naming.refs)
        neighbours.what_decisions_were_made_with(made_with.versions)
