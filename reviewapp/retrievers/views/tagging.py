"""Tags on many retrievers at once: look first, then do it, then see what became of each."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from reviewapp.http import Request, page_or, whole_number
from reviewapp.retrievers import bulk
from reviewapp.retrievers.edit_form import several
from reviewapp.retrievers.edits import Unacceptable
from reviewapp.retrievers.models import Retriever
from reviewapp.retrievers.views.editing import may_change


class _Doing(forms.Form):
    bulk_id = forms.UUIDField()


@require_http_methods(["GET", "POST"])
@may_change
def tag_retrievers(request: Request) -> HttpResponse:
    """Preview the change of each retriever that was picked; on POST make them and say what became of each."""
    asked = request.POST if request.method == "POST" else request.GET
    picked, add, remove = _picked(asked), several(asked.getlist("add")), several(asked.getlist("remove"))
    context: dict[str, Any] = {"add": add, "remove": remove, "picked": picked, "bulk_id": uuid.uuid4()}
    context["tags_in_use"] = Retriever.objects.tags_in_use()
    doing = _Doing(request.POST)
    try:
        bulk.check(add, remove)
        _check_picked(picked)
        if request.method == "POST" and doing.is_valid():
            done = bulk.retag(picked, add=add, remove=remove, bulk_id=doing.cleaned_data["bulk_id"], actor=request.user)
            asked_for = {"bulk_id": doing.cleaned_data["bulk_id"], "pk": [one.retriever.pk for one in done]}
            return redirect(f"{reverse('tagged_retrievers')}?{urlencode(asked_for, doseq=True)}")
    except Unacceptable as error:
        return render(request, "retrievers/tag_preview.html", context | {"wrong": error}, status=422)
    plan = bulk.plan(picked, add=add, remove=remove)
    status = 422 if request.method == "POST" else 200
    moving = sum(1 for one in plan if not one.why_not)
    return render(request, "retrievers/tag_preview.html", context | {"plan": plan, "moving": moving}, status=status)


@require_GET
@may_change
def tagged_retrievers(request: Request) -> HttpResponse:
    """Show what became of each retriever that was tagged; it asks again by itself until all is delivered."""
    doing = _Doing(request.GET)
    picked = _picked(request.GET)[: bulk.MOST]
    if not doing.is_valid() or not picked:
        return redirect("retrievers")
    done = bulk.done_before(picked, bulk_id=doing.cleaned_data["bulk_id"])
    context = {"done": done, "sum": bulk.summed(done)}
    return page_or("retrievers/_tagged.html", request, "retrievers/tagged.html", context)


def _picked(asked: QueryDict) -> list[Retriever]:
    keys = {key for text in asked.getlist("pk") if (key := whole_number(text))}
    return list(Retriever.objects.filter(pk__in=keys).order_by("name", "id")[: bulk.MOST + 1])


def _check_picked(picked: list[Retriever]) -> None:
    if not picked:
        raise Unacceptable({"tags": "Pick at least one retriever."})
    if len(picked) > bulk.MOST:
        raise Unacceptable({"tags": f"Pick {bulk.MOST} retrievers at most."})
