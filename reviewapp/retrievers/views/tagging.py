"""Tag many retrievers at once: preview, confirm, and see each result."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.retrievers.editing import bulk_tags
from reviewapp.retrievers.editing.edit import InvalidEdit
from reviewapp.retrievers.editing.selection import load_selected
from reviewapp.retrievers.editing.tag_text import join_tags, quote_tag, split_tags
from reviewapp.retrievers.filters import RetrieverFilter
from reviewapp.retrievers.models import Retriever
from reviewapp.retrievers.views.editing import change_permission_required
from reviewapp.web.http import Request, render_page_or_fragment


class _BulkForm(forms.Form):
    bulk_id = forms.UUIDField()


@require_http_methods(["GET", "HEAD", "POST"])
@change_permission_required
def tag_retrievers(request: Request) -> HttpResponse:
    """Preview the change of each selected retriever; on POST make them and show the results."""
    data = request.POST if request.method == "POST" else request.GET
    selected = load_selected(data)
    keys = [retriever.pk for retriever in selected]
    tags_in_use = Retriever.objects.tags_in_use()
    # The preview confirms each tag in a field of its own, which is not split.
    add = (*split_tags(data.getlist("add")), *data.getlist("add_exactly"))
    their_tags = {tag for retriever in selected for tag in retriever.tags}
    remove = (*split_tags(data.getlist("remove"), their_tags), *data.getlist("remove_exactly"))
    context: dict[str, Any] = {
        "add": add,
        "remove": remove,
        "picked": selected,
        "bulk_id": uuid.uuid4(),
        "add_text": join_tags(add),
        "remove_text": join_tags(remove),
        "tags_in_use": [quote_tag(tag) for tag in tags_in_use],
        "back": _list_url(request, keys, add, remove),
    }

    errors = []
    if not selected:
        errors.append(_("Select at least one retriever."))
    if len(selected) > bulk_tags.MAX_RETRIEVERS:
        errors.append(
            _("Select at most %(most)s retrievers (you selected %(number)s).")
            % {"most": bulk_tags.MAX_RETRIEVERS, "number": len(selected)},
        )
    try:
        bulk_tags.check_tags(add, remove)
    except InvalidEdit as error:
        errors += error.fields.values()

    if errors:
        context["wrong"] = errors
        return render(request, "retrievers/tag_preview.html", context, status=422)

    form = _BulkForm(request.POST)
    if request.method == "POST" and form.is_valid():
        bulk_id = form.cleaned_data["bulk_id"]
        bulk_tags.retag(selected, add=add, remove=remove, bulk_id=bulk_id, actor=request.user)
        parameters = {"bulk_id": bulk_id, "pk": keys}
        return redirect(f"{reverse('tagged_retrievers')}?{urlencode(parameters, doseq=True)}")

    plan = bulk_tags.plan_bulk_tags(selected, add=add, remove=remove)
    context["plan"] = plan
    context["possible"] = sum(1 for planned in plan if not planned.obstacle)
    status = 422 if request.method == "POST" else 200
    return render(request, "retrievers/tag_preview.html", context, status=status)


@require_safe
@change_permission_required
def tagged_retrievers(request: Request) -> HttpResponse:
    """Show the result for each tagged retriever; the fragment reloads until all are delivered."""
    form = _BulkForm(request.GET)
    selected = load_selected(request.GET)[: bulk_tags.MAX_RETRIEVERS]
    if not form.is_valid() or not selected:
        return redirect("retrievers")

    results = bulk_tags.load_results(selected, bulk_id=form.cleaned_data["bulk_id"])
    context = {"results": results, "summary": bulk_tags.summarize(results)}
    return render_page_or_fragment(
        "retrievers/_tagged.html", request, "retrievers/tagged.html", context
    )


def _list_url(
    request: Request,
    keys: list[int],
    add: tuple[str, ...],
    remove: tuple[str, ...],
) -> str:
    """Return the URL of the list with the same search, selection (by key) and tags."""
    parameters: dict[str, Any] = {**RetrieverFilter.parse(request.GET).parameters()}
    if keys:
        parameters["pk"] = keys
    if add:
        parameters["add"] = join_tags(add)
    if remove:
        parameters["remove"] = join_tags(remove)
    return f"{reverse('retrievers')}?{urlencode(parameters, doseq=True)}"
