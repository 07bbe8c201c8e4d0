"""The pages where admins set what reviewers choose from and are told: labels and guidelines."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from reviewapp.http import Request, whole_number
from reviewapp.retrievers import guidance, label_rows
from reviewapp.retrievers.guidance import BadGuidelines, BadLabels, Overtaken
from reviewapp.retrievers.labels import COLOURS, LONGEST, MOST_LABELS
from reviewapp.retrievers.markdown import rendered
from reviewapp.retrievers.models import Retriever
from reviewapp.retrievers.views.editing import load, may_change

_MOST_VERSIONS = 20


@require_http_methods(["GET", "POST"])
@may_change
def label_set(request: Request, pk: int) -> HttpResponse:
    """Edit the label set, a row for each label; the buttons of the rows work on the rows, the last one saves."""
    found = load(pk)
    if request.method == "GET":
        return _labels_page(request, found, label_rows.rows_of(found.label_set))
    rows, other_allowed = label_rows.read(request.POST), bool(request.POST.get("other_allowed"))
    base = whole_number(request.POST.get("base_version", "")) or 0
    if changed := label_rows.act(rows, request.POST.get("act", "")):
        return _labels_page(request, found, changed, other_allowed=other_allowed, base_version=base)
    kept = label_rows.labels(rows)
    try:
        made = guidance.set_labels(pk, kept, other_allowed=other_allowed, base_version=base, actor=request.user)
    except BadLabels as wrong:
        shown = label_rows.marked(rows, wrong.rows)
        return _labels_page(request, found, shown, status=422, other_allowed=other_allowed, base_version=base)
    except Overtaken as faster:
        return _labels_page(request, load(pk), rows, status=409, other_allowed=other_allowed, faster=faster.now)
    messages.success(request, f"Labels, version {made.version}, are in force." if made else "Nothing was different.")
    return redirect("retriever", pk)


@require_http_methods(["GET", "POST"])
@may_change
def guidelines(request: Request, pk: int) -> HttpResponse:
    """Write the guidelines; `look` shows them as reviewers will see them, and saves nothing."""
    found = load(pk)
    now = found.guidelines
    if request.method == "GET":
        return _guidelines_page(request, found, now.text if now else "")
    text = request.POST.get("text", "").replace("\r\n", "\n")
    base = whole_number(request.POST.get("base_version", "")) or 0
    if request.POST.get("act") == "look":
        return _guidelines_page(request, found, text, base_version=base)
    try:
        made = guidance.write_guidelines(pk, text, base_version=base, actor=request.user)
    except BadGuidelines as wrong:
        return _guidelines_page(request, found, text, status=422, wrong=wrong, base_version=base)
    except Overtaken as faster:
        return _guidelines_page(request, load(pk), text, status=409, faster=faster.now)
    said = f"Guidelines, version {made.version}, are in force." if made else "Nothing was different."
    messages.success(request, said)
    return redirect("retriever", pk)


def _labels_page(
    request: Request, found: Retriever, rows: list[label_rows.Row], *, status: int = 200, **more: Any
) -> HttpResponse:
    now = found.label_set
    context = {
        "retriever": found,
        "rows": rows,
        "colours": COLOURS,
        "longest": LONGEST,
        "most": MOST_LABELS,
        "other_allowed": now.other_allowed if now else True,
        "base_version": now.version if now else 0,
        **_versions(request, found.label_sets.all()),
    }
    return render(request, "retrievers/label_set.html", context | more, status=status)


def _guidelines_page(request: Request, found: Retriever, text: str, *, status: int = 200, **more: Any) -> HttpResponse:
    now = found.guidelines
    context = {
        "retriever": found,
        "text": text,
        "html": rendered(text[: guidance.LONGEST_GUIDELINES]),
        "longest": guidance.LONGEST_GUIDELINES,
        "base_version": now.version if now else 0,
        **_versions(request, found.guideline_texts.all()),
    }
    return render(request, "retrievers/guidelines.html", context | more, status=status)


def _versions(request: Request, kept: QuerySet[Any]) -> dict[str, Any]:
    """Return the newest versions, and the one that the address asks for however old it is."""
    asked = whole_number(request.GET.get("version", ""))
    versions = kept.select_related("created_by").order_by("-version")
    newest = list(versions[:_MOST_VERSIONS])
    older = asked and all(one.version != asked for one in newest)
    return {"asked": asked, "earlier": newest + (list(versions.filter(version=asked)) if older else [])}
