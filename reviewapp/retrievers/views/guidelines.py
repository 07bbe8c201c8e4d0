"""The page where admins write what reviewers are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.audit.presenters.diffs import field_diffs
from reviewapp.retrievers.conflict_choice import THEIRS, UNCHOSEN, Keep
from reviewapp.retrievers.guidance import services
from reviewapp.retrievers.guidance.guidelines_form import GuidelinesForm, over, read
from reviewapp.retrievers.guidance.markdown import rendered
from reviewapp.retrievers.guidance.services import BadGuidelines, Overtaken, written
from reviewapp.retrievers.models import Retriever
from reviewapp.retrievers.views.editing import load, may_change
from reviewapp.retrievers.views.versions import earlier
from reviewapp.web.http import Request


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def guidelines(request: Request, pk: int) -> HttpResponse:
    """Write the guidelines; `look` shows them as reviewers will see them, and saves nothing."""
    found = load(pk)
    now = found.guidelines
    if request.method == "GET":
        return _page(request, found, over(now.text if now else "", version=now.version if now else 0))
    form = read(request.POST)
    if request.POST.get("act") == "look":
        return _page(request, found, form)
    keep = _asked(found, form)
    if keep and not keep.is_answered:
        return _page(request, found, form, status=422, refused=True)
    if keep and keep.chosen == THEIRS:
        messages.success(request, f"Version {form.base_version} stands as it is, and yours is not kept.")
        return redirect("retriever", pk)
    return _saved(request, found, form)


@require_safe
@may_change
def guidelines_version(request: Request, pk: int, number: int) -> HttpResponse:
    """Show one version of the guidelines, what would be different if it were in force, and the way back to it."""
    found = load(pk)
    held = get_object_or_404(found.guideline_texts.select_related("created_by"), version=number)
    now = found.guidelines
    diffs = field_diffs({"text": [now.text if now else "", held.text]})
    context = {"retriever": found, "held": held, "now": now, "diffs": diffs, "html": rendered(held.text)}
    return render(request, "retrievers/guidelines_version.html", context)


def _saved(request: Request, found: Retriever, form: GuidelinesForm) -> HttpResponse:
    try:
        made = services.write_guidelines(found.pk, form.text, base_version=form.base_version, actor=request.user)
    except BadGuidelines as wrong:
        return _page(request, found, form, status=422, wrong=wrong)
    except Overtaken as faster:
        return _page(request, load(found.pk), form.caught_up(faster.now.version), status=409)
    said = f"Guidelines, version {made.version}, are in force." if made else "Nothing was different."
    messages.success(request, said)
    return redirect("retriever", found.pk)


def _asked(found: Retriever, form: GuidelinesForm) -> Keep | None:
    return form.keep(base=written(found.pk, form.was_version or 0), theirs=written(found.pk, form.base_version))


def _page(
    request: Request, found: Retriever, form: GuidelinesForm, *, status: int = 200, refused: bool = False, **more: Any
) -> HttpResponse:
    texts = found.guideline_texts.select_related("created_by")
    keep = _asked(found, form)
    context = {
        "retriever": found,
        "form": form,
        "html": rendered(form.text[: services.LONGEST_GUIDELINES]),
        "longest": services.LONGEST_GUIDELINES,
        "keeps": [replace(keep, wrong=UNCHOSEN) if refused else keep] if keep else [],
        "faster": texts.filter(version=form.base_version).first() if keep else None,
        "theirs": field_diffs({"text": [keep.base, keep.theirs]}) if keep else (),
        **earlier(request, texts),
    }
    return render(request, "retrievers/guidelines.html", context | more, status=status)
