"""The page where admins set the labels that reviewers choose from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.audit.presenters.diffs import field_diffs
from reviewapp.retrievers.guidance import label_form, label_rows, services
from reviewapp.retrievers.guidance.comparison import as_changes, compare_label_sets
from reviewapp.retrievers.guidance.form_settings import Required, StartsFrom
from reviewapp.retrievers.guidance.label_form import LabelForm
from reviewapp.retrievers.guidance.labels import COLOURS
from reviewapp.retrievers.guidance.services import BadLabels, VersionConflict, content_of
from reviewapp.retrievers.models import Retriever
from reviewapp.retrievers.views.editing import (
    change_permission_required,
    load,
    view_permission_required,
)
from reviewapp.retrievers.views.versions import versions_context
from reviewapp.web.http import Request, parse_whole_number


@require_http_methods(["GET", "HEAD", "POST"])
@change_permission_required
def label_set(request: Request, pk: int) -> HttpResponse:
    """Edit the label set, a row for each label.

    The buttons of the rows change the form; only the last button saves.
    """
    retriever = load(pk)
    if request.method != "POST":
        current = retriever.label_set
        version = current.version if current else 0
        form = label_form.from_content(content_of(current), version=version)
        return _page(request, retriever, form)

    form = label_form.read_label_form(request.POST)
    rows = label_rows.press_button(form.rows, request.POST.get("act", ""))
    if rows:
        return _page(request, retriever, replace(form, rows=rows))

    content = form.content
    try:
        new_version = services.set_labels(
            pk,
            content.labels,
            other_allowed=content.other_allowed,
            base_version=form.base_version,
            actor=request.user,
            settings=content.settings,
            restores=parse_whole_number(request.POST.get("restores", "")) or 0,
        )
    except BadLabels:
        return _page(request, retriever, form.with_errors(), status=422)
    except VersionConflict as conflict:
        form = form.on_newer_version(conflict.current.version)
        return _page(request, load(pk), form, status=409)

    if new_version:
        messages.success(
            request, _("Labels v%(number)s published.") % {"number": new_version.version}
        )
    else:
        messages.success(request, _("Nothing changed."))
    return redirect("retriever", pk)


@require_safe
@view_permission_required
def label_set_version(request: Request, pk: int, number: int) -> HttpResponse:
    """Show one version of the label set, compared with the current one, and the way back to it."""
    retriever = load(pk)
    current = retriever.label_set
    versions = retriever.label_sets.select_related("created_by")
    version = get_object_or_404(versions, version=number)
    changes = as_changes(compare_label_sets(content_of(current), content_of(version)))
    context = {
        "retriever": retriever,
        "held": version,
        "now": current,
        "diffs": field_diffs(changes),
    }
    return render(request, "retrievers/label_set_version.html", context)


def _page(
    request: Request, retriever: Retriever, form: LabelForm, *, status: int = 200
) -> HttpResponse:
    versions = retriever.label_sets.select_related("created_by")
    context: dict[str, Any] = {
        "retriever": retriever,
        "form": form,
        "colours": COLOURS,
        "starts_from_choices": StartsFrom.choices,
        "required_choices": Required.choices,
        **versions_context(request, versions),
    }

    newer = None
    if form.is_conflict:
        newer = versions.filter(version=form.base_version).first()
    if newer:
        context["newer"] = newer
        context["compared"] = compare_label_sets(content_of(newer), form.content)

    return render(request, "retrievers/label_set.html", context, status=status)
