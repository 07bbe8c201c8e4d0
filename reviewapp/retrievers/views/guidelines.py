"""The page where admins write the guidelines for reviewers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.audit.presenters.diffs import field_diffs
from reviewapp.retrievers.guidance import guidelines_form, services
from reviewapp.retrievers.guidance.comparison import as_changes, compare_texts
from reviewapp.retrievers.guidance.guidelines_form import GuidelinesForm
from reviewapp.retrievers.guidance.markdown import render_markdown
from reviewapp.retrievers.guidance.services import BadGuidelines, VersionConflict, text_of
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
def guidelines(request: Request, pk: int) -> HttpResponse:
    """Write the guidelines; `look` previews them as reviewers will see them, and saves nothing."""
    retriever = load(pk)
    if request.method != "POST":
        current = retriever.guidelines
        version = current.version if current else 0
        form = GuidelinesForm(text=text_of(current), base_version=version)
        return _page(request, retriever, form)

    form = guidelines_form.read_guidelines_form(request.POST)
    if request.POST.get("act") == "look":
        return _page(request, retriever, form)

    try:
        new_version = services.write_guidelines(
            pk,
            form.text,
            base_version=form.base_version,
            actor=request.user,
            restores=parse_whole_number(request.POST.get("restores", "")) or 0,
        )
    except BadGuidelines as error:
        return _page(request, retriever, form, error=error, status=422)
    except VersionConflict as conflict:
        form = form.on_newer_version(conflict.current.version)
        return _page(request, load(pk), form, status=409)

    if new_version:
        messages.success(
            request, _("Guidelines v%(number)s published.") % {"number": new_version.version}
        )
    else:
        messages.success(request, _("Nothing changed."))
    return redirect("retriever", pk)


@require_safe
@view_permission_required
def guidelines_version(request: Request, pk: int, number: int) -> HttpResponse:
    """Show one version of the guidelines, compared with the current one, and the way back to it."""
    retriever = load(pk)
    current = retriever.guidelines
    versions = retriever.guideline_texts.select_related("created_by")
    version = get_object_or_404(versions, version=number)
    changes = as_changes(compare_texts(text_of(current), version.text))
    context = {
        "retriever": retriever,
        "held": version,
        "now": current,
        "diffs": field_diffs(changes),
        "html": render_markdown(version.text),
    }
    return render(request, "retrievers/guidelines_version.html", context)


def _page(
    request: Request,
    retriever: Retriever,
    form: GuidelinesForm,
    *,
    error: BadGuidelines | None = None,
    status: int = 200,
) -> HttpResponse:
    versions = retriever.guideline_texts.select_related("created_by")
    context: dict[str, Any] = {
        "retriever": retriever,
        "form": form,
        "html": render_markdown(form.text[: services.MAX_GUIDELINES_LENGTH]),
        "longest": services.MAX_GUIDELINES_LENGTH,
        "wrong": error,
        **versions_context(request, versions),
    }

    newer = None
    if form.is_conflict:
        newer = versions.filter(version=form.base_version).first()
    if newer:
        compared = compare_texts(newer.text, form.text)
        context["newer"] = newer
        context["compared"] = compared
        context["diffs"] = field_diffs(as_changes(compared))

    return render(request, "retrievers/guidelines.html", context, status=status)
