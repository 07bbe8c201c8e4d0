"""The app's registration with Django."""

from __future__ import annotations

from django.apps import AppConfig

from reviewapp.accounts.signals import access_changed
from reviewapp.audit import registry
from reviewapp.postgres.statement import register_frequent_read


class AnnotationsConfig(AppConfig):
    name = "reviewapp.annotations"
    label = "annotations"

    def ready(self) -> None:
        """Register what history and the web server call, and the signal receivers."""
        from reviewapp.annotations.decisions import delivery_states
        from reviewapp.annotations.frequent_reads import read_for_nobody
        from reviewapp.annotations.mirror import guidance_versions, refs
        from reviewapp.annotations.queue import leases

        registry.register_ref_aliases(refs.refs)
        registry.register_ref_search(refs.matching_refs)
        registry.register_title_finder(refs.titles)
        registry.register_guidance_finder(guidance_versions.load_guidance_versions)
        registry.register_delivery_finder(delivery_states.load_delivery_states)
        access_changed.connect(leases.release_without_access)
        register_frequent_read(read_for_nobody)
