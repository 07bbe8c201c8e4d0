"""The page where admins set the labels that reviewers choose from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.audit.presenters.diffs import field_diffs
from reviewapp.retrievers.guidance import label_form, label_questions, label_rows, services
from reviewapp.retrievers.guidance.form_settings import Required, StartsFrom
from reviewapp.retrievers.guidance.label_form import LabelForm
from reviewapp.retrievers.guidance.labels import COLOURS, MOST_LABELS
from reviewapp.retrievers.guidance.services import BadLabels, Overtaken, offer_of, offered
from reviewapp.retrievers.models import LabelSet, Retriever
from reviewapp.retrievers.views.editing import load, may_change
from reviewapp.retrievers.views.versions import earlier
from reviewapp.web.http import Request


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def label_set(request: Request, pk: int) -> HttpResponse:
    """Edit the label set, a row for each label; the buttons of the rows work on the rows, the last one saves."""
    found = load(pk)
    if request.method == "GET":
        now = found.label_set
        return _page(request, found, label_form.over(offer_of(now), version=now.version if now else 0))
    form, act = label_form.read(request.POST), request.POST.get("act", "")
    if rows := label_rows.act(form.rows, act):
        return _page(request, found, replace(form, rows=rows))
    theirs = offered(pk, form.base_version)
    asked = form.keeps(base=offered(pk, form.was_version or 0), theirs=theirs)
    if not all(keep.is_answered for keep in asked.values()):
        return _page(request, found, form.marked(), status=422, refused=True)
    return _saved(request, found, form.with_answers(asked, theirs=theirs) if asked else form)


@require_safe
@may_change
def label_set_version(request: Request, pk: int, number: int) -> HttpResponse:
    """Show one version of the label set, what would be different if it were in force, and the way back to it."""
    found = load(pk)
    held = get_object_or_404(found.label_sets.select_related("created_by"), version=number)
    changes = label_questions.differences(offer_of(found.label_set), offer_of(held))
    context = {"retriever": found, "held": held, "now": found.label_set, "diffs": field_diffs(changes)}
    return render(request, "retrievers/label_set_version.html", context)


def _saved(request: Request, found: Retriever, form: LabelForm) -> HttpResponse:
    mine = form.offer
    try:
        made = services.set_labels(
            found.pk,
            mine.labels,
            other_allowed=mine.other_allowed,
            base_version=form.base_version,
            actor=request.user,
            settings=mine.settings,
        )
    except BadLabels:
        return _page(request, found, form.marked(), status=422)
    except Overtaken as faster:
        caught_up = form.caught_up(faster.merged, version=faster.now.version)
        told = _settled(found, form, faster.now.version)
        return _page(request, load(found.pk), caught_up, status=409, settled=told)
    messages.success(request, _said(found, form, made) if made else "Nothing was different.")
    return redirect("retriever", found.pk)


def _said(found: Retriever, form: LabelForm, made: LabelSet) -> str:
    """Return what is in force now, and how it was put together if somebody was faster."""
    said = f"Labels, version {made.version}, are in force."
    theirs = made.version - 1
    if theirs == form.base_version:
        return said
    together = f" Version {theirs} was made meanwhile, and yours is put together with it."
    return said + together + "".join(f" {one}" for one in _settled(found, form, theirs))


def _settled(found: Retriever, form: LabelForm, theirs: int) -> list[str]:
    base, there = offered(found.pk, form.base_version), offered(found.pk, theirs)
    return label_questions.settled(base=base, mine=form.offer, theirs=there)


def _page(
    request: Request, found: Retriever, form: LabelForm, *, status: int = 200, refused: bool = False, **more: Any
) -> HttpResponse:
    asked = form.keeps(base=offered(found.pk, form.was_version or 0), theirs=offered(found.pk, form.base_version))
    sets = found.label_sets.select_related("created_by")
    context = {
        "retriever": found,
        "form": form,
        "keeps": list((label_questions.refused(asked) if refused else asked).values()),
        "faster": sets.filter(version=form.base_version).first() if form.was_version is not None else None,
        "colours": COLOURS,
        "starts_from_choices": StartsFrom.choices,
        "required_choices": Required.choices,
        "most": MOST_LABELS,
        **earlier(request, sets),
    }
    return render(request, "retrievers/label_set.html", context | more, status=status)
