"""The app's registration with Django."""

from __future__ import annotations

from django.apps import AppConfig

from reviewapp.audit import registry


class AnnotationsConfig(AppConfig):
    name = "reviewapp.annotations"
    label = "annotations"

    def ready(self) -> None:
        """Register the callbacks with which history reads annotations."""
        from reviewapp.annotations.mirror import guidance_versions, refs

        registry.register_ref_aliases(refs.refs)
        registry.register_guidance_finder(guidance_versions.load_guidance_versions)
