"""Who may what: the three roles, as groups, each with its permissions; a later role may all that an earlier may."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission

REVIEWER, LEAD, ADMIN = "reviewer", "lead", "admin"

_REVIEWER = ["annotations.view_annotation", "annotations.decide_annotation", "retrievers.view_retriever"]
_LEAD = [*_REVIEWER, "audit.view_event", "retrievers.run_retriever"]
_ADMIN = [*_LEAD, "retrievers.change_retriever", "accounts.change_user"]

PERMISSIONS: dict[str, list[str]] = {REVIEWER: _REVIEWER, LEAD: _LEAD, ADMIN: _ADMIN}


def make_groups(**_: object) -> None:
    """Bring the three groups in line with `PERMISSIONS`; safe to repeat, run after each migrate."""
    for name, codes in PERMISSIONS.items():
        group, _created = Group.objects.get_or_create(name=name)
        wanted = [code.split(".") for code in codes]
        found = Permission.objects.filter(
            content_type__app_label__in={app for app, _ in wanted}, codename__in={code for _, code in wanted}
        )
        group.permissions.set(found)
