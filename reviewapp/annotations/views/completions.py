"""Names that complete what a person types into a filter with more choices than it can offer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reviewapp.annotations.queue.filter_options import complete_label
from reviewapp.retrievers.filters import complete_retriever, complete_tag
from reviewapp.storable import unstorable_character
from reviewapp.web.filters import complete_person
from reviewapp.web.http import Request

_MAX_TEXT_LENGTH = 200


# What is completed, by its name in the address: the text to the choices, each a key and a title.
_COMPLETIONS: dict[str, Callable[[str], list[tuple[Any, str]]]] = {
    "people": complete_person,
    "retrievers": partial(complete_retriever, key="pk"),
    "retriever-ids": partial(complete_retriever, key="retriever_id"),
    "labels": complete_label,
    "tags": complete_tag,
}


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def completions(request: Request, kind: str) -> HttpResponse:
    """Offer up to twenty names that hold the text of the field that asks, its only parameter."""
    complete = _COMPLETIONS.get(kind)
    if complete is None:
        raise Http404

    # A field sends its text under its own name.
    text = "".join(request.GET.dict().values())
    choices: list[tuple[Any, str]] = []
    if len(text) <= _MAX_TEXT_LENGTH and not unstorable_character(text):
        choices = complete(text)
    return render(request, "_completions.html", {"completions": choices})
