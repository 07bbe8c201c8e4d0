"""What the command palette offers a person, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from reviewapp.annotations.palette.pages import pages_for
from reviewapp.annotations.palette.search import PaletteForm, find_choices

if TYPE_CHECKING:
    from reviewapp.web.http import Request


@require_safe
@never_cache
def palette(request: Request) -> JsonResponse:
    """Return the pages that this person may open and what matches `q`; 422 with the `problem`."""
    form = PaletteForm(request.GET)
    if not form.is_valid():
        return JsonResponse({"problem": " ".join(map(str, form.errors["q"]))}, status=422)

    choices = pages_for(request.user)
    words = form.cleaned_data["q"]
    if words:
        choices += find_choices(words, request.user)
    return JsonResponse({"choices": [choice.as_json() for choice in choices]})
