"""Tags on many retrievers at once: look first, then do it, then see what became of each."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.retrievers.editing import bulk_tags
from reviewapp.retrievers.editing.edit import Unacceptable
from reviewapp.retrievers.editing.forms import several
from reviewapp.retrievers.editing.selection import picked
from reviewapp.retrievers.models import Retriever
from reviewapp.retrievers.views.editing import may_change
from reviewapp.retrievers.views.paging import kept_of
from reviewapp.web.http import Request, page_or


class _Doing(forms.Form):
    bulk_id = forms.UUIDField()


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def tag_retrievers(request: Request) -> HttpResponse:
    """Preview the change of each retriever that was picked; on POST make them and say what became of each."""
    asked = request.POST if request.method == "POST" else request.GET
    found, add, remove = picked(asked), several(asked.getlist("add")), several(asked.getlist("remove"))
    context: dict[str, Any] = {"add": add, "remove": remove, "picked": found, "bulk_id": uuid.uuid4()}
    context |= {"tags_in_use": Retriever.objects.tags_in_use(), "back": _back(request, found, add, remove)}
    doing = _Doing(request.POST)
    if wrong := _wrong(found, add, remove):
        return render(request, "retrievers/tag_preview.html", context | {"wrong": wrong}, status=422)
    if request.method == "POST" and doing.is_valid():
        done = bulk_tags.retag(found, add=add, remove=remove, bulk_id=doing.cleaned_data["bulk_id"], actor=request.user)
        asked_for = {"bulk_id": doing.cleaned_data["bulk_id"], "pk": [one.retriever.pk for one in done]}
        return redirect(f"{reverse('tagged_retrievers')}?{urlencode(asked_for, doseq=True)}")
    plan = bulk_tags.plan(found, add=add, remove=remove)
    status = 422 if request.method == "POST" else 200
    moving = sum(1 for one in plan if not one.why_not)
    return render(request, "retrievers/tag_preview.html", context | {"plan": plan, "moving": moving}, status=status)


@require_safe
@may_change
def tagged_retrievers(request: Request) -> HttpResponse:
    """Show what became of each retriever that was tagged; it asks again by itself until all is delivered."""
    doing = _Doing(request.GET)
    found = picked(request.GET)[: bulk_tags.MOST]
    if not doing.is_valid() or not found:
        return redirect("retrievers")
    done = bulk_tags.done_before(found, bulk_id=doing.cleaned_data["bulk_id"])
    context = {"done": done, "sum": bulk_tags.summed(done)}
    return page_or("retrievers/_tagged.html", request, "retrievers/tagged.html", context)


def _wrong(found: list[Retriever], add: tuple[str, ...], remove: tuple[str, ...]) -> list[str]:
    """Return all that stands in the way of a preview, a sentence each."""
    said = [] if found else ["Pick at least one retriever."]
    if len(found) > bulk_tags.MOST:
        said.append(f"Pick {bulk_tags.MOST} retrievers at most; these are {len(found)}.")
    try:
        bulk_tags.check(add, remove)
    except Unacceptable as error:
        said += error.fields.values()
    return said


def _back(request: Request, found: list[Retriever], add: tuple[str, ...], remove: tuple[str, ...]) -> str:
    """Return the address of the list with the same search, in which the same is picked and typed."""
    carried = {"pk": [one.pk for one in found], "add": ", ".join(add), "remove": ", ".join(remove)}
    said = {name: values for name, values in carried.items() if values}
    return f"{reverse('retrievers')}?{urlencode({**kept_of(request, ('q', 'tag', 'sort')), **said}, doseq=True)}"
